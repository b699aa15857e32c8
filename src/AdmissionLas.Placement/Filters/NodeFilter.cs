namespace AdmissionLas.Placement;

/// <summary>Whether a node can run a pod, and if not, the first reason in the order of the checks.</summary>
public enum FilterResult
{
    /// <summary>It can.</summary>
    CanRun,

    /// <summary>The condition Ready is not True.</summary>
    NotReady,

    /// <summary>The node is cordoned.</summary>
    Cordoned,

    /// <summary>A NoSchedule or NoExecute taint is not tolerated.</summary>
    Tainted,

    /// <summary>The pod's nodeSelector asks for other labels.</summary>
    NodeSelector,

    /// <summary>The pod's required node affinity asks for other nodes.</summary>
    NodeAffinity,

    /// <summary>Too little CPU.</summary>
    Cpu,

    /// <summary>Too little memory.</summary>
    Memory,

    /// <summary>Too little of another resource, such as a GPU.</summary>
    OtherResource,

    /// <summary>The node holds as many pods as it may.</summary>
    PodCount,

    /// <summary>
    /// The node runs another operating system than the pod names. The scheduler does not look at it; the kubelet refuses the pod
    /// (https://kubernetes.io/docs/concepts/workloads/pods/#pod-os).
    /// </summary>
    OperatingSystem,

    /// <summary>The required anti-affinity of a pod there keeps the pod away.</summary>
    AntiAffinity,
}

/// <summary>
/// The default scheduler's filters that a webhook can apply with what it knows: NodeUnschedulable, TaintToleration, NodeAffinity,
/// NodeResourcesFit, and of InterPodAffinity what other pods require (https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins).
/// </summary>
public readonly struct NodeFilter
{
    /// <summary>
    /// The most tolerations, selector requirements and values that are compared with each node. No honest pod comes near it; without it
    /// one 4 MB pod could cost seconds on 5,000 nodes.
    /// </summary>
    public const int MaxComparisons = 4096;

    /// <summary>
    /// The most containers and amounts of resources by name that are added up. Nothing has validated the pod yet when a webhook sees it,
    /// and each name is compared with each node.
    /// </summary>
    public const int MaxAmounts = 1024;

    /// <summary>The label in which a kubelet names its operating system.</summary>
    public const string OperatingSystemKey = "kubernetes.io/os";

    readonly PodFacts pod;
    readonly ClusterUsage usage;

    /// <summary>Prepares the checks for a pod that asks for its <see cref="EffectiveRequest"/>.</summary>
    public NodeFilter(PodFacts pod, ClusterUsage usage)
        : this(pod, EffectiveRequest.Of(pod), usage)
    {
    }

    /// <summary>Prepares the checks for a pod as if it asked for <paramref name="request"/>.</summary>
    public NodeFilter(PodFacts pod, Resources request, ClusterUsage usage)
    {
        this.pod = pod;
        this.usage = usage;
        Request = request;
    }

    /// <summary>What the pod asks for, or would.</summary>
    public Resources Request { get; }

    /// <summary>Whether the pod stays within <see cref="MaxComparisons"/> and <see cref="MaxAmounts"/>.</summary>
    public static bool IsWithinLimits(PodFacts pod) => Comparisons(pod) <= MaxComparisons && Amounts(pod) <= MaxAmounts;

    static int Comparisons(PodFacts pod) => pod.Tolerations.Count + pod.NodeSelector.Count + Comparisons(pod.RequiredTerms);

    // A term that states nothing is looked at all the same.
    internal static int Comparisons(IReadOnlyList<NodeSelectorTerm>? terms) =>
        terms?.Sum(t => Math.Max(1, t.MatchExpressions.Sum(e => e.Values.Count + 1) + t.MatchFields.Sum(f => f.Values.Count + 1))) ?? 0;

    static int Amounts(PodFacts pod)
    {
        return Named(pod.PodRequests) + Named(pod.PodLimits) + Named(pod.Overhead) + InAll(pod.Containers.AsSpan()) + InAll(pod.InitContainers.AsSpan());

        static int InAll(ReadOnlySpan<ContainerFacts> containers)
        {
            var amounts = containers.Length;
            foreach (ref readonly var container in containers)
            {
                amounts += Named(container.Requests) + Named(container.Limits);
            }

            return amounts;
        }

        static int Named(Resources resources) => resources.Other?.Count ?? 0;
    }

    /// <summary>Whether the node could run the pod beside what is spoken for on it now.</summary>
    public FilterResult FitsNow(NodeFacts node) =>
        FilterState(node) is var state and not FilterResult.CanRun ? state
        : FilterPods(node) is var pods and not FilterResult.CanRun ? pods
        : FilterRoom(node, usage.On(node));

    /// <summary>Whether it could for sure: no anti-affinity that is not known may keep the pod away.</summary>
    public bool FitsForSure(NodeFacts node) => FitsNow(node) == FilterResult.CanRun && !MayRepel(node);

    /// <summary>Whether the node could run the pod if nothing else ran on it.</summary>
    public FilterResult FitsWhenEmpty(NodeFacts node) => FilterState(node) is var state and not FilterResult.CanRun ? state : FilterRoom(node, NodeUsage.None);

    /// <summary>What <see cref="FitsWhenEmpty"/> says of each node.</summary>
    public FilterResult[] AllWhenEmpty(IEnumerable<NodeFacts> nodes) => [.. nodes.Select(FitsWhenEmpty)];

    /// <summary>The CPU and memory that the node has left.</summary>
    public Resources FreeOn(NodeFacts node)
    {
        var used = usage.On(node).Requested;
        return new Resources(
            Math.Max(0, node.Allocatable.CpuMilliOrZero - used.CpuMilliOrZero), Math.Max(0, node.Allocatable.MemoryBytesOrZero - used.MemoryBytesOrZero));
    }

    /// <summary>
    /// Whether a PreferNoSchedule taint that the pod does not tolerate makes the scheduler avoid the node. It scores up to 300 points
    /// there against 200 for our affinity, so such a node does not win as long as another one fits.
    /// </summary>
    public bool IsAvoided(NodeFacts node) => AvoidingTaints(node) > 0;

    /// <summary>How many PreferNoSchedule taints of the node the pod does not tolerate; the scheduler avoids a node the more, the more there are.</summary>
    public int AvoidingTaints(NodeFacts node)
    {
        var count = 0;
        for (var i = 0; i < node.Taints.Count; i++)
        {
            count += node.Taints[i].Effect == TaintEffect.PreferNoSchedule && !node.Taints[i].IsToleratedBy(pod.Tolerations) ? 1 : 0;
        }

        return count;
    }

    /// <summary>How many pods that ask for the same have room for sure on the node beside what is spoken for there, counted up to <paramref name="most"/>.</summary>
    public long RoomOn(NodeFacts node, long most)
    {
        var used = usage.On(node);
        var room = MayRepel(node) ? 0 : Math.Min(most, node.AllocatablePods - used.Pods);
        room = Math.Min(room, Times(Request.CpuMilliOrZero, node.Allocatable.CpuMilliOrZero - used.Requested.CpuMilliOrZero));
        room = Math.Min(room, Times(Request.MemoryBytesOrZero, node.Allocatable.MemoryBytesOrZero - used.Requested.MemoryBytesOrZero));
        for (var i = 0; i < (Request.Other?.Count ?? 0); i++)
        {
            var (name, asked) = Request.Other![i];
            room = Math.Min(room, Times(asked, node.Allocatable.AmountOf(name) - used.Requested.AmountOf(name)));
        }

        return Math.Max(0, room);

        static long Times(long asked, long free) => asked <= 0 ? long.MaxValue : free / asked;
    }

    // All but the room. Most nodes that fall out do so here, before their usage is looked up.
    FilterResult FilterState(NodeFacts node) =>
        !node.IsReady ? FilterResult.NotReady
        : node.IsCordoned && !Taint.Cordoned.IsToleratedBy(pod.Tolerations) ? FilterResult.Cordoned
        : node.Taints.Any(pod, static (taint, pod) => taint.Effect != TaintEffect.PreferNoSchedule && !taint.IsToleratedBy(pod.Tolerations)) ? FilterResult.Tainted
        : pod.NodeSelector.Count > 0 && !MeetsNodeSelector(node) ? FilterResult.NodeSelector
        : pod.RequiredTerms?.Any(node, static (term, node) => term.Matches(node)) == false ? FilterResult.NodeAffinity
        : pod.OperatingSystem is { } named && node.Label(OperatingSystemKey) is { } actual && actual != named ? FilterResult.OperatingSystem
        : FilterResult.CanRun;

    FilterResult FilterPods(NodeFacts node) =>
        pod.RepelledFrom?.Contain(node) == true ? FilterResult.AntiAffinity : FilterResult.CanRun;

    bool MayRepel(NodeFacts node) => pod.MayBeRepelledFrom?.Contain(node) == true;

    FilterResult FilterRoom(NodeFacts node, NodeUsage used) =>
        !Fits(Request.CpuMilliOrZero, node.Allocatable.CpuMilliOrZero, used.Requested.CpuMilliOrZero) ? FilterResult.Cpu
        : !Fits(Request.MemoryBytesOrZero, node.Allocatable.MemoryBytesOrZero, used.Requested.MemoryBytesOrZero) ? FilterResult.Memory
        : !OthersFit(node.Allocatable, used.Requested) ? FilterResult.OtherResource
        : used.Pods >= node.AllocatablePods ? FilterResult.PodCount
        : FilterResult.CanRun;

    // A pod that asks for nothing fits even where more is spoken for than there is, as for the scheduler.
    static bool Fits(long asked, long allocatable, long used) => asked <= Math.Max(0, allocatable - used);

    bool MeetsNodeSelector(NodeFacts node) => pod.NodeSelector.All(label => node.Label(label.Key) == label.Value);

    bool OthersFit(Resources allocatable, Resources used) => Request.Other?.All((allocatable, used, pod.ClaimsDevices), static (asked, node) =>
        Fits(asked.Amount, node.allocatable.AmountOf(asked.Name), node.used.AmountOf(asked.Name)) ||
        (node.ClaimsDevices && asked.MayBeClaimed && node.allocatable.AmountOf(asked.Name) == 0)) ?? true;
}
