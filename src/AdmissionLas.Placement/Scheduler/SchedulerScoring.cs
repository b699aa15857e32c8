using System.Collections.Immutable;

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

    /// <summary>The points for load, balance and images: NodeResourcesFit, NodeResourcesBalancedAllocation and ImageLocality.</summary>
    /// <param name="node">The node.</param>
    /// <param name="others">As if so many more pods like this one were there.</param>
    internal LoadPoints LoadScore(NodeFacts node, long others = 0)
    {
        var used = usage.On(node);
        var (cpu, memory) = Shares(used.Scored, scoredRequest, node, 1 + others);
        var allocated = MaxScore * (cpu + memory) / 2;
        var (leastFit, mostFit) = strategy switch
        {
            ScoringStrategy.LeastAllocated => (MaxScore - allocated, MaxScore - allocated),
            ScoringStrategy.MostAllocated => (allocated, allocated),
            _ => (0, MaxScore),
        };
        var with = Shares(used.Requested, request, node, 1 + others);
        var balanced = Deviation(with);
        return new LoadPoints(
            leastFit,
            mostFit,
            new ByRelease(
                Balance((cpu, memory)), Balance(with), balanced, (MaxScore / 2) + (((MaxScore / 2) + balanced - Deviation(Shares(used.Requested, request, node, others))) / 2)),
            Images(node));

        // Until 1.22, and since.
        static double Balance((double Cpu, double Memory) shares) => shares is { Cpu: >= 1 } or { Memory: >= 1 } ? 0 : MaxScore * (1 - Math.Abs(shares.Cpu - shares.Memory));
        static double Deviation((double Cpu, double Memory) shares) => MaxScore * (1 - (Math.Abs(shares.Cpu - shares.Memory) / 2));
    }

    static (double Cpu, double Memory) Shares(Resources used, Resources asked, NodeFacts node, long pods)
    {
        return (
            Share(used.CpuMilliOrZero, asked.CpuMilliOrZero, node.Allocatable.CpuMilliOrZero, pods),
            Share(used.MemoryBytesOrZero, asked.MemoryBytesOrZero, node.Allocatable.MemoryBytesOrZero, pods));

        static double Share(long used, long asked, long allocatable, long pods) =>
            allocatable <= 0 ? 1 : Math.Min(1, (used + (pods * (double)asked)) / allocatable);
    }

    /// <summary>The points for having the pod's images, 0 to 100, as current releases count them.</summary>
    internal double ImageLocality(NodeFacts node) => Images(node).Newest;

    // An image counts for its size times the share of the nodes that have it, so that a rare one does not draw all pods to one node. Until 1.20 the
    // pod's images share one most, since then each container adds to it, and since 1.30 its init containers count too.
    ByRelease Images(NodeFacts node)
    {
        var bytes = Bytes(pod.Containers, node, view);
        // A pod without containers is one that the API server refuses.
        var each = Points(bytes, Math.Max(1, pod.Containers.Length));
        var all = pod.InitContainers.IsEmpty ? each : Points(bytes + Bytes(pod.InitContainers, node, view), Math.Max(1, pod.Containers.Length) + pod.InitContainers.Length);
        return new ByRelease(Points(bytes, 1), each, all, all);

        static double Bytes(ImmutableArray<ContainerFacts> containers, NodeFacts node, ClusterView view)
        {
            var bytes = 0.0;
            foreach (ref readonly var container in containers.AsSpan())
            {
                if (node.Images.BytesOf(container.Image) is > 0 and var size)
                {
                    bytes += size * view.ShareWithImage(container.Image);
                }
            }

            return bytes;
        }

        static double Points(double bytes, int containers) =>
            MaxScore * (Math.Clamp(bytes, MinImageBytes, MaxImageBytes * containers) - MinImageBytes) / ((MaxImageBytes * containers) - MinImageBytes);
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

/// <summary>What a node gets for load, balance and images, by all that it may depend on.</summary>
/// <param name="LeastFit">The least for load: where the strategy is not known it may be anything.</param>
/// <param name="MostFit">The most for load.</param>
/// <param name="Balance">
/// For CPU and memory being used alike. Until 1.21 containers without requests count as they do for load, until 1.22 a lopsided node loses
/// twice what it loses later, since 1.35 what counts is whether the pod makes it better or worse.
/// </param>
/// <param name="Images">For having the pod's images.</param>
readonly record struct LoadPoints(double LeastFit, double MostFit, ByRelease Balance, ByRelease Images)
{
    /// <summary>What no node gets more than.</summary>
    internal static LoadPoints Best { get; } = new(
        SchedulerScoring.MaxScore, SchedulerScoring.MaxScore, ByRelease.All(SchedulerScoring.MaxScore), ByRelease.All(SchedulerScoring.MaxScore));

    /// <summary>The most that the node can get.</summary>
    internal double Most => MostFit + Balance.Max + Images.Max;

    /// <summary>By how much the node leads at most, whatever the strategy and the scheduler's release.</summary>
    /// <param name="other">What the other node gets.</param>
    internal double MostAbove(in LoadPoints other) => MostFit - other.LeastFit + Balance.MostAbove(other.Balance) + Images.MostAbove(other.Images);

    /// <summary>The same, whichever of two it is that the other gets.</summary>
    internal double MostAbove(in LoadPoints one, in LoadPoints other) => Math.Max(MostAbove(one), MostAbove(other));
}

/// <summary>The points of a plugin as the scheduler's releases count them; where there are fewer ways, some are the same.</summary>
readonly record struct ByRelease(double Oldest, double Older, double Newer, double Newest)
{
    internal static ByRelease All(double points) => new(points, points, points, points);

    internal double Max => Math.Max(Math.Max(Oldest, Older), Math.Max(Newer, Newest));

    /// <summary>The greatest lead: both nodes are counted by the same release.</summary>
    internal double MostAbove(in ByRelease other) => new ByRelease(Oldest - other.Oldest, Older - other.Older, Newer - other.Newer, Newest - other.Newest).Max;
}
