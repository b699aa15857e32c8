namespace AdmissionLas.Placement;

/// <summary>Why a step goes where it goes, or nowhere, as data. <see cref="IDecisionText"/> puts it into words.</summary>
public abstract record Reason;

/// <summary>The step belongs near a location and names none.</summary>
/// <param name="KnownLocations">The locations that exist, in ordinal order.</param>
public sealed record LocationMissing(IReadOnlyList<string> KnownLocations) : Reason;

/// <summary>No node has a latency to the step's location.</summary>
/// <param name="Location">The location.</param>
/// <param name="IsValidName">Whether a label can name it, so that a node could have a latency to it.</param>
/// <param name="Closest">The location that was most likely meant; <see langword="null"/> when none is close.</param>
/// <param name="KnownLocations">The locations that exist, in ordinal order.</param>
public sealed record LocationUnknown(string Location, bool IsValidName, string? Closest, IReadOnlyList<string> KnownLocations) : Reason
{
    /// <summary>What an admin's latency labels start with.</summary>
    public string LabelPrefix { get; init; } = LatencyLabels.Prefix;
}

/// <summary>No node that counts could run the pod, even if nothing else ran there.</summary>
/// <param name="Location">The location to which the nodes have a latency; <see langword="null"/> where every node counts.</param>
/// <param name="Results">Why, for each node that counts.</param>
public sealed record NoNodeFits(string? Location, IReadOnlyList<FilterResult> Results) : Reason;

/// <summary>The pod states more than the filters compare.</summary>
public sealed record PodTooComplex : Reason;

/// <summary>The nearest of the nodes that can run the pod; <see cref="Decision.Candidates"/> has them in order.</summary>
public sealed record NearestNodes : Reason
{
    /// <summary>The only one: it says nothing more.</summary>
    public static NearestNodes Instance { get; } = new();
}

/// <summary>Some nodes are preferred because of what they are.</summary>
/// <param name="Class">What they are.</param>
/// <param name="Selector">The labels that tell them; <see langword="null"/> when they are named one by one or there is no preference.</param>
/// <param name="Named">The nodes, when they are named one by one.</param>
public sealed record PreferredNodes(NodeClass Class, NodeSelectorTerm? Selector, IReadOnlyList<NodeFacts> Named) : Reason;

/// <summary>What preferred nodes have in common.</summary>
public enum NodeClass
{
    /// <summary>The admin's selector for cloud nodes matches them.</summary>
    Cloud,

    /// <summary>They are about as large as the largest node that can run the pod.</summary>
    TopCapacity,

    /// <summary>Nothing is preferred: all nodes are of one size.</summary>
    EveryNodeAlike,
}

/// <summary>Why a pod is merely preferred where its mode asks for more.</summary>
public enum SofteningCause
{
    /// <summary>None of the near nodes has room now, or other pods keep the pod away from them.</summary>
    NoRoomNow,

    /// <summary>Something in the pod can exclude nodes, and only the scheduler can tell which.</summary>
    SchedulerOnlyConstraint,

    /// <summary>The pod is gated: until its gates are removed its node selector and affinity may be narrowed.</summary>
    Gated,

    /// <summary>Another scheduler places the pod, by rules that are not known.</summary>
    OtherScheduler,

    /// <summary>Required anti-affinity of other pods may keep the pod away from the nearest node, and not all of it is known.</summary>
    UnknownAntiAffinity,

    /// <summary>The nearest node has no host name label of its own, so that a requirement could not name it.</summary>
    NoOwnHostname,

    /// <summary>No other node could stand by: a requirement would gain nothing.</summary>
    NoStandby,

    /// <summary>No other node could stand by for what the pod's author prefers: the scheduler would follow that.</summary>
    OwnPreferences,

    /// <summary>The pod has a priority, and where the near nodes fill up the scheduler would evict other pods for it.</summary>
    CanPreempt,

    /// <summary>No node within the latency that the step allows could ever run it.</summary>
    BeyondMaxLatency,
}

/// <summary>That a pod is merely preferred where its mode asks for more.</summary>
/// <param name="Cause">Why.</param>
/// <param name="Constraint">What only the scheduler can judge, where that is the cause.</param>
/// <param name="NodeName">The node without a host name of its own, where that is the cause.</param>
public sealed record Softening(SofteningCause Cause, SchedulerConstraint? Constraint = null, string? NodeName = null);

/// <summary>What a node of a decision is there for.</summary>
public enum CandidateRole
{
    /// <summary>The node that should win.</summary>
    Chosen,

    /// <summary>It is at the latency of the chosen node.</summary>
    AsNear,

    /// <summary>It is near too, and replicas spread over all of these.</summary>
    Near,

    /// <summary>The scheduler will not pick it as long as the chosen node is there.</summary>
    Standby,

    /// <summary>It comes next by latency.</summary>
    NextNearest,
}

/// <summary>A node that a decision names.</summary>
/// <param name="Node">The node.</param>
/// <param name="LatencyMs">Its latency to the step's location, milliseconds.</param>
/// <param name="Role">What it is there for.</param>
public readonly record struct Candidate(NodeFacts Node, double LatencyMs, CandidateRole Role);

/// <summary>Something that the pod's author should know, as data. <see cref="IDecisionText"/> puts it into words.</summary>
public abstract record Notice;

/// <summary>A label or annotation names no kind of step, and is close to a word that does.</summary>
/// <param name="Rule">The label or annotation.</param>
/// <param name="Word">What it says.</param>
/// <param name="Closest">The word that was most likely meant.</param>
public sealed record UnknownStepType(string Rule, string Word, string Closest) : Notice;

/// <summary>The annotation <see cref="PodHints.PlacementKey"/> names no mode.</summary>
/// <param name="Word">What it says.</param>
/// <param name="Used">The mode that is used instead.</param>
public sealed record UnknownPlacementMode(string Word, PlacementMode Used) : Notice;

/// <summary>The annotation <see cref="PodHints.SpreadKey"/> names no way to spread.</summary>
/// <param name="Word">What it says.</param>
/// <param name="Used">What is done instead.</param>
public sealed record UnknownSpread(string Word, SpreadMode Used) : Notice;

/// <summary>The annotation <see cref="PodHints.RequestsKey"/> says neither on nor off.</summary>
/// <param name="Word">What it says.</param>
/// <param name="Used">What is done instead.</param>
public sealed record UnknownTrainingRequests(string Word, TrainingRequests Used) : Notice;

/// <summary>
/// The requests that the pod gets change its QoS class from BestEffort to Burstable. A ResourceQuota can count the two apart and have no room for
/// the second (https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-scopes).
/// </summary>
public sealed record NoLongerBestEffort : Notice;

/// <summary>The nearest node that can run the step and is not avoided is farther than it allows.</summary>
/// <param name="LatencyMs">The latency of that node, milliseconds.</param>
/// <param name="MaxLatencyMs">The bound, milliseconds.</param>
/// <param name="AvoidedMs">The latency of a nearer one, which the scheduler avoids for a taint; <see langword="null"/> where there is none.</param>
public sealed record BeyondMaxLatency(double LatencyMs, double MaxLatencyMs, double? AvoidedMs = null) : Notice;

/// <summary>The annotation <see cref="PodHints.MaxLatencyKey"/> is no latency.</summary>
/// <param name="Text">What it says.</param>
public sealed record UnreadableMaxLatency(string Text) : Notice;

/// <summary>An annotation with an amount cannot be read.</summary>
/// <param name="Key">The annotation.</param>
/// <param name="Text">What it says.</param>
/// <param name="Used">The Kubernetes quantity that is used instead.</param>
public sealed record UnreadableAmount(string Key, string Text, string Used) : Notice;

/// <summary>The mode <see cref="PlacementMode.Required"/> is softened to <see cref="PlacementMode.Preferred"/>.</summary>
/// <param name="Softening">Why.</param>
public sealed record RequiredSoftened(Softening Softening) : Notice;

/// <summary>Each container gets less than it should, because no node has that much.</summary>
/// <param name="Resource">The resource: <see cref="AddedRequest.Cpu"/> or <see cref="AddedRequest.Memory"/>.</param>
/// <param name="Amount">What each container gets: thousandths of a core, or bytes.</param>
/// <param name="Wanted">What it should get.</param>
/// <param name="NodeName">The node with the most room for it.</param>
/// <param name="Left">What that node has left.</param>
/// <param name="Allocatable">What it has in all.</param>
/// <param name="IsLargestAndEmpty">It is the largest node that can run the pod, and nothing runs there.</param>
public sealed record RequestReduced(
    string Resource, long Amount, long Wanted, string NodeName, long Left, long Allocatable, bool IsLargestAndEmpty) : Notice;

/// <summary>The step is left to the default scheduler.</summary>
/// <param name="Reason">Why.</param>
public sealed record NotPlaced(Reason Reason) : Notice;
