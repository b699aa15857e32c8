namespace AdmissionLas.Placement;

/// <summary>How the scheduler's plugin NodeResourcesFit gives its points; by default for what a node would have left.</summary>
/// <remarks>Source: https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/.</remarks>
public enum ScoringStrategy
{
    /// <summary>The emptiest node gets most.</summary>
    LeastAllocated,

    /// <summary>The fullest node gets most.</summary>
    MostAllocated,

    /// <summary>By a curve that is the scheduler's own: any node may get most.</summary>
    RequestedToCapacityRatio,

    /// <summary>It is not known: any node may get most.</summary>
    Unknown,
}

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
/// <param name="strategy">How NodeResourcesFit counts.</param>
readonly struct SchedulerScoring(PodFacts pod, ClusterView view, ClusterUsage usage, ScoringStrategy strategy)
{
    /// <summary>The most that a plugin gives, before its weight.</summary>
    internal const int MaxScore = 100;

    // ImageLocality gives nothing for images below the one size and no more for those above the other.
    const double MinImageBytes = 23 << 20;
    const double MaxImageBytes = 1000 << 20;

    readonly Resources request = EffectiveRequest.Of(pod);
    readonly Resources scoredRequest = EffectiveRequest.Scored(pod);

    /// <summary>
    /// The points for load, balance and images, 0 to 300: NodeResourcesFit, NodeResourcesBalancedAllocation and ImageLocality. Between the two ends
    /// lies what the strategy or the scheduler's version decides.
    /// </summary>
    /// <remarks>
    /// Balance is counted as before Kubernetes 1.23, where a lopsided node loses twice what it loses since: a node that leads by that count leads by
    /// the other too. Until 1.21 it counted containers without requests as NodeResourcesFit does.
    /// </remarks>
    /// <param name="node">The node.</param>
    /// <param name="others">As if so many more pods like this one were there.</param>
    internal (double Least, double Most) LoadScore(NodeFacts node, long others = 0)
    {
        var used = usage.On(node);
        var (cpu, memory) = Shares(used.Scored, scoredRequest, node, others);
        var allocated = MaxScore * (cpu + memory) / 2;
        var (leastFit, mostFit) = strategy switch
        {
            ScoringStrategy.LeastAllocated => (MaxScore - allocated, MaxScore - allocated),
            ScoringStrategy.MostAllocated => (allocated, allocated),
            _ => (0, MaxScore),
        };
        var balances = (Then: Balance(cpu, memory), Now: Balance(Shares(used.Requested, request, node, others)));
        var images = ImageLocality(node);
        return (leastFit + Math.Min(balances.Then, balances.Now) + images, mostFit + Math.Max(balances.Then, balances.Now) + images);
    }

    static double Balance((double Cpu, double Memory) shares) => Balance(shares.Cpu, shares.Memory);

    static double Balance(double cpu, double memory) => cpu >= 1 || memory >= 1 ? 0 : MaxScore * (1 - Math.Abs(cpu - memory));

    static (double Cpu, double Memory) Shares(Resources used, Resources asked, NodeFacts node, long others)
    {
        return (
            Share(used.CpuMilliOrZero, asked.CpuMilliOrZero, node.Allocatable.CpuMilliOrZero, others),
            Share(used.MemoryBytesOrZero, asked.MemoryBytesOrZero, node.Allocatable.MemoryBytesOrZero, others));

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

    /// <summary>The points for the CPU and memory that would be left or used, 0 to 100; <see langword="null"/> when the strategy does not tell.</summary>
    internal long? ResourcesFit(NodeFacts node)
    {
        if (strategy is not (ScoringStrategy.LeastAllocated or ScoringStrategy.MostAllocated))
        {
            return null;
        }

        var isLeast = strategy == ScoringStrategy.LeastAllocated;
        var shares = Pairs(usage.On(node).Scored.Plus(scoredRequest), node)
            .Select(p => isLeast ? Math.Max(0, p.Has - p.Asked) * (Int128)MaxScore / p.Has : Math.Min(p.Asked, p.Has) * (Int128)MaxScore / p.Has).ToArray();
        return shares.Length == 0 ? 0 : (long)shares.Aggregate((a, b) => a + b) / shares.Length;
    }

    /// <summary>The points for CPU and memory being used alike, 0 to 100; as Kubernetes 1.22 to 1.34 counts them.</summary>
    internal long BalancedAllocation(NodeFacts node)
    {
        double[] shares = [.. Pairs(usage.On(node).Requested.Plus(request), node).Select(p => Math.Min(1, (double)p.Asked / p.Has))];
        return (long)((1 - (shares.Length < 2 ? 0 : Math.Abs(shares[0] - shares[1]) / 2)) * MaxScore);
    }

    static IEnumerable<(long Asked, long Has)> Pairs(Resources requested, NodeFacts node) =>
        new[] { (requested.CpuMilliOrZero, Has: node.Allocatable.CpuMilliOrZero), (requested.MemoryBytesOrZero, Has: node.Allocatable.MemoryBytesOrZero) }
            .Where(p => p.Has > 0);
}
