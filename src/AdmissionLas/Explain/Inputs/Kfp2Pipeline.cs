using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>
/// A compiled Kubeflow Pipelines v2 pipeline (IR YAML): the pipeline, and its settings for Kubernetes in the next document. The pods have what
/// KFP's driver and compiler would give them and placement reads.
/// </summary>
/// <remarks>
/// Source: kubeflow/pipelines, api/v2alpha1/pipeline_spec.proto, kubernetes_platform/proto/kubernetes_executor_config.proto and
/// backend/src/v2/driver.
/// </remarks>
sealed class Kfp2Pipeline
{
    readonly SourceDocument document;
    readonly JsonObject pipeline;
    readonly JsonObject? platform;
    readonly string defaultNamespace;
    readonly string name;
    readonly List<InputStep> steps = [];
    readonly List<InputProblem> problems = [];
    int visits;

    internal Kfp2Pipeline(SourceDocument document, JsonObject? platform, string defaultNamespace)
    {
        var root = (JsonObject)document.Root!;
        this.document = document;
        // Bare, as a job's pipelineSpec, or as the PipelineVersion of KFP's Kubernetes native mode.
        var holder = IsVersion(root) ? root.Object("spec") : root;
        pipeline = holder.Object("pipelineSpec") ?? root;
        this.platform = (holder.Object("platformSpec") ?? platform).Object("platforms").Object("kubernetes").Object("deploymentSpec").Object("executors");
        this.defaultNamespace = root.Object("metadata").Text("namespace") ?? defaultNamespace;
        name = pipeline.Object("pipelineInfo").Text("name") ?? "pipeline";
    }

    internal static bool Is(JsonNode? root) =>
        IsSpec(root) || IsSpec(root.Object("pipelineSpec")) || (IsVersion(root) && IsSpec(root.Object("spec").Object("pipelineSpec")));

    static bool IsVersion(JsonNode? root) => root.Text("kind") == "PipelineVersion" && root.Text("apiVersion")?.StartsWith("pipelines.kubeflow.org/", StringComparison.Ordinal) == true;

    internal static bool IsPlatform(JsonNode? root) => root.Object("platforms") is not null && root.Text("kind") is null;

    static bool IsSpec(JsonNode? root) =>
        root.Object("root") is not null && (root.Object("deploymentSpec") is not null || root.Object("pipelineInfo") is not null) && root.Text("kind") is null;

    internal StepInputs Read()
    {
        Walk(pipeline.Object("root"), $"{name}.root", "", 0);
        if (steps.Count == 0 && problems.Count == 0)
        {
            Refuse(pipeline, $"the pipeline {name} has no tasks that run a container");
        }

        return new StepInputs(steps, problems, []);
    }

    void Refuse(JsonNode at, string message) => problems.Add(new InputProblem(document.LineOf(at), message, "compile it again"));

    void Walk(JsonObject? component, string path, string step, int depth)
    {
        if (depth == StepInput.DeepestGraph)
        {
            return;
        }

        foreach (var (called, task) in component.Object("dag").Members("tasks"))
        {
            if (steps.Count > StepInput.MaxSteps || ++visits > StepInput.MaxVisits)
            {
                return;
            }

            var taskPath = $"{path}.{called}";
            var taskStep = step.Length == 0 ? called : $"{step}.{called}";
            if (task.Object("componentRef").Text("name") is not { } reference || pipeline.Object("components").Object(reference) is not { } runs)
            {
                Refuse(task, $"task {taskStep} names no component of the pipeline");
            }
            else if (runs.Text("executorLabel") is { } label)
            {
                Add(taskStep, $"{taskPath}.executor", task, label);
            }
            else
            {
                // A loop: Argo names its iterations so.
                var loops = task.ContainsKey("parameterIterator") || task.ContainsKey("artifactIterator");
                Walk(runs, loops ? $"{taskPath}.iteration-iterations(0:0).iteration-item" : taskPath, taskStep, depth + 1);
            }
        }
    }

    void Add(string step, string path, JsonObject task, string label)
    {
        if (pipeline.Object("deploymentSpec").Object("executors").Object(label) is not { } executor)
        {
            Refuse(task, $"task {step} names the executor {label}, which is not in deploymentSpec.executors");
            return;
        }

        var container = executor.Object("container");
        // KFP's driver creates and deletes PVCs; the task has no pod.
        if (container is null && executor.Object("importer") is null || container.Text("image")?.StartsWith("argostub/", StringComparison.Ordinal) == true)
        {
            return;
        }

        List<string> notes = [];
        var settings = platform.Object(label);
        var metadata = new JsonObject { ["generateName"] = $"{name}-", ["namespace"] = defaultNamespace };
        metadata["labels"] = new JsonObject { ["pipelines.kubeflow.org/v2_component"] = "true" }.With(settings.Object("podMetadata").Object("labels"));
        metadata["annotations"] = new JsonObject { ["pipelines.kubeflow.org/v2_component"] = "true" }.With(settings.Object("podMetadata").Object("annotations"));
        metadata["annotations"]![StepRule.ArgoNodeNameKey] = path;
        if (settings.Object("podMetadata").Object("labels") is { Count: > 0 })
        {
            notes.Add("Kubeflow Pipelines 2.0 to 2.3 drop these labels or mix them up; use an admin's rule there to recognise the step");
        }

        var main = new JsonObject { ["name"] = "main", ["command"] = new JsonArray("/kfp-launcher/launch", "--") };
        if (container is not null)
        {
            // KFP's launcher is the command, and the task's own command its arguments.
            main["args"] = new JsonArray([.. Texts(container, "command"), .. Texts(container, "args")]);
            main.With(container, "image");
            main["resources"] = Resources(container.Object("resources"));
        }

        var spec = new JsonObject
        {
            // It copies KFP's launcher into the pod. The scheduler counts it if the task requests less.
            ["initContainers"] = new JsonArray(JsonNode.Parse(
                """{ "name": "kfp-launcher", "resources": { "requests": { "cpu": "100m", "memory": "128Mi" }, "limits": { "cpu": "500m", "memory": "128Mi" } } }""")),
            ["containers"] = new JsonArray(main),
        };
        AddScheduling(spec, settings, notes);
        steps.Add(InputStep.Of(document, executor, step, $"KFP v2 pipeline {name}", Workload.Pod(metadata, spec), notes));
    }

    static IEnumerable<JsonNode?> Texts(JsonObject container, string member) => (container[member] as JsonArray ?? []).Select(t => t?.DeepClone());

    /// <summary>Newer compilers write quantities, older ones numbers: cores, and memory in units of 10^9 bytes.</summary>
    static JsonObject Resources(JsonObject? given)
    {
        var resources = new JsonObject { ["requests"] = new JsonObject(), ["limits"] = new JsonObject() };
        Set("requests", "cpu", "resourceCpuRequest", "cpuRequest", "");
        Set("requests", "memory", "resourceMemoryRequest", "memoryRequest", "G");
        Set("limits", "cpu", "resourceCpuLimit", "cpuLimit", "");
        Set("limits", "memory", "resourceMemoryLimit", "memoryLimit", "G");
        var accelerator = given.Object("accelerator");
        if ((accelerator.Text("resourceType") ?? accelerator.Text("type")) is { } type &&
            (accelerator.Text("resourceCount") ?? accelerator.Text("count") ?? accelerator.Amount("count")?.ToString(CultureInfo.InvariantCulture)) is { } count)
        {
            resources["limits"]![type] = count;
        }

        return resources;

        void Set(string which, string resource, string asQuantity, string asNumber, string unit)
        {
            if ((given.Text(asQuantity) ?? (given.Amount(asNumber) is { } amount ? string.Create(CultureInfo.InvariantCulture, $"{amount}{unit}") : null)) is { } quantity)
            {
                resources[which]![resource] = quantity;
            }
        }
    }

    static void AddScheduling(JsonObject spec, JsonObject? settings, List<string> notes)
    {
        if (settings.Object("nodeSelector") is { } selector && (Constant(selector, "nodeSelectorJson", notes) as JsonObject ?? selector.Object("labels")) is { } labels)
        {
            spec["nodeSelector"] = labels.DeepClone();
        }

        if (settings.Objects("tolerations").ToArray() is { Length: > 0 } tolerations)
        {
            spec["tolerations"] = new JsonArray([.. tolerations.SelectMany(t =>
                !t.ContainsKey("tolerationJson") ? [t.DeepClone()]
                : Constant(t, "tolerationJson", notes) switch { JsonArray many => many.Select(m => m?.DeepClone()), JsonObject { Count: > 0 } one => [one.DeepClone()], _ => [] })]);
        }

        AddNodeAffinity(spec, settings.Objects("nodeAffinity"), notes);
        // Only the scheduler knows which nodes they allow; here it is enough that they exist.
        foreach (var pod in settings.Objects("podAffinity").Where(p => p.Amount("weight") is null && !p.ContainsKey("podAffinityJson")))
        {
            var which = pod["anti"]?.ToJsonString() == "true" ? "podAntiAffinity" : "podAffinity";
            ((JsonObject)(spec["affinity"] ??= new JsonObject()))[which] =
                JsonNode.Parse("""{ "requiredDuringSchedulingIgnoredDuringExecution": [ {} ] }""");
        }

        if (settings.Objects("pvcMount").Any())
        {
            spec["volumes"] = JsonNode.Parse("""[ { "name": "pvc", "persistentVolumeClaim": { "claimName": "pvc" } } ]""");
        }
        else if (settings.Objects("genericEphemeralVolume").Any())
        {
            spec["volumes"] = JsonNode.Parse("""[ { "name": "ephemeral", "ephemeral": {} } ]""");
        }
    }

    static void AddNodeAffinity(JsonObject spec, IEnumerable<JsonObject> terms, List<string> notes)
    {
        List<JsonNode> required = [], preferred = [];
        foreach (var term in terms)
        {
            if (term.ContainsKey("nodeAffinityJson"))
            {
                var whole = Constant(term, "nodeAffinityJson", notes);
                required.AddRange(whole.Object("requiredDuringSchedulingIgnoredDuringExecution").Objects("nodeSelectorTerms")
                    .Select(t => t.DeepClone()));
                preferred.AddRange(whole.Objects("preferredDuringSchedulingIgnoredDuringExecution").Select(t => t.DeepClone()));
            }
            else if (term.Only("matchExpressions", "matchFields") is { Count: > 0 } own)
            {
                if (term.Amount("weight") is { } weight)
                {
                    preferred.Add(new JsonObject { ["weight"] = (int)weight, ["preference"] = own });
                }
                else
                {
                    required.Add(own);
                }
            }
        }

        spec.Put("affinity", new JsonObject().Put("nodeAffinity", new JsonObject()
            .Put("requiredDuringSchedulingIgnoredDuringExecution", new JsonObject().Put("nodeSelectorTerms", new JsonArray([.. required])))
            .Put("preferredDuringSchedulingIgnoredDuringExecution", new JsonArray([.. preferred]))));
    }

    // A value, or a parameter whose value is known only when the pipeline runs.
    static JsonNode? Constant(JsonObject setting, string member, List<string> notes)
    {
        if (setting.Object(member) is not { } given)
        {
            return null;
        }

        if (given.Object("runtimeValue")?["constant"] is { } constant)
        {
            return constant;
        }

        notes.Add($"its {member[..^"Json".Length]} comes from a parameter and is ignored here");
        return null;
    }
}
