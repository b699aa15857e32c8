using AdmissionLas.Configuration;

namespace AdmissionLas.Snapshots;

/// <summary>
/// Copies the fields of the cluster's objects that placement depends on, and no others: an environment, a command line, a volume, a foreign
/// annotation or managed fields cannot get into a snapshot.
/// </summary>
static class ObjectReduction
{
    /// <summary>The prefix of our annotations, which say whether and where a pod is placed.</summary>
    const string OurAnnotations = "admissionlas.io/";

    static readonly string[] Conditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];

    /// <summary>A node: name, labels, taints, whether it is cordoned, capacity, conditions, its kubelet's release, and the images that are large enough to count.</summary>
    internal static JsonObject Node(JsonObject node) => Object("Node", new JsonObject().With(node.Object("metadata"), "name").With(node.Object("metadata"), "labels"))
        .Put("spec", new JsonObject().Put("taints", List(node.Object("spec").Objects("taints").Select(t => t.Only("key", "value", "effect")))).With(node.Object("spec"), "unschedulable"))
        .Put("status", new JsonObject().With(node.Object("status"), "capacity").With(node.Object("status"), "allocatable")
            .Put("nodeInfo", node.Object("status").Object("nodeInfo").Only("kubeletVersion"))
            .Put("conditions", List(node.Object("status").Objects("conditions").Where(c => Conditions.Contains(c.Text("type"))).Select(c => c.Only("type", "status"))))
            .Put("images", List(node.Object("status").Objects("images").Where(i => i.Amount("sizeBytes") >= NodeImages.SmallestBytes).Select(i => i.Only("names", "sizeBytes")))));

    /// <summary>A pod: name, our annotations, node, requests, what decides whether it counts while it waits, and which pods it keeps away.</summary>
    internal static JsonObject Pod(JsonObject pod)
    {
        var metadata = pod.Object("metadata").Only("name", "namespace", "uid");
        var annotations = (pod.Object("metadata").Object("annotations") ?? []).Where(a => a.Key.StartsWith(OurAnnotations, StringComparison.Ordinal));
        metadata.Put("annotations", new JsonObject(annotations.Select(a => KeyValuePair.Create(a.Key, a.Value?.DeepClone()))));
        var spec = pod.Object("spec");
        return Object("Pod", metadata)
            .Put("spec", spec.Only("nodeName", "overhead", "schedulerName", "schedulingGates").Put("affinity", AntiAffinity(spec)).Put("resources", Resources(spec)).Put("initContainers", Containers(spec, "initContainers")).Put("containers", Containers(spec, "containers")))
            .Put("status", Resized(pod.Object("status")).With(pod.Object("status"), "phase")
                .Put("containerStatuses", Statuses(pod, "containerStatuses")).Put("initContainerStatuses", Statuses(pod, "initContainerStatuses"))
                .Put("conditions", List(pod.Object("status").Objects("conditions").Where(c => c.Text("type") == "PodResizePending").Select(c => c.Only("type", "reason")))));
    }

    /// <summary>A namespace: its name, and its labels, for which the anti-affinity of pods can ask.</summary>
    internal static JsonObject Namespace(JsonObject item) => Object("Namespace", item.Object("metadata").Only("name", "labels"));

    /// <summary>A priority class: its name, and what it gives pods.</summary>
    internal static JsonObject PriorityClass(JsonObject item) =>
        Object("PriorityClass", item.Object("metadata").Only("name"), "scheduling.k8s.io/v1").With(item.Only("value", "globalDefault", "preemptionPolicy"));

    /// <summary>A runtime class: its name, and what it adds to pods.</summary>
    internal static JsonObject RuntimeClass(JsonObject item) =>
        Object("RuntimeClass", item.Object("metadata").Only("name"), "node.k8s.io/v1").Put("overhead", item.Object("overhead").Only("podFixed"))
            .Put("scheduling", item.Object("scheduling").Only("nodeSelector", "tolerations"));

    /// <summary>The webhook's configuration: the sections on which decisions depend.</summary>
    /// <returns><see langword="null"/> when there is none, or it is not YAML.</returns>
    internal static JsonObject? Configuration(JsonObject configMap)
    {
        if (configMap.Object("data").Text(ConfigurationFile.ConfigMapKey) is not { } text)
        {
            return null;
        }

        try
        {
            using var reader = new StringReader(text);
            var kept = ((YamlSource.Read(reader) is [var first, ..] ? first.Root : null) as JsonObject).Only("placement", "training", "steps", "nodes");
            using var written = new StringWriter { NewLine = "\n" };
            YamlJson.Write(kept, written);
            return Object("ConfigMap", configMap.Object("metadata").Only("name", "namespace")).Put("data", new JsonObject { [ConfigurationFile.ConfigMapKey] = written.ToString() });
        }
        catch (YamlFaultException)
        {
            return null;
        }
    }

    static JsonArray List(IEnumerable<JsonObject> items) => new([.. items]);

    static JsonArray Containers(JsonObject? spec, string member) =>
        List(spec.Objects(member).Select(c => c.Only("name", "restartPolicy").Put("resources", Resources(c))));

    static JsonArray Statuses(JsonObject pod, string member) =>
        List(pod.Object("status").Objects(member).Where(s => s.Object("resources") is not null).Select(s => s.Only("name").With(Resized(s))));

    /// <summary>What a container or a pod has, and is promised, while it is resized.</summary>
    static JsonObject Resized(JsonObject? status)
    {
        var kept = new JsonObject();
        if (status.Object("resources") is { } resources)
        {
            kept = status.Only("allocatedResources");
            kept["resources"] = resources.Only("requests");
        }

        return kept;
    }

    static JsonObject AntiAffinity(JsonObject? spec) =>
        new JsonObject().Put("podAntiAffinity", spec.Object("affinity").Object("podAntiAffinity").Only("requiredDuringSchedulingIgnoredDuringExecution"));

    static JsonObject Resources(JsonObject? holder) => holder.Object("resources").Only("requests", "limits");

    static JsonObject Object(string kind, JsonObject metadata, string version = "v1") => new() { ["apiVersion"] = version, ["kind"] = kind, ["metadata"] = metadata };
}
