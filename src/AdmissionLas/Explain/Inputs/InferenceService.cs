using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>A KServe InferenceService: a predictor, and optionally a transformer and an explainer.</summary>
/// <remarks>Source: kserve/kserve, docs/apis and pkg/controller/v1beta1/inferenceservice (labels of the service reach all its pods, #2743).</remarks>
static class InferenceService
{
    internal const string Group = "serving.kserve.io";

    static readonly string[] Components = ["predictor", "transformer", "explainer"];

    // The fields of a component that are not fields of a pod's spec.
    static readonly string[] NotOfThePod =
    [
        "minReplicas", "maxReplicas", "scaleTarget", "scaleMetric", "scaleMetricType", "autoScaling", "containerConcurrency", "timeout", "canaryTrafficPercent", "logger",
        "batcher", "labels", "annotations", "deploymentStrategy", "workerSpec", "model",
    ];

    internal static StepInputs Read(InputObject service)
    {
        InputStep[] steps =
        [
            .. Components.Where(c => service.Spec.Object(c) is not null).Select(c => Step(service, c, service.Spec.Object(c)!)),
        ];
        return steps.Length > 0 ? new StepInputs(steps, [], []) : service.Refused("the InferenceService has no spec.predictor", "see https://kserve.github.io/website for its format");
    }

    static InputStep Step(InputObject service, string component, JsonObject settings)
    {
        var name = service.Name;
        List<string> notes = [];
        var metadata = service.Metadata($"{name}-{component}");
        metadata["labels"] = new JsonObject { [StepRule.InferenceServiceKey] = name, [StepRule.KServeComponentKey] = component }
            .With(service.Json.Object("metadata").Object("labels"), wins: false).With(settings.Object("labels"), wins: false);
        metadata.Put("annotations", new JsonObject().With(service.Json.Object("metadata").Object("annotations")).With(settings.Object("annotations")));

        var model = Model(settings);
        var spec = new JsonObject(settings.Where(m => !NotOfThePod.Contains(m.Key) && !ReferenceEquals(m.Value, model))
            .Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));
        if (spec["containers"] is not JsonArray { Count: > 0 })
        {
            spec["containers"] = new JsonArray(Container(model, notes));
        }

        if (model?["storageUri"] is not null || model?["storage"] is not null)
        {
            // It downloads the model before the server starts, and the scheduler counts it.
            var fetch = JsonNode.Parse(
                """{ "name": "storage-initializer", "resources": { "requests": { "cpu": "100m", "memory": "100Mi" }, "limits": { "cpu": "1", "memory": "1Gi" } } }""");
            spec["initContainers"] = new JsonArray([fetch, .. spec.Objects("initContainers").Select(c => c.DeepClone())]);
        }

        return InputStep.Of(service.Document, settings, $"{name}-{component}", service.Origin, Workload.Pod(metadata, spec), notes);
    }

    // spec.predictor.model, or the older form with the framework's name: spec.predictor.sklearn.
    static JsonObject? Model(JsonObject settings) =>
        settings.Object("model") ?? settings.Select(m => m.Value).OfType<JsonObject>().FirstOrDefault(m => m.ContainsKey("storageUri") || m.ContainsKey("storage") || m.ContainsKey("runtimeVersion"));

    static JsonObject Container(JsonObject? model, List<string> notes)
    {
        var container = new JsonObject { ["name"] = "kserve-container" }.With(model, "image").With(model, "args").With(model, "command").With(model, "resources");
        if (container["resources"] is null)
        {
            notes.Add("it states no resources, so the request of most serving runtimes is assumed: 1 CPU and 2Gi");
            container["resources"] = JsonNode.Parse("""{ "requests": { "cpu": "1", "memory": "2Gi" }, "limits": { "cpu": "1", "memory": "2Gi" } }""");
        }

        return container;
    }
}
