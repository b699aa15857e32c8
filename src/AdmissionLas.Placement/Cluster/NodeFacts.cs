namespace AdmissionLas.Placement;

/// <summary>What the core knows of a node: the part of a Kubernetes Node on which placement depends.</summary>
public sealed record NodeFacts
{
    /// <summary>metadata.name.</summary>
    public required string Name { get; init; }

    /// <summary>metadata.labels.</summary>
    public IReadOnlyDictionary<string, string> Labels
    {
        get;
        init
        {
            field = value;
            Hostname = value.GetValueOrDefault(NodeSelectorTerm.HostnameKey);
            ByHostname = Hostname is null ? null : NodeSelectorTerm.Hostnames([Hostname]);
        }
    } = EmptyLabels;

    /// <summary>The term that matches every node with its host name label, made once: each decision for the node needs it.</summary>
    internal NodeSelectorTerm? ByHostname { get; private init; }

    /// <summary>The node's latencies to locations, from every source (<see cref="ILatencySource"/>).</summary>
    public NodeLatencies Latencies { get; init; } = NodeLatencies.None;

    /// <summary>The node with the latencies that these sources know of it.</summary>
    public NodeFacts WithLatenciesOf(params IEnumerable<ILatencySource> sources) =>
        this with { Latencies = sources.Aggregate(NodeLatencies.None, (known, source) => known.With(source.Of(this))) };

    /// <summary>spec.taints.</summary>
    public IReadOnlyList<Taint> Taints { get; init; } = [];

    /// <summary>spec.unschedulable: the node is cordoned.</summary>
    public bool IsCordoned { get; init; }

    /// <summary>The condition Ready is True.</summary>
    public bool IsReady { get; init; }

    /// <summary>status.allocatable, pods apart.</summary>
    public Resources Allocatable { get; init; }

    /// <summary>status.allocatable.pods.</summary>
    public long AllocatablePods { get; init; }

    /// <summary>status.images.</summary>
    public NodeImages Images { get; init; } = NodeImages.None;

    /// <summary>The label <c>kubernetes.io/hostname</c>; not always the node's name.</summary>
    public string? Hostname { get; private init; }

    /// <summary>The value of a label; <see langword="null"/> when the node does not carry it.</summary>
    public string? Label(string key) => Labels.GetValueOrDefault(key);

    /// <summary>
    /// Whether both describe the same node in the same state. A kubelet's heartbeat changes the Node object every few seconds
    /// and nothing here; an informer that asks this first has nothing to publish.
    /// </summary>
    public bool Equals(NodeFacts? other) =>
        other is not null && Name == other.Name && IsCordoned == other.IsCordoned && IsReady == other.IsReady &&
        AllocatablePods == other.AllocatablePods && Allocatable == other.Allocatable &&
        Taints.SequenceEqual(other.Taints) &&
        Images.Equals(other.Images) && Latencies.Equals(other.Latencies) &&
        Labels.Count == other.Labels.Count && Labels.All(l => other.Labels.TryGetValue(l.Key, out var value) && value == l.Value);

    /// <inheritdoc/>
    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    static readonly IReadOnlyDictionary<string, string> EmptyLabels = new Dictionary<string, string>();
}
