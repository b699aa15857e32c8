namespace AdmissionLas.Tests.Support;

/// <summary>
/// Nodes with the pods that are bound to them, as the default scheduler sees them. To the filters of <see cref="DefaultScheduler"/> it adds those
/// that need the other pods or the volumes, and preemption. It knows no part of ours: pods are JSON.
/// Sources: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins (NodePorts, VolumeBinding, InterPodAffinity),
/// https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity and
/// https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/.
/// </summary>
/// <param name="nodes">The nodes.</param>
/// <param name="pods">The pods on them.</param>
/// <param name="claims">By the name of a claim the nodes that reach its volume.</param>
sealed class ScheduledCluster(NodeFacts[] nodes, JsonObject[] pods, IReadOnlyDictionary<string, string[]> claims)
{
    /// <summary>A label that a namespaceSelector can ask for, by namespace.</summary>
    internal static readonly IReadOnlyDictionary<string, string> TeamOf = new Dictionary<string, string> { ["kubeflow"] = "a", ["other"] = "b" };

    readonly Running[] running = [.. pods.Where(p => p["status"]?["phase"]?.GetValue<string>() is not ("Succeeded" or "Failed")).Select(p => new Running(p))];

    /// <summary>What the pods on each node count as, for filters and for scores.</summary>
    internal ClusterUsage Usage => Usages.Of([.. running.GroupBy(r => r.Node).Select(g => (g.Key, UsageOf(g)))]);

    /// <summary>
    /// The nodes on one of which the pod runs, and whether it evicts others for that. The scheduler looks for pods to evict only where no node passes
    /// its filters, and then on one node. A kubelet refuses a pod of another operating system.
    /// </summary>
    internal (NodeFacts[] Nodes, bool Evicts) Fate(JsonObject pod)
    {
        var now = Able(pod, _ => running);
        if (now.Length > 0 || pod["spec"]!["preemptionPolicy"]?.GetValue<string>() == "Never")
        {
            return (now, false);
        }

        var priority = PriorityOf(pod);
        return (Able(pod, node => running.Where(r => r.Node != node.Name || r.Priority >= priority)), true);
    }

    NodeFacts[] Able(JsonObject pod, Func<NodeFacts, IEnumerable<Running>> present)
    {
        var own = new Running(pod);
        return [.. nodes.Where(n => CanRun(own, n, [.. present(n)]))];
    }

    bool CanRun(Running pod, NodeFacts node, Running[] present)
    {
        var there = present.Where(r => r.Node == node.Name).ToArray();
        return DefaultScheduler.CanRun(pod.Pod, node, UsageOf(there)) &&
            (pod.Pod["spec"]!["os"]?["name"]?.GetValue<string>() is not { } system || node.Label("kubernetes.io/os") is not { } actual || actual == system) &&
            !there.Any(r => r.HostPorts.Intersect(pod.HostPorts).Any()) &&
            pod.Claims.All(c => claims[c].Contains(node.Name)) &&
            !present.Any(r => r.KeepsAway(pod, PlaceOf(r), node) || pod.KeepsAway(r, node, PlaceOf(r)));
    }

    NodeFacts PlaceOf(Running pod) => nodes.First(n => n.Name == pod.Node);

    static NodeUsage UsageOf(IEnumerable<Running> pods) => new(Sum(pods, p => p.Request), pods.Count()) { Scored = Sum(pods, p => p.Scored) };

    static Resources Sum(IEnumerable<Running> pods, Func<Running, Dictionary<string, decimal>> amounts)
    {
        decimal Of(string name) => pods.Sum(p => amounts(p).GetValueOrDefault(name));
        return new Resources((long)(1000 * Of("cpu")), (long)Of("memory"), [new(Nodes.Gpu, (long)Of(Nodes.Gpu))]);
    }

    static int PriorityOf(JsonObject pod) => pod["spec"]!["priority"]?.GetValue<int>() ?? 0;

    /// <summary>A pod, and what of it concerns others.</summary>
    sealed record Running(JsonObject Pod)
    {
        readonly JsonNode[] antiAffinity = [.. Items(Pod["spec"]!["affinity"]?["podAntiAffinity"]?["requiredDuringSchedulingIgnoredDuringExecution"])];

        internal string Node { get; } = Pod["spec"]!["nodeName"]?.GetValue<string>() ?? "";

        internal string Namespace { get; } = Pod["metadata"]!["namespace"]?.GetValue<string>() ?? "kubeflow";

        internal int Priority { get; } = PriorityOf(Pod);

        internal Dictionary<string, decimal> Request { get; } = DefaultScheduler.Request(Pod);

        internal Dictionary<string, decimal> Scored { get; } = DefaultScheduler.ScoredRequest(Pod);

        /// <summary>Init containers that end hold no port beside those that run.</summary>
        internal int[] HostPorts { get; } =
        [
            .. Items(Pod["spec"]!["containers"]).Concat(Items(Pod["spec"]!["initContainers"]).Where(c => c["restartPolicy"]?.GetValue<string>() == "Always"))
                .SelectMany(c => Items(c["ports"])).Select(p => p["hostPort"]?.GetValue<int>() ?? 0).Where(p => p > 0),
        ];

        internal string[] Claims { get; } = [.. Items(Pod["spec"]!["volumes"]).Select(v => v["persistentVolumeClaim"]?["claimName"]?.GetValue<string>()).OfType<string>()];

        /// <summary>Whether this pod in its place keeps the other from a place. A node without the topology key is no place.</summary>
        internal bool KeepsAway(Running other, NodeFacts place, NodeFacts from) => antiAffinity.Any(t =>
            place.Label(t["topologyKey"]!.GetValue<string>()) is { } value && from.Label(t["topologyKey"]!.GetValue<string>()) == value &&
            IsAbout(t, other.Namespace) && IsSelected(t["labelSelector"], key => other.Pod["metadata"]!["labels"]?[key]?.GetValue<string>()));

        bool IsAbout(JsonNode term, string @namespace)
        {
            var named = Items(term["namespaces"]).Select(n => n.GetValue<string>()).ToArray();
            return named.Contains(@namespace) || (term["namespaceSelector"] is { } selector
                ? IsSelected(selector, key => key == "kubernetes.io/metadata.name" ? @namespace : TeamOf[@namespace])
                : named.Length == 0 && @namespace == Namespace);
        }

        static bool IsSelected(JsonNode? selector, Func<string, string?> label) =>
            selector is not null && (selector["matchLabels"] as JsonObject ?? []).All(l => label(l.Key) == l.Value!.GetValue<string>()) &&
            Items(selector["matchExpressions"]).All(e => DefaultScheduler.IsMet(e, label(e["key"]!.GetValue<string>())));

        static IEnumerable<JsonNode> Items(JsonNode? list) => (list as JsonArray ?? []).Select(i => i!);
    }
}
