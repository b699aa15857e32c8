namespace AdmissionLas.Placement;

/// <summary>
/// The default scheduler's scores that can be worked out from nodes and pods alone, over the nodes that pass its filters.
/// </summary>
/// <remarks>
/// Sources: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins and
/// https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/ for NodeResourcesFit. BalancedAllocation is counted as by
/// Kubernetes 1.22 to 1.34: 100 less half the difference between the shares of CPU and memory in use.
/// </remarks>
/// <param name="pod">The pod as patched.</param>
/// <param name="preferences">Its preferred terms, ours among them.</param>
/// <param name="view">The nodes.</param>
/// <param name="usage">What is spoken for on them.</param>
/// <param name="nodeAffinityWeight">The weight of the plugin NodeAffinity.</param>
sealed class SchedulerScores(PodFacts pod, IReadOnlyList<PreferredTerm> preferences, ClusterView view, ClusterUsage usage, int nodeAffinityWeight)
{
    const int Best = 100;
    const int TaintTolerationWeight = 3;

    /// <summary>Below this many nodes the scheduler scores every node that passes its filters.</summary>
    const int ScoredWhole = 100;

    /// <summary>What LeastAllocated counts a container as that requests no CPU or memory, so that such pods are spread too.</summary>
    static readonly Resources NonZero = new(100, 200L << 20);

    readonly Resources request = EffectiveRequest.Of(pod);
    readonly SchedulerScore images = new(pod, EffectiveRequest.Of(pod), view, usage);
    readonly Resources nonZeroRequest = EffectiveRequest.Of(pod with
    {
        Containers = [.. pod.Containers.Select(c => c with { Requests = c.EffectiveRequest.Or(NonZero) })],
    });

    /// <summary>The nodes with their points.</summary>
    internal IReadOnlyList<ExplainedNode> AddTo(List<ExplainedNode> nodes)
    {
        long mostWeight = 0, mostTaints = 0;
        foreach (var node in nodes.Where(IsScored))
        {
            mostWeight = Math.Max(mostWeight, WeightOf(node.Node));
            mostTaints = Math.Max(mostTaints, TaintsOf(node.Node));
        }

        return [.. nodes.Select(n => !IsScored(n) ? n : n with
        {
            Points = new SchedulerPoints(
                mostWeight == 0 ? 0 : nodeAffinityWeight * (Best * WeightOf(n.Node) / mostWeight),
                TaintTolerationWeight * (mostTaints == 0 ? Best : Best - (Best * TaintsOf(n.Node) / mostTaints)),
                LeastAllocated(n.Node),
                BalancedAllocation(n.Node),
                (long)images.ImageLocality(n.Node)),
        })];
    }

    /// <summary>What the scheduler weighs and we cannot.</summary>
    internal static IReadOnlyList<string> NotWeighed(PodFacts pod, ClusterView view)
    {
        List<string> unknown =
        [
            "PodTopologySpread (up to 200: pods of the same Service or owner)",
            "InterPodAffinity (up to 200: the pod's and other pods' affinity)",
            "pods there that request nothing, which LeastAllocated counts as 100m CPU and 200Mi each",
        ];
        if (pod.SchedulerOnlyConstraint is { } unseen)
        {
            unknown.Add($"its filters for the pod's {unseen}, which can drop nodes");
        }

        if (view.Nodes.Count > ScoredWhole)
        {
            unknown.Add("which part of the nodes it looks at: above 100 it does not score them all");
        }

        return unknown;
    }

    // The scheduler scores what passed its filters, and a pin of ours is one of them.
    static bool IsScored(ExplainedNode node) => node.Now == FilterResult.CanRun && node.IsRequired != false;

    long WeightOf(NodeFacts node) => preferences.Where(t => t.Preference.Matches(node)).Sum(t => (long)t.Weight);

    long TaintsOf(NodeFacts node) => node.Taints.Count(t => t.Effect == TaintEffect.PreferNoSchedule && !t.IsToleratedBy(pod.Tolerations));

    long LeastAllocated(NodeFacts node)
    {
        var requested = usage.On(node).Requested.Plus(nonZeroRequest);
        long sum = 0, resources = 0;
        foreach (var (asked, has) in Pairs(requested, node).Where(p => p.Has > 0))
        {
            resources++;
            sum += asked > has ? 0 : (long)((Int128)(has - asked) * Best / has);
        }

        return resources == 0 ? 0 : sum / resources;
    }

    long BalancedAllocation(NodeFacts node)
    {
        var requested = usage.On(node).Requested.Plus(request);
        double[] shares = [.. Pairs(requested, node).Where(p => p.Has > 0).Select(p => Math.Min(1, (double)p.Asked / p.Has))];
        return (long)((1 - (shares.Length < 2 ? 0 : Math.Abs(shares[0] - shares[1]) / 2)) * Best);
    }

    static (long Asked, long Has)[] Pairs(Resources requested, NodeFacts node) =>
        [(requested.CpuMilliOrZero, node.Allocatable.CpuMilliOrZero), (requested.MemoryBytesOrZero, node.Allocatable.MemoryBytesOrZero)];
}
