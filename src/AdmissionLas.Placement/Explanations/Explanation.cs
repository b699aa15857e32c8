namespace AdmissionLas.Placement;

/// <summary>A decision with everything that led to it: what became of every node, and how the default scheduler will weigh it.</summary>
/// <param name="Decision">What <see cref="PlacementEngine.Decide"/> decides for the same five.</param>
/// <param name="Request">What the scheduler will count the pod as, with the requests that it gets from us.</param>
/// <param name="Nodes">
/// Every node: for a predict step with a location by latency, those without one last; otherwise the largest first. Equal ones by name.
/// </param>
/// <param name="NotWeighed">What the scheduler also weighs and the webhook does not know.</param>
public sealed record Explanation(Decision Decision, Resources Request, IReadOnlyList<ExplainedNode> Nodes, IReadOnlyList<UnscoredFactor> NotWeighed)
{
    /// <summary>
    /// The nodes that get the most points of those that can run the pod now, as far as points are known; empty when none can. The scheduler
    /// picks one of several at random.
    /// </summary>
    public IReadOnlyList<NodeFacts> Leading { get; } = Lead(Nodes);

    static NodeFacts[] Lead(IReadOnlyList<ExplainedNode> nodes)
    {
        var most = nodes.Max(n => n.Points?.Total) ?? -1;
        return [.. nodes.Where(n => n.Points?.Total == most).Select(n => n.Node)];
    }
}

/// <summary>Something that the scheduler also weighs, and that nodes and pods alone do not tell.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Constraint">What in the pod it is about; <see langword="null"/> where the kind says all.</param>
public readonly record struct UnscoredFactor(UnscoredKind Kind, SchedulerConstraint? Constraint = null);

/// <summary>What the scheduler weighs beside the scores that are known here.</summary>
public enum UnscoredKind
{
    /// <summary>The author's preferred terms are too many to be compared.</summary>
    AuthorPreferences,

    /// <summary>The plugin PodTopologySpread.</summary>
    PodTopologySpread,

    /// <summary>The plugin InterPodAffinity.</summary>
    InterPodAffinity,

    /// <summary>The plugin NodeResourcesFit, where its strategy does not tell what it gives.</summary>
    ResourcesFit,

    /// <summary>Something in the pod can exclude nodes, and only the scheduler can tell which.</summary>
    SchedulerOnlyConstraint,

    /// <summary>In a large cluster the scheduler scores only some of the nodes.</summary>
    Sampling,
}

/// <summary>What became of one node in a decision.</summary>
public sealed record ExplainedNode
{
    /// <summary>The node.</summary>
    public required NodeFacts Node { get; init; }

    /// <summary>Its latency to the step's location, milliseconds; <see langword="null"/> when it has none or the step names no location.</summary>
    public double? LatencyMs { get; init; }

    /// <summary>The CPU and memory that it has left, never below zero.</summary>
    public Resources Free { get; init; }

    /// <summary>How many pods it may still take, never below zero.</summary>
    public long FreePods { get; init; }

    /// <summary>Whether it can run the pod now, or the first reason why not; <see langword="null"/> when the pod is too complex to be judged.</summary>
    public FilterResult? Now { get; init; }

    /// <summary>Whether it could run the pod if nothing else ran there; <see langword="null"/> as for <see cref="Now"/>.</summary>
    public FilterResult? Ever { get; init; }

    /// <summary>A PreferNoSchedule taint that the pod does not tolerate makes the scheduler avoid it.</summary>
    public bool IsAvoided { get; init; }

    /// <summary>The decision names it as the one that should win.</summary>
    public bool IsChosen { get; init; }

    /// <summary>The sum of the weights of the terms of our patch that match it; zero for none.</summary>
    public int Weight { get; init; }

    /// <summary>Whether the requirement of our patch lets the pod run there; <see langword="null"/> when the patch requires nothing.</summary>
    public bool? IsRequired { get; init; }

    /// <summary>What the scheduler gives it; <see langword="null"/> when its filters drop the node, for then it gives nothing.</summary>
    public SchedulerPoints? Points { get; init; }

    /// <summary>Whether the node's room alone is in the way: the pod would fit if others were gone.</summary>
    public bool IsFullNow => Now != FilterResult.CanRun && Ever == FilterResult.CanRun;
}

/// <summary>
/// The points that the default scheduler's plugins give a node, each from 0 to 100 times its weight
/// (https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins; weights as of v1beta3).
/// </summary>
/// <param name="NodeAffinity">For the preferred terms, the pod's own and ours: up to 200, and to 100 before Kubernetes 1.23.</param>
/// <param name="TaintToleration">For the fewest PreferNoSchedule taints that are not tolerated: up to 300.</param>
/// <param name="ResourcesFit">For the CPU and memory that would be left, or by another strategy used: up to 100.</param>
/// <param name="BalancedAllocation">For CPU and memory being used alike: up to 100.</param>
/// <param name="ImageLocality">For having the pod's images: up to 100.</param>
public readonly record struct SchedulerPoints(long NodeAffinity, long TaintToleration, long ResourcesFit, long BalancedAllocation, long ImageLocality)
{
    /// <summary>All of them together.</summary>
    public long Total => NodeAffinity + TaintToleration + ResourcesFit + BalancedAllocation + ImageLocality;
}
