using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>A Pod, and the objects that contain a pod template.</summary>
static class Workload
{
    /// <summary>The pods of an object; <see langword="null"/> when it contains no template.</summary>
    internal static StepInputs? Read(SourceDocument document, JsonObject item, string defaultNamespace)
    {
        var kind = item.Text("kind")!;
        if (kind == "Pod")
        {
            var pod = item.DeepClone().AsObject();
            if (pod.Object("metadata") is { } metadata && metadata.Text("namespace") is null)
            {
                metadata["namespace"] = defaultNamespace;
            }

            return new StepInputs([InputStep.Of(document, item, NameOf(item), Origin(item), pod)], [], []);
        }

        List<InputStep> steps = [];
        List<InputProblem> problems = [];
        foreach (var (name, path, template) in Templates(kind, item))
        {
            if (template is null)
            {
                problems.Add(new InputProblem(document.LineOf(item), $"the {kind} has no {path}", "its pods are made from it"));
                continue;
            }

            var full = name.Length == 0 ? NameOf(item) : $"{NameOf(item)}-{name}";
            var metadata = Metadata(item, full, defaultNamespace).With(template.Object("metadata"));
            var pod = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = metadata }.With(template, "spec");
            steps.Add(InputStep.Of(document, template, full, Origin(item), pod));
        }

        return steps.Count + problems.Count > 0 ? new StepInputs(steps, problems, []) : null;
    }

    internal static JsonObject Pod(JsonObject metadata, JsonObject spec) =>
        new() { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = metadata, ["spec"] = spec };

    /// <summary>The metadata that every pod of an owner has.</summary>
    internal static JsonObject Metadata(JsonObject owner, string name, string defaultNamespace) => new()
    {
        ["generateName"] = $"{name}-",
        ["namespace"] = owner.Object("metadata").Text("namespace") ?? defaultNamespace,
    };

    internal static string Origin(JsonObject item) => $"{item.Text("kind")} {NameOf(item)}";

    internal static string NameOf(JsonObject item) =>
        item.Object("metadata") is { } metadata && (metadata.Text("name") ?? metadata.Text("generateName")?.TrimEnd('-')) is { } name ? name : "without-name";

    static IEnumerable<(string Name, string Path, JsonObject? Template)> Templates(string kind, JsonObject item)
    {
        var spec = item.Object("spec");
        var apiVersion = item.Text("apiVersion") ?? "";
        return kind switch
        {
            "CronJob" => [("", "spec.jobTemplate.spec.template", spec.Object("jobTemplate").Object("spec").Object("template"))],
            "PodTemplate" => [("", "template", item.Object("template"))],
            "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet" or "ReplicationController" or "Job" => SpecTemplate(),
            // Knative's; the other kind of Service makes no pods.
            "Service" when apiVersion.StartsWith("serving.knative.dev/", StringComparison.Ordinal) => SpecTemplate(),
            // The training operator's PyTorchJob, TFJob, MPIJob, XGBoostJob and so on. The replica type is lower case in the pod's name.
            _ when apiVersion.StartsWith("kubeflow.org/", StringComparison.Ordinal) =>
                from specs in (spec ?? []).Select(m => m.Key)
                where specs.EndsWith("ReplicaSpecs", StringComparison.Ordinal)
                from replica in spec.Members(specs)
                let lower = string.Concat(replica.Key.Select(char.ToLowerInvariant))
                select (lower, $"spec.{specs}.{replica.Key}.template", replica.Value.Object("template")),
            _ => [],
        };

        (string, string, JsonObject?)[] SpecTemplate() => [("", "spec.template", spec.Object("template"))];
    }
}
