namespace AdmissionLas.Tests.Support;

/// <summary>Nodes as tests write them; what a test does not name is unremarkable: Ready, roomy, its host name its name.</summary>
static class Nodes
{
    internal const string Gpu = "nvidia.com/gpu";

    internal static NodeFacts Named(
        string name,
        string cpu = "4",
        string memory = "16Gi",
        (string Location, string Latency)[]? latencies = null,
        (string Key, string Value)[]? labels = null,
        long gpus = 0,
        params Taint[] taints)
    {
        var all = new Dictionary<string, string> { [NodeSelectorTerm.HostnameKey] = name };
        foreach (var (key, value) in (latencies ?? []).Concat(labels ?? []))
        {
            all[key] = value;
        }

        return new NodeFacts
        {
            Name = name,
            IsReady = true,
            Allocatable = gpus == 0 ? Amounts.Of(cpu, memory) : Amounts.Of(cpu, memory, (Gpu, gpus)),
            AllocatablePods = 110,
            Taints = taints,
        }.WithLabels(all);
    }

    /// <summary>A node at this many milliseconds from the location "here".</summary>
    internal static NodeFacts At(string latency, string name, string cpu = "4", params Taint[] taints) =>
        Named(name, cpu, latencies: [("here", latency)], taints: taints);

    internal static NodeFacts Labelled(this NodeFacts node, string key, string value) =>
        node.WithLabels(new Dictionary<string, string>(node.Labels) { [key] = value });

    internal static NodeFacts Without(this NodeFacts node, string key) =>
        node.WithLabels(node.Labels.Where(l => l.Key != key).ToDictionary());

    /// <summary>The node with these labels, and the latencies that they state.</summary>
    internal static NodeFacts WithLabels(this NodeFacts node, IReadOnlyDictionary<string, string> labels) =>
        (node with { Labels = labels }).WithLatenciesOf(LatencyLabels.All);

    internal static ClusterView View(params NodeFacts[] nodes) => new(nodes);

    /// <summary>The decision on a pod, by the rules and the policy as they are out of the box unless others are given.</summary>
    internal static Decision Decide(this ClusterView view, PodFacts pod, PlacementPolicy? policy = null, StepRules? rules = null, ClusterUsage? usage = null) =>
        PlacementEngine.Decide((rules ?? new StepRules()).Classify(pod), pod, view, usage ?? ClusterUsage.Unknown, policy ?? new PlacementPolicy());
}
