using System.Text.Json.Nodes;
using AdmissionLas.Configuration;
using AdmissionLas.Kubernetes;
using AdmissionLas.Placement;
using AdmissionLas.Registration;

namespace AdmissionLas.Snapshots;

/// <summary>
/// Takes from the cluster's objects what placement depends on, member by member, and nothing else: what is not named here cannot get into a
/// snapshot, be it an environment, a command line, a volume, a foreign annotation or managed fields.
/// </summary>
static class ObjectReduction
{
    /// <summary>Where the API server keeps what says whether a pod is placed, and where.</summary>
    const string OurAnnotations = "admissionlas.io/";

    static readonly string[] Conditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];

    /// <summary>A node: name, labels, taints, whether it is cordoned, capacity, conditions, and the images that are large enough to count.</summary>
    internal static JsonObject Node(JsonObject node) => Object("Node", new JsonObject().With(node.Object("metadata"), "name").With(node.Object("metadata"), "labels"))
        .Put("spec", new JsonObject().Put("taints", List(node.Object("spec").Objects("taints").Select(t => Only(t, "key", "value", "effect")))).With(node.Object("spec"), "unschedulable"))
        .Put("status", new JsonObject().With(node.Object("status"), "capacity").With(node.Object("status"), "allocatable")
            .Put("conditions", List(node.Object("status").Objects("conditions").Where(c => Conditions.Contains(c.Text("type"))).Select(c => Only(c, "type", "status"))))
            .Put("images", List(node.Object("status").Objects("images").Where(i => i.Amount("sizeBytes") >= NodeImages.SmallestBytes).Select(i => Only(i, "names", "sizeBytes")))));

    /// <summary>A pod: name, our annotations, where it runs, and what it asks for.</summary>
    internal static JsonObject Pod(JsonObject pod)
    {
        var metadata = Only(pod.Object("metadata"), "name", "namespace", "uid");
        var annotations = (pod.Object("metadata").Object("annotations") ?? []).Where(a => a.Key.StartsWith(OurAnnotations, StringComparison.Ordinal));
        metadata.Put("annotations", new JsonObject(annotations.Select(a => KeyValuePair.Create(a.Key, a.Value?.DeepClone()))));
        var spec = pod.Object("spec");
        return Object("Pod", metadata)
            .Put("spec", Only(spec, "nodeName", "overhead").Put("resources", Resources(spec)).Put("initContainers", Containers(spec, "initContainers")).Put("containers", Containers(spec, "containers")))
            .Put("status", Only(pod.Object("status"), "phase")
                .Put("conditions", List(pod.Object("status").Objects("conditions").Where(c => c.Text("type") == "PodScheduled").Select(c => Only(c, "type", "status", "reason")))));
    }

    /// <summary>A namespace: its name, and whether it opts in.</summary>
    internal static JsonObject Namespace(JsonObject item) => Object(
        "Namespace", Only(item.Object("metadata"), "name").Put("labels", Only(item.Object("metadata").Object("labels"), RegistrationKeys.OptIn)));

    /// <summary>The webhook's configuration: the sections on which decisions depend.</summary>
    /// <returns><see langword="null"/> when it holds none, or no YAML.</returns>
    internal static JsonObject? Configuration(JsonObject configMap)
    {
        if (configMap.Object("data").Text(WebhookSettings.ConfigMapKey) is not { } text)
        {
            return null;
        }

        try
        {
            using var reader = new StringReader(text);
            var kept = Only((YamlSource.Read(reader) is [var first, ..] ? first.Root : null) as JsonObject, "placement", "training", "steps");
            using var written = new StringWriter { NewLine = "\n" };
            YamlJson.Write(kept, written);
            return Object("ConfigMap", Only(configMap.Object("metadata"), "name", "namespace")).Put("data", new JsonObject { [WebhookSettings.ConfigMapKey] = written.ToString() });
        }
        catch (YamlFaultException)
        {
            return null;
        }
    }

    static JsonArray List(IEnumerable<JsonObject> items) => new([.. items]);

    static JsonArray Containers(JsonObject? spec, string member) =>
        List(spec.Objects(member).Select(c => Only(c, "name", "restartPolicy").Put("resources", Resources(c))));

    static JsonObject Resources(JsonObject? holder) => Only(holder.Object("resources"), "requests", "limits");

    static JsonObject Only(JsonObject? from, params string[] members)
    {
        var kept = new JsonObject();
        foreach (var member in members)
        {
            kept.With(from, member);
        }

        return kept;
    }

    static JsonObject Object(string kind, JsonObject metadata) => new() { ["apiVersion"] = "v1", ["kind"] = kind, ["metadata"] = metadata };

    // What is empty says nothing.
    static JsonObject Put(this JsonObject into, string name, JsonNode value)
    {
        if (value is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
        {
            into[name] = value;
        }

        return into;
    }
}
