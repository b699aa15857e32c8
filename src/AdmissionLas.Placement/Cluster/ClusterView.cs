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

/// <summary>A node with more latency labels than are read (<see cref="LatencyLabels.MaxOfNode"/>).</summary>
/// <param name="NodeName">The node.</param>
/// <param name="Ignored">How many are ignored.</param>
public readonly record struct CrowdedNode(string NodeName, int Ignored);

/// <summary>
/// An immutable snapshot of the nodes. A review takes one and keeps it; the informer makes the next one.
/// Rankings are made on first use and kept as long as the view: once a snapshot and location, never once a review. They are published
/// without a lock; two reviews that come first at the same time may both make one, and either will do. A view that follows another
/// (<see cref="With"/>) takes over what was ranked, so that a node that changes costs a copy and no review has to rank again.
/// </summary>
public sealed class ClusterView
{
    /// <summary>
    /// As of Kubernetes 1.31 the scheduler does without a node that is named and missing; before, the pod fails, and some patch releases panic
    /// (https://github.com/kubernetes/kubernetes/issues/124559, /124930). It is at most one release older than the API server, which no kubelet is newer than
    /// (https://kubernetes.io/releases/version-skew-policy/).
    /// </summary>
    const int KubeletOfSafeScheduler = 32;

    readonly NodeFacts[] nodes;
    readonly FrozenDictionary<string, LocationRank> locations;
    readonly Lazy<CapacityRank> byCapacity;
    readonly ConcurrentDictionary<string, CapacityRank> byDevice = new();
    readonly ConcurrentDictionary<ImageId, double> byImage = new();
    NodeGroup? lastGroup;

    /// <summary>Takes the nodes in any order; the view is the same for every order.</summary>
    public ClusterView(IEnumerable<NodeFacts> nodes)
    {
        this.nodes = ByName(nodes);
        locations = this.nodes
            .SelectMany(n => n.Latencies.Known).GroupBy(m => m.Location)
            .ToFrozenDictionary(g => g.Key, g => new LocationRank(this.nodes, g.Key, g.Count()));
        UnreadableLatencies = Unreadable();
        AmbiguousHostnames = Ambiguous();
        TakesTermsByName = AreMostKubeletsRecent();
        byCapacity = new(() => new CapacityRank(this.nodes, null), LazyThreadSafetyMode.PublicationOnly);
    }

    ClusterView(ClusterView before, NodeFacts[] nodes)
    {
        var changes = NodeChanges.Between(before.nodes, nodes);
        this.nodes = nodes;
        locations = LocationsAfter(before.locations, changes);
        UnreadableLatencies = HasSameLocations(before) && !changes.Gone.Concat(changes.Come).Any(n => UnreadableOf(n).Any())
            ? before.UnreadableLatencies
            : Unreadable();
        AmbiguousHostnames = changes.Keep(n => n.Hostname) ? before.AmbiguousHostnames : Ambiguous();
        TakesTermsByName = AreMostKubeletsRecent();
        var sizes = before.byCapacity.IsValueCreated ? before.byCapacity.Value.After(nodes, changes) : null;
        byCapacity = sizes is null ? new(() => new CapacityRank(nodes, null), LazyThreadSafetyMode.PublicationOnly) : new(sizes);
        foreach (var (device, rank) in before.byDevice)
        {
            // One that no node has any more would be kept for ever.
            if (nodes.Any(n => n.Allocatable.AmountOf(device) > 0))
            {
                byDevice[device] = rank.After(nodes, changes);
            }
        }

        if (sizes is not null && Volatile.Read(ref before.lastGroup) is { } group)
        {
            Matching(group.Term);
        }
    }

    /// <summary>The view that follows this one.</summary>
    /// <param name="changed">
    /// All nodes, no name twice. One that has not changed is best the same object: it costs nothing then.
    /// </param>
    public ClusterView With(IEnumerable<NodeFacts> changed) => new(this, ByName(changed));

    /// <summary>A cluster without nodes.</summary>
    public static ClusterView Empty { get; } = new([]);

    /// <summary>
    /// Whether the scheduler takes terms that name nodes by metadata.name, whatever becomes of these: most kubelets say so. A few could lie.
    /// </summary>
    public bool TakesTermsByName { get; }

    /// <summary>
    /// With more nodes the scheduler scores only a part of those that pass its filters, and a preference for another does nothing
    /// (https://kubernetes.io/docs/concepts/scheduling-eviction/scheduler-perf-tuning/).
    /// </summary>
    public const int MaxScoredNodes = 100;

    /// <summary>Whether the scheduler scores only a part of the nodes.</summary>
    public bool IsSampled => nodes.Length > MaxScoredNodes;

    /// <summary>All nodes, by name.</summary>
    public IReadOnlyList<NodeFacts> Nodes => nodes;

    /// <summary>The node of this name; <see langword="null"/> when there is none.</summary>
    public NodeFacts? Find(string name)
    {
        var (low, high) = (0, nodes.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            switch (string.CompareOrdinal(nodes[middle].Name, name))
            {
                case 0: return nodes[middle];
                case < 0: low = middle + 1; break;
                default: high = middle - 1; break;
            }
        }

        return null;
    }

    /// <summary>Every location to which some node has a latency, in ordinal order.</summary>
    public IReadOnlyList<string> Locations => field ??= [.. locations.Keys.Order(StringComparer.Ordinal)];

    /// <summary>
    /// The latency labels that cannot be read: all with our prefixes, and bare ones whose key is a location for some other node
    /// (any other bare label has nothing to do with latency).
    /// </summary>
    public IReadOnlyList<UnreadableLatency> UnreadableLatencies { get; }

    /// <summary>The nodes with more latency labels than are read.</summary>
    public IReadOnlyList<CrowdedNode> CrowdedNodes => field ??= [.. nodes.Where(n => n.Latencies.Ignored > 0).Select(n => new CrowdedNode(n.Name, n.Latencies.Ignored))];

    /// <summary>The nodes with a latency to the location: nearest first, then the largest, then by name; empty for an unknown location.</summary>
    public IReadOnlyList<RankedNode> NearestTo(string location) => locations.TryGetValue(location, out var rank) ? rank.Nodes : [];

    /// <summary>The same, for the walk of every review.</summary>
    internal ReadOnlySpan<RankedNode> RankedFor(string location) => locations.TryGetValue(location, out var rank) ? rank.Nodes : default;

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
            : Nodes.Any(n => n.Allocatable.AmountOf(device) > 0) ? byDevice.GetOrAdd(device, d => new CapacityRank(nodes, d))
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

    /// <summary>The share of the nodes that have the image, 0 to 1.</summary>
    public double ShareWithImage(ImageId image)
    {
        if (byImage.TryGetValue(image, out var known))
        {
            return known;
        }

        // Only images that exist are kept, so that pods cannot fill the memory with names.
        var having = Nodes.Count(n => n.Images.BytesOf(image) > 0);
        return having == 0 ? 0 : byImage.GetOrAdd(image, having / (double)Nodes.Count);
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

    bool AreMostKubeletsRecent() => nodes.Count(n => n.KubeletMinor >= KubeletOfSafeScheduler) * 2 > nodes.Length;

    FrozenSet<string> Ambiguous() =>
        nodes.Where(n => n.Hostname is not null).GroupBy(n => n.Hostname!).Where(g => g.Count() > 1).Select(g => g.Key).ToFrozenSet();

    UnreadableLatency[] Unreadable() => [.. nodes.SelectMany(UnreadableOf)];

    IEnumerable<UnreadableLatency> UnreadableOf(NodeFacts node) =>
        node.Latencies.Unreadable.Where(u => u.IsExplicit || locations.ContainsKey(u.Location)).Select(u => new UnreadableLatency(node.Name, u.Location, u.Value));

    bool HasSameLocations(ClusterView other) => locations.Count == other.locations.Count && locations.Keys.All(other.locations.ContainsKey);

    static NodeFacts[] ByName(IEnumerable<NodeFacts> nodes)
    {
        NodeFacts[] sorted = [.. nodes];
        // Those of an informer are in order already, and to see that takes a tenth of sorting them again.
        for (var i = 1; i < sorted.Length; i++)
        {
            if (string.CompareOrdinal(sorted[i - 1].Name, sorted[i].Name) > 0)
            {
                Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Name, b.Name));
                break;
            }
        }

        return sorted;
    }

    FrozenDictionary<string, LocationRank> LocationsAfter(FrozenDictionary<string, LocationRank> before, NodeChanges changes)
    {
        var gone = ByLocation(changes.Gone);
        var come = ByLocation(changes.Come);
        return before.Keys.Union(come.Select(c => c.Key))
            .Select(location => before.TryGetValue(location, out var rank)
                ? rank.After(nodes, gone[location], come[location])
                : new LocationRank(nodes, location, come[location].Count()))
            .Where(rank => rank.Count > 0)
            .ToFrozenDictionary(rank => rank.Location);

        static ILookup<string, RankedNode> ByLocation(List<NodeFacts> nodes) =>
            nodes.SelectMany(n => n.Latencies.Known, (n, m) => (m.Location, Ranked: new RankedNode(n, m.LatencyMs))).ToLookup(m => m.Location, m => m.Ranked);
    }

    sealed class LocationRank
    {
        readonly Lazy<RankedNode[]> ranked;

        internal LocationRank(NodeFacts[] nodes, string location, int count)
        {
            (Location, Count) = (location, count);
            ranked = new(() => Rank(nodes, location), LazyThreadSafetyMode.PublicationOnly);
        }

        LocationRank(RankedNode[] ranked, string location)
        {
            (Location, Count) = (location, ranked.Length);
            this.ranked = new(ranked);
        }

        internal string Location { get; }

        /// <summary>How many nodes have a latency to it.</summary>
        internal int Count { get; }

        internal RankedNode[] Nodes => ranked.Value;

        // One that was never read is made from the nodes when it is; it must not keep those of all views before it alive.
        internal LocationRank After(NodeFacts[] nodes, IEnumerable<RankedNode> gone, IEnumerable<RankedNode> come) => ranked.IsValueCreated
            ? new LocationRank(Ranking.After(ranked.Value, gone, come, Order), Location)
            : new LocationRank(nodes, Location, Count - gone.Count() + come.Count());

        static RankedNode[] Rank(NodeFacts[] nodes, string location)
        {
            RankedNode[] ranked = [.. nodes.SelectMany(n => n.Latencies.Known.Where(m => m.Location == location), (n, m) => new RankedNode(n, m.LatencyMs))];
            Array.Sort(ranked, Order);
            return ranked;
        }

        static int Order(RankedNode a, RankedNode b) =>
            a.LatencyMs != b.LatencyMs ? a.LatencyMs.CompareTo(b.LatencyMs)
            : a.Node.Allocatable.CpuMilliOrZero != b.Node.Allocatable.CpuMilliOrZero ? b.Node.Allocatable.CpuMilliOrZero.CompareTo(a.Node.Allocatable.CpuMilliOrZero)
            : a.Node.Allocatable.MemoryBytesOrZero != b.Node.Allocatable.MemoryBytesOrZero ? b.Node.Allocatable.MemoryBytesOrZero.CompareTo(a.Node.Allocatable.MemoryBytesOrZero)
            : string.CompareOrdinal(a.Node.Name, b.Node.Name);
    }
}
