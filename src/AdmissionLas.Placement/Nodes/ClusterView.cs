using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace AdmissionLas.Placement;

/// <summary>A node and how far it is from the location in question.</summary>
/// <param name="Node">The node.</param>
/// <param name="LatencyMs">Its latency to the location, milliseconds.</param>
public readonly record struct RankedNode(NodeFacts Node, double LatencyMs);

/// <summary>A latency label that counts as not measured.</summary>
/// <param name="NodeName">The node that carries it.</param>
/// <param name="Location">The location it names.</param>
/// <param name="Value">What cannot be read.</param>
public readonly record struct UnreadableLatency(string NodeName, string Location, string Value);

/// <summary>
/// An immutable snapshot of the nodes. A review takes one and keeps it; whoever watches the cluster makes the next one.
/// Rankings are made on first use and kept as long as the view: once a snapshot and location, never once a review. They are published
/// without a lock; two reviews that come first at the same time may both make one, and either will do.
/// </summary>
public sealed class ClusterView
{
    readonly FrozenDictionary<string, LocationRank> locations;
    readonly Lazy<CapacityRank> byCapacity;
    readonly ConcurrentDictionary<string, CapacityRank> byDevice = new();
    NodeGroup? lastGroup;

    /// <summary>Takes the nodes in any order; the view is the same for every order.</summary>
    public ClusterView(IEnumerable<NodeFacts> nodes)
    {
        Nodes = [.. nodes.OrderBy(n => n.Name, StringComparer.Ordinal)];
        locations = Nodes
            .SelectMany(n => n.Latencies.Measured, (n, m) => (m.Location, Ranked: new RankedNode(n, m.LatencyMs)))
            .GroupBy(m => m.Location, m => m.Ranked)
            .ToFrozenDictionary(g => g.Key, g => new LocationRank(g));
        UnreadableLatencies = [.. Nodes.SelectMany(
            n => n.Latencies.Unreadable.Where(u => u.IsExplicit || locations.ContainsKey(u.Location)),
            (n, u) => new UnreadableLatency(n.Name, u.Location, u.Value))];
        AmbiguousHostnames = Nodes
            .Where(n => n.Hostname is not null).GroupBy(n => n.Hostname!).Where(g => g.Count() > 1).Select(g => g.Key).ToFrozenSet();
        byCapacity = new(() => new CapacityRank(Nodes, null), LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>A cluster without nodes.</summary>
    public static ClusterView Empty { get; } = new([]);

    /// <summary>All nodes, by name.</summary>
    public IReadOnlyList<NodeFacts> Nodes { get; }

    /// <summary>Every location to which some node has a latency.</summary>
    public IEnumerable<string> Locations => locations.Keys;

    /// <summary>
    /// The latency labels that cannot be read: all with our prefix, and bare ones whose key is a location for some other node
    /// (any other bare label has nothing to do with latency).
    /// </summary>
    public IReadOnlyList<UnreadableLatency> UnreadableLatencies { get; }

    /// <summary>The nodes with a latency to the location: nearest first, then the largest, then by name; empty for an unknown location.</summary>
    public IReadOnlyList<RankedNode> NearestTo(string location) => locations.TryGetValue(location, out var rank) ? rank.Nodes : [];

    /// <summary>The nodes by capacity.</summary>
    /// <param name="device">A further resource to count beside CPU and memory, such as a GPU's name; <see langword="null"/> for none.</param>
    public CapacityRank ByCapacity(string? device)
    {
        if (device is null)
        {
            return byCapacity.Value;
        }

        // Only resources that exist are kept, so that requests cannot fill the memory with names.
        return byDevice.TryGetValue(device, out var rank) ? rank
            : Nodes.Any(n => n.Allocatable.AmountOf(device) > 0) ? byDevice.GetOrAdd(device, d => new CapacityRank(Nodes, d))
            : byCapacity.Value;
    }

    /// <summary>The nodes that match a term, by capacity. The last answer is kept: one term, the admin's, is asked for all the time.</summary>
    public NodeGroup Matching(NodeSelectorTerm term)
    {
        var known = Volatile.Read(ref lastGroup);
        if (known is not null && ReferenceEquals(known.Term, term))
        {
            return known;
        }

        var group = new NodeGroup(term, [.. ByCapacity(null).Nodes.Select(n => n.Node).Where(term.Matches)]);
        Volatile.Write(ref lastGroup, group);
        return group;
    }

    /// <summary>
    /// A term that matches this node and no other: by its real host name label, the form that every scheduler version reads and that
    /// takes several values, or by the field metadata.name where the label is absent or shared.
    /// </summary>
    public NodeSelectorTerm TermFor(NodeFacts node) =>
        UniqueHostname(node) is null ? NodeSelectorTerm.Name(node.Name) : node.ByHostname!;

    /// <summary>The node's host name label, if it is there and no other node carries the same.</summary>
    public string? UniqueHostname(NodeFacts node) =>
        node.Hostname is { Length: > 0 } hostname && !AmbiguousHostnames.Contains(hostname) ? hostname : null;

    FrozenSet<string> AmbiguousHostnames { get; }

    sealed class LocationRank(IEnumerable<RankedNode> unordered)
    {
        readonly Lazy<RankedNode[]> nodes = new(
            () => [.. unordered
                .OrderBy(n => n.LatencyMs)
                .ThenByDescending(n => n.Node.Allocatable.CpuMilliOrZero)
                .ThenByDescending(n => n.Node.Allocatable.MemoryBytesOrZero)
                .ThenBy(n => n.Node.Name, StringComparer.Ordinal)],
            LazyThreadSafetyMode.PublicationOnly);

        internal IReadOnlyList<RankedNode> Nodes => nodes.Value;
    }
}
