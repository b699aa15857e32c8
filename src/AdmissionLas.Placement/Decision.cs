namespace AdmissionLas.Placement;

/// <summary>How a review ended. The names are also the values of the metric's <c>outcome</c> label.</summary>
public enum Outcome
{
    /// <summary>No step of a known kind.</summary>
    NotAStep,

    /// <summary>The pod carries our decision from an earlier call, and it still stands: nothing changes.</summary>
    AlreadyDecided,

    /// <summary>The pod names its node.</summary>
    AlreadyBound,

    /// <summary>The pod asks to be left alone.</summary>
    OptedOut,

    /// <summary>Decided: the pod is patched to go where it should.</summary>
    Placed,

    /// <summary>A predict step without a location.</summary>
    NoLocation,

    /// <summary>No node has a latency to the location.</summary>
    UnknownLocation,

    /// <summary>No node that counts can run the pod.</summary>
    NoCandidate,

    /// <summary>More tolerations and selectors than <see cref="NodeFilter.MaxComparisons"/>.</summary>
    TooComplex,
}

/// <summary>A preferred node affinity term.</summary>
/// <param name="Weight">1 to 100.</param>
/// <param name="Preference">The nodes it prefers.</param>
public readonly record struct PreferredTerm(int Weight, NodeSelectorTerm Preference)
{
    /// <summary>Whether both weigh the same and ask for the same.</summary>
    public bool IsSameAs(PreferredTerm other) => Weight == other.Weight && Preference.IsSameAs(other.Preference);
}

/// <summary>The nodes that a pod may run on, and no others.</summary>
/// <param name="Nodes">The nodes.</param>
/// <param name="IsByName">
/// As one term for each node, by the field metadata.name: before it looks at any node the scheduler narrows them down to those that such terms name. It
/// looks at all nodes for a label. Otherwise as one requirement on the host name label, which every release takes.
/// </param>
public sealed record NodePin(IReadOnlyList<NodeFacts> Nodes, bool IsByName)
{
    /// <summary>What the nodes are called in the requirement.</summary>
    public IEnumerable<string> Names => Nodes.Select(NameOf);

    /// <summary>What a node is called in the requirement.</summary>
    public string NameOf(NodeFacts node) => IsByName ? node.Name : node.Hostname!;

    /// <summary>Whether the pod may run on the node.</summary>
    public bool IsMetBy(NodeFacts node) => Nodes.Any(node, static (pinned, node) => pinned.Name == node.Name);

    /// <summary>
    /// By name: which nodes go into which of the pod's own required terms, one pair for each term of the result. The own terms are ORed, so each is kept
    /// to the pinned nodes that it matches; one that matches none is kept to the first, and so goes on matching none.
    /// </summary>
    /// <param name="terms">The own terms; an empty one matches no node and stays as it is.</param>
    public IEnumerable<(int Term, NodeFacts Node)> Pairs(IReadOnlyList<NodeSelectorTerm> terms) => terms.Index().Where(t => !t.Item.IsEmpty)
        .SelectMany(t => Nodes.Where(t.Item.Matches).DefaultIfEmpty(Nodes[0]), (t, node) => (t.Index, node));
}

/// <summary>A resource request that a container gets.</summary>
/// <param name="ContainerIndex">The container's place in spec.containers.</param>
/// <param name="ContainerName">Its name.</param>
/// <param name="Resource"><c>cpu</c> or <c>memory</c>.</param>
/// <param name="Amount">How much: thousandths of a core, or bytes.</param>
public sealed record AddedRequest(int ContainerIndex, string ContainerName, string Resource, long Amount)
{
    /// <summary>The resource CPU.</summary>
    public const string Cpu = "cpu";

    /// <summary>The resource memory.</summary>
    public const string Memory = "memory";

    /// <summary>The amount of the resource in a list.</summary>
    public long? Of(Resources resources) => Resource == Cpu ? resources.CpuMilli : Resource == Memory ? resources.MemoryBytes : null;

    /// <summary>The amount as a Kubernetes quantity.</summary>
    public string Quantity => Resource == Cpu ? Placement.Quantity.FormatCpu(Amount) : Placement.Quantity.FormatBytes(Amount);
}

/// <summary>What was decided for a pod, as data: enough to patch it and to say why.</summary>
public sealed record Decision
{
    /// <summary>How the review ended.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>What the pod is and which rule says so.</summary>
    public required Step Step { get; init; }

    /// <summary>The mode in force; only means something for a step with a location.</summary>
    public PlacementMode Mode { get; init; }

    /// <summary>Why the pod is merely preferred where its mode asks for more; <see langword="null"/> where it is as the mode asks.</summary>
    public Softening? Softened { get; init; }

    /// <summary>Why the step goes where it goes, or nowhere; <see langword="null"/> when there was nothing to decide.</summary>
    public Reason? Reason { get; init; }

    /// <summary>The nodes that a step with a location may go to, in the order of preference; empty for other steps.</summary>
    public IReadOnlyList<Candidate> Candidates { get; init; } = [];

    /// <summary>
    /// The node that should win a step with a location, and the likeliest of those that another step prefers (the scheduler picks among them);
    /// <see langword="null"/> unless the step was placed.
    /// </summary>
    public NodeFacts? Chosen { get; init; }

    /// <summary>The chosen node has room for the pod now, as far as is known.</summary>
    public bool HasRoom { get; init; }

    /// <summary>
    /// From now on the pod counts on the chosen node, or the next one would be sent to the same place. A gated pod does not, nor does one of another
    /// scheduler: they may wait for hours.
    /// </summary>
    public bool ReservesCapacity { get; init; }

    /// <summary>What the scheduler will count a placed pod as, with the requests that it gets from us.</summary>
    public Resources Request { get; init; }

    /// <summary>What it will count a placed pod as for scores: <see cref="EffectiveRequest.Scored"/>.</summary>
    public Resources ScoredRequest { get; init; }

    /// <summary>The chosen node's latency to the step's location, milliseconds.</summary>
    public double LatencyMs { get; init; }

    /// <summary>The lowest latency that any node has to the placed step's location, whether or not it can run the pod; milliseconds.</summary>
    public double NearestMs { get; init; }

    /// <summary>Preferred terms to append.</summary>
    public IReadOnlyList<PreferredTerm> Preferred { get; init; } = [];

    /// <summary>A requirement to AND into each of the pod's own required terms, or to become its only one; <see langword="null"/> for none.</summary>
    public NodePin? Required { get; init; }

    /// <summary>
    /// A topology spread constraint that is about no node is added. The scheduler spreads the pods of a Service, ReplicaSet or StatefulSet by up to 200
    /// points, unless a pod has constraints of its own
    /// (https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/#internal-default-constraints).
    /// </summary>
    public bool NeutralizesSpread { get; init; }

    /// <summary>What its author wrote into the pod that can outweigh the order of the nodes; <see langword="null"/> for nothing.</summary>
    public SchedulerConstraint? YieldsTo { get; init; }

    /// <summary>Requests to add.</summary>
    public IReadOnlyList<AddedRequest> Requests { get; init; } = [];

    /// <summary>What the author should know.</summary>
    public IReadOnlyList<Notice> Warnings { get; init; } = [];

    /// <summary>Whether the pod is a step of ours that was decided on, for better or worse, and so carries the decision.</summary>
    public bool IsDecided => Outcome is Outcome.Placed or Outcome.NoLocation or Outcome.UnknownLocation or Outcome.NoCandidate or Outcome.TooComplex;
}
