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
            ByZone = value.TryGetValue(ZoneKey, out var zone) ? new([new(ZoneKey, SelectorOperator.In, [zone])], []) : null;
        }
    } = EmptyLabels;

    /// <summary>The term that matches every node with its host name label, made once: each decision for the node needs it.</summary>
    internal NodeSelectorTerm? ByHostname { get; private init; }

    /// <summary>The term that matches the nodes of its zone; <see langword="null"/> when it has none.</summary>
    internal NodeSelectorTerm? ByZone { get; private init; }

    const string ZoneKey = "topology.kubernetes.io/zone";

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

    /// <summary>The minor release of its kubelet, 36 for Kubernetes 1.36; zero when it is not known.</summary>
    public int KubeletMinor { get; init; }

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
        other is not null && Name == other.Name && IsCordoned == other.IsCordoned && IsReady == other.IsReady && KubeletMinor == other.KubeletMinor &&
        AllocatablePods == other.AllocatablePods && Allocatable == other.Allocatable &&
        Taints.SequenceEqual(other.Taints) &&
        Images.Equals(other.Images) && Latencies.Equals(other.Latencies) &&
        Labels.Count == other.Labels.Count && Labels.All(l => other.Labels.TryGetValue(l.Key, out var value) && value == l.Value);

    /// <inheritdoc/>
    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    static readonly IReadOnlyDictionary<string, string> EmptyLabels = new Dictionary<string, string>();
}
