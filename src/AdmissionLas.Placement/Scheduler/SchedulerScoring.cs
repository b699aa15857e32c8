namespace AdmissionLas.Placement;

/// <summary>
/// The default scheduler's scores, as far as nodes and pods alone tell them. Decisions compare nodes by <see cref="LoadScore"/>,
/// explanations show the plugins' scores one by one.
/// </summary>
/// <remarks>
/// <para>
/// Sources: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins, and for NodeResourcesFit
/// https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/.
/// </para>
/// <para>Not counted: what depends on other pods, such as pod affinity and spread.</para>
/// </remarks>
/// <param name="pod">The pod as patched.</param>
/// <param name="view">The nodes.</param>
/// <param name="usage">What their pods use.</param>
readonly struct SchedulerScoring(PodFacts pod, ClusterView view, ClusterUsage usage)
{
    /// <summary>The most that a plugin gives, before its weight.</summary>
    internal const int MaxScore = 100;

    // ImageLocality gives nothing for images below the one size and no more for those above the other.
    const double MinImageBytes = 23 << 20;
    const double MaxImageBytes = 1000 << 20;

    /// <summary>What a container that requests no CPU or memory is counted as for scores, so that such pods are spread too.</summary>
    static readonly Resources Unstated = new(100, 200L << 20);

    readonly Resources scoredRequest = EffectiveRequest.Of(pod, Unstated);

    /// <summary>
    /// The points for load, balance and images, 0 to 300: NodeResourcesFit (least allocated), NodeResourcesBalancedAllocation and ImageLocality.
    /// </summary>
    /// <remarks>
    /// Balance is counted as before Kubernetes 1.23, where a lopsided node loses twice what it loses since: a node that leads by that count leads by
    /// the other too.
    /// </remarks>
    /// <param name="node">The node.</param>
    /// <param name="others">As if so many more pods like this one were there.</param>
    internal double LoadScore(NodeFacts node, long others = 0)
    {
        var used = usage.On(node).Requested;
        var cpu = Share(used.CpuMilliOrZero, scoredRequest.CpuMilliOrZero, node.Allocatable.CpuMilliOrZero, others);
        var memory = Share(used.MemoryBytesOrZero, scoredRequest.MemoryBytesOrZero, node.Allocatable.MemoryBytesOrZero, others);
        var least = MaxScore * (1 - ((cpu + memory) / 2));
        var balanced = cpu >= 1 || memory >= 1 ? 0 : MaxScore * (1 - Math.Abs(cpu - memory));
        return least + balanced + ImageLocality(node);

        static double Share(long used, long asked, long allocatable, long others) =>
            allocatable <= 0 ? 1 : Math.Min(1, (used + ((1 + others) * (double)asked)) / allocatable);
    }

    /// <summary>The points for having the pod's images, 0 to 100.</summary>
    // An image counts for its size times the share of the nodes that have it, so that a rare one does not draw all pods to one node.
    internal double ImageLocality(NodeFacts node)
    {
        var bytes = 0.0;
        foreach (ref readonly var container in pod.Containers.AsSpan())
        {
            if (node.Images.BytesOf(container.Image) is > 0 and var size)
            {
                bytes += size * view.ShareWithImage(container.Image);
            }
        }

        return MaxScore * (Math.Clamp(bytes, MinImageBytes, MaxImageBytes) - MinImageBytes) / (MaxImageBytes - MinImageBytes);
    }

    /// <summary>The points for the CPU and memory that would be left, 0 to 100.</summary>
    internal long LeastAllocated(NodeFacts node)
    {
        var shares = Pairs(usage.On(node).Requested.Plus(scoredRequest), node)
            .Select(p => p.Asked > p.Has ? 0 : (long)((Int128)(p.Has - p.Asked) * MaxScore / p.Has)).ToArray();
        return shares.Length == 0 ? 0 : shares.Sum() / shares.Length;
    }

    /// <summary>The points for CPU and memory being used alike, 0 to 100; as Kubernetes 1.22 to 1.34 counts them.</summary>
    internal long BalancedAllocation(NodeFacts node)
    {
        double[] shares = [.. Pairs(usage.On(node).Requested.Plus(EffectiveRequest.Of(pod)), node).Select(p => Math.Min(1, (double)p.Asked / p.Has))];
        return (long)((1 - (shares.Length < 2 ? 0 : Math.Abs(shares[0] - shares[1]) / 2)) * MaxScore);
    }

    static IEnumerable<(long Asked, long Has)> Pairs(Resources requested, NodeFacts node) =>
        new[] { (requested.CpuMilliOrZero, Has: node.Allocatable.CpuMilliOrZero), (requested.MemoryBytesOrZero, Has: node.Allocatable.MemoryBytesOrZero) }
            .Where(p => p.Has > 0);
}
