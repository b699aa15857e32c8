using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>A KServe InferenceService: a predictor, which may be many nodes, and optionally a transformer and an explainer.</summary>
/// <remarks>
/// Source: kserve/kserve, pkg/controller/v1beta1/inferenceservice/components (labels of the service reach all its pods), config/runtimes,
/// pkg/webhook/admission/pod/storage_initializer_injector.go; kserve/website, docs/model-serving/generative-inference/multi-node.
/// </remarks>
static class InferenceService
{
    internal const string Group = "serving.kserve.io";

    const string ModeKey = $"{Group}/deploymentMode";

    static readonly string[] Components = ["predictor", "transformer", "explainer"];

    // The framework's name is the older form of model.
    static readonly string[] Models =
        ["model", "sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "pmml", "lightgbm", "paddle", "art", "alibi"];

    // The fields of a component that are not fields of a pod's spec either.
    static readonly string[] NotOfThePod =
    [
        "name", "minReplicas", "maxReplicas", "scaleTarget", "scaleMetric", "scaleMetricType", "autoScaling", "containerConcurrency", "timeout", "canaryTrafficPercent", "logger",
        "batcher", "labels", "annotations", "deploymentStrategy", "storageUris", "storageContainerName", "workerSpec", "pipelineParallelSize", "tensorParallelSize",
    ];

    static readonly string[] Gpus = ["nvidia.com/gpu", "amd.com/gpu", "intel.com/gpu", "habana.ai/gaudi"];

    internal static StepInputs Read(InputObject service)
    {
        // An old one of the cluster keeps the mode that it was created in.
        var mode = service.Json.Object("status").Text("deploymentMode") ?? service.Json.Object("metadata").Object("annotations").Text(ModeKey);
        var components = Components.Where(c => service.Spec.Object(c) is not null).ToArray();
        if (components.Length == 0)
        {
            return service.Refused("the InferenceService has no spec.predictor", "see https://kserve.github.io/website for its format");
        }

        var isMesh = mode == "ModelMesh";
        var result = !isMesh ? new StepInputs([], [], []) : service.PassedOver(
            $"the InferenceService {service.Name} has no predictor pod of its own: with {ModeKey}: ModelMesh the pods of a serving runtime load its model", "give their Deployment, modelmesh-serving-<runtime>");
        return result with
        {
            Steps = [.. components.Where(c => c != "predictor" || !isMesh).SelectMany(c => Steps(service, c, service.Spec.Object(c)!, mode is "Serverless" or "Knative"))],
        };
    }

    static IEnumerable<InputStep> Steps(InputObject service, string component, JsonObject settings, bool isKnative)
    {
        var model = Model(settings);
        var runtime = (service.Other(Group, "ServingRuntime", model.Text("runtime")) ?? service.Other(Group, "ClusterServingRuntime", model.Text("runtime")))?.Spec;
        var worker = component == "predictor" && !isKnative ? settings.Object("workerSpec") : null;
        var (spec, notes) = Spec(settings, model, runtime, "kserve-container", worker is not null);
        if (isKnative)
        {
            Controllers.AddQueueProxy(spec);
        }

        JsonObject? workerSpec = null;
        List<string> workerNotes = [];
        if (worker is not null)
        {
            var own = worker.Objects("containers").FirstOrDefault() ?? [];
            (workerSpec, workerNotes) = Spec(new JsonObject().With(worker).With(new JsonObject { ["containers"] = null }), own, runtime.Object("workerSpec"), "worker-container", true);
            workerSpec = ShareGpus(spec, workerSpec, (worker.Amount("pipelineParallelSize") ?? 1) * (worker.Amount("tensorParallelSize") ?? 1)) ? workerSpec : null;
        }

        yield return Step(service, component, settings, settings, runtime, spec, notes);
        if (workerSpec is not null)
        {
            yield return Step(service, component, worker!, settings, runtime.Object("workerSpec"), workerSpec, workerNotes, "-worker");
        }
    }

    static JsonObject? Model(JsonObject settings) => Models.Select(m => settings.Object(m)).FirstOrDefault(m => m is not null);

    static InputStep Step(
        InputObject service, string component, JsonObject source, JsonObject settings, JsonObject? runtime, JsonObject spec, List<string> notes, string suffix = "")
    {
        var name = $"{service.Name}-{component}{suffix}";
        var own = service.Json.Object("metadata");
        var metadata = service.Metadata(name);
        metadata["labels"] = new JsonObject().With(runtime.Object("labels")).With(own.Object("labels")).With(settings.Object("labels"))
            .With(new JsonObject { ["app"] = $"isvc.{name}", [StepRule.InferenceServiceKey] = service.Name, [StepRule.KServeComponentKey] = component });
        var annotations = new JsonObject().With(runtime.Object("annotations")).With(own.Object("annotations")).With(settings.Object("annotations"));
        AddStorage(spec, settings, annotations);
        metadata.Put("annotations", annotations);
        return InputStep.Of(service.Document, source, name, service.Origin, Workload.Pod(metadata, spec), notes);
    }

    static (JsonObject Spec, List<string> Notes) Spec(JsonObject settings, JsonObject? model, JsonObject? runtime, string name, bool isOfMany)
    {
        var spec = StrategicMerge.Pod.Into(
            runtime.Only("nodeSelector", "affinity", "tolerations", "volumes", "schedulerName", "resourceClaims"),
            new JsonObject(settings.Where(m => !NotOfThePod.Contains(m.Key) && !Models.Contains(m.Key)).Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone()))));
        List<JsonObject> containers = [.. settings.Objects("containers").Select(c => c.DeepClone().AsObject())];
        if (model is not null || containers.Count == 0)
        {
            var given = runtime.Objects("containers").Select(c => c.DeepClone().AsObject()).ToArray();
            var container = given.FirstOrDefault(c => c.Text("name") == name) ?? new JsonObject { ["name"] = name };
            StrategicMerge.Pod.Into(container, model.Only("image", "args", "command", "resources", "ports"));
            containers = [container, .. given.Where(c => c != container), .. containers];
        }

        spec["containers"] = new JsonArray([.. containers]);
        // What the runtimes of KServe's installation ask for, and by its configuration a container without a runtime.
        var (cpu, memory) = isOfMany ? ("2", "6Gi") : ("1", "2Gi");
        List<string> notes = [];
        if (runtime is null && List(containers[0], "requests") is { } requests && !(requests.ContainsKey("cpu") && requests.ContainsKey("memory")))
        {
            requests.With(new JsonObject { ["cpu"] = cpu, ["memory"] = memory }, wins: false);
            notes.Add($"what it does not request is assumed as in the serving runtimes that come with KServe: {cpu} CPU and {memory}");
        }

        return (spec, notes);
    }

    // The requests or limits of a container, which there are then.
    static JsonObject? List(JsonObject container, string which)
    {
        container["resources"] ??= new JsonObject();
        container.Object("resources")?[which] ??= new JsonObject();
        return container.Object("resources").Object(which);
    }

    // KServe shares out GPUs and makes as many nodes as that takes. Says whether there are workers beside the head.
    static bool ShareGpus(JsonObject head, JsonObject worker, double all)
    {
        var (total, headGpus, workerGpus) = ((long)all, Requested(head), Requested(worker));
        var nodes = workerGpus > 0 ? headGpus >= total ? 1 : ((total - 1) / workerGpus) + 1 : headGpus > 0 ? Math.Max(total - headGpus, 0) + 1 : total;
        if (workerGpus > 0)
        {
            headGpus = nodes == 1 ? total : headGpus > 0 ? headGpus : total - (workerGpus * (nodes - 1));
        }

        Set(head, Math.Max(headGpus, 1));
        Set(worker, Math.Max(workerGpus, 1));
        return nodes > 1;

        static long Requested(JsonObject spec) => Gpus.Select(g => List(spec.Objects("containers").First(), "requests")?[g]).FirstOrDefault(q => q is not null) is { } amount && Quantity.TryParseUnits($"{amount}", out var units) ? units : 0;

        static void Set(JsonObject spec, long count)
        {
            var container = spec.Objects("containers").First();
            JsonObject[] lists = [.. ((JsonObject?[])[List(container, "limits"), List(container, "requests")]).OfType<JsonObject>()];
            var device = Gpus.FirstOrDefault(g => lists.Any(l => l.ContainsKey(g))) ?? Gpus[0];
            foreach (var list in lists)
            {
                list[device] = count.ToString(CultureInfo.InvariantCulture);
            }
        }
    }

    // Where the model comes from: a claim is mounted, an image runs beside the server, anything else is fetched before it starts.
    static void AddStorage(JsonObject spec, JsonObject settings, JsonObject annotations)
    {
        var model = Model(settings);
        var uri = model.Text("storageUri") ?? settings.Objects("containers").SelectMany(c => c.Objects("env")).FirstOrDefault(e => e.Text("name") == "STORAGE_URI").Text("value");
        if (uri is not null)
        {
            annotations["internal.serving.kserve.io/storage-initializer-sourceuri"] = uri;
        }

        var isFetched = model?["storage"] is not null;
        foreach (var source in settings.Objects("storageUris").Select(u => u.Text("uri")).Prepend(uri).OfType<string>())
        {
            if (source.StartsWith("pvc://", StringComparison.Ordinal))
            {
                Workload.Add(spec, "volumes", Workload.ClaimVolume(source[6..].Split('/')[0]));
            }
            else if (source.StartsWith("oci://", StringComparison.Ordinal))
            {
                Workload.Add(spec, "containers", Workload.Container("modelcar", "10m", "15Mi"));
            }
            else
            {
                isFetched = true;
            }
        }

        if (isFetched)
        {
            Workload.Add(spec, "initContainers", Workload.Container("storage-initializer", "100m", "100Mi"));
        }
    }
}
