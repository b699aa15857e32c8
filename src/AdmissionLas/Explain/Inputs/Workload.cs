using System.Text.Json.Nodes;
using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>A Pod, and the objects that contain a pod template.</summary>
static class Workload
{
    /// <summary>The pods of an object; <see langword="null"/> when it contains no template.</summary>
    internal static FoundPods? Pods(JsonObject item, string defaultNamespace)
    {
        var kind = item.Text("kind")!;
        var origin = Origin(kind, item);
        if (kind == "Pod")
        {
            var pod = item.DeepClone().AsObject();
            if (pod.Object("metadata") is { } metadata && metadata.Text("namespace") is null)
            {
                metadata["namespace"] = defaultNamespace;
            }

            return new FoundPods(origin, [new FoundPod(NameOf(item), item, pod, [])], []);
        }

        var templates = Templates(kind, item).ToArray();
        if (templates.Length == 0)
        {
            return null;
        }

        List<FoundPod> pods = [];
        List<FoundProblem> problems = [];
        foreach (var (name, path, template) in templates)
        {
            if (template is null)
            {
                problems.Add(new FoundProblem(item, $"the {kind} has no {path}", "its pods are made from it"));
                continue;
            }

            var full = name.Length == 0 ? NameOf(item) : $"{NameOf(item)}-{name}";
            pods.Add(new FoundPod(full, template, From(template, item, full, defaultNamespace), []));
        }

        return new FoundPods(origin, pods, problems);
    }

    /// <summary>The pod that an owner makes of its template.</summary>
    internal static JsonObject From(JsonObject template, JsonObject owner, string name, string defaultNamespace)
    {
        var metadata = Metadata(owner, name, defaultNamespace).With(template.Object("metadata"));
        return new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = metadata }.With(template, "spec");
    }

    internal static JsonObject Pod(JsonObject metadata, JsonObject spec) =>
        new() { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = metadata, ["spec"] = spec };

    /// <summary>The metadata that every pod of an owner has.</summary>
    internal static JsonObject Metadata(JsonObject owner, string name, string defaultNamespace) => new()
    {
        ["generateName"] = $"{name}-",
        ["namespace"] = owner.Object("metadata").Text("namespace") ?? defaultNamespace,
    };

    internal static string Origin(string kind, JsonObject item) => $"{kind} {NameOf(item)}";

    internal static string NameOf(JsonObject item) =>
        item.Object("metadata") is { } metadata && (metadata.Text("name") ?? metadata.Text("generateName")?.TrimEnd('-')) is { } name ? name : "without-name";

    static IEnumerable<(string Name, string Path, JsonObject? Template)> Templates(string kind, JsonObject item)
    {
        var spec = item.Object("spec");
        switch (kind)
        {
            case "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet" or "ReplicationController" or "Job":
                yield return ("", "spec.template", spec.Object("template"));
                break;
            case "CronJob":
                yield return ("", "spec.jobTemplate.spec.template", spec.Object("jobTemplate").Object("spec").Object("template"));
                break;
            case "PodTemplate":
                yield return ("", "template", item.Object("template"));
                break;
            // Knative's; the other kind of Service makes no pods.
            case "Service" when item.Text("apiVersion")?.StartsWith("serving.knative.dev/", StringComparison.Ordinal) == true:
                yield return ("", "spec.template", spec.Object("template"));
                break;
            // The training operator's PyTorchJob, TFJob, MPIJob, XGBoostJob and so on.
            case var _ when item.Text("apiVersion")?.StartsWith("kubeflow.org/", StringComparison.Ordinal) == true:
                foreach (var (name, _) in (spec ?? []).Where(m => m.Key.EndsWith("ReplicaSpecs", StringComparison.Ordinal)))
                {
                    foreach (var (replica, of) in spec.Members(name))
                    {
                        // The replica type is capitalised in the object and lower case in the pod's name.
                        yield return (new string([.. replica.Select(char.ToLowerInvariant)]), $"spec.{name}.{replica}.template", of.Object("template"));
                    }
                }

                break;
        }
    }
}
