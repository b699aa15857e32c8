namespace AdmissionLas.Placement;

/// <summary>A node and its size relative to the largest of the cluster.</summary>
/// <param name="Node">The node.</param>
/// <param name="Capacity">The mean of its shares of the cluster's largest CPU, memory and (where asked) device count: 0 to 1.</param>
public readonly record struct SizedNode(NodeFacts Node, double Capacity);

/// <summary>The nodes by size, and grouped by the instance type label that cloud providers set.</summary>
public sealed class CapacityRank
{
    /// <summary>The label that names a node's machine type.</summary>
    public const string InstanceTypeKey = "node.kubernetes.io/instance-type";

    readonly Largest largest;
    readonly SizedNode[] ranked;
    readonly Lazy<IReadOnlyList<InstanceType>> instanceTypes;

    /// <summary>Ranks the nodes.</summary>
    /// <param name="nodes">The cluster's nodes.</param>
    /// <param name="device">A resource to count beside CPU and memory, or <see langword="null"/>.</param>
    public CapacityRank(IReadOnlyList<NodeFacts> nodes, string? device)
        : this(Largest.Of(nodes, device), null)
    {
        ranked = [.. nodes.Select(largest.Size)];
        Array.Sort(ranked, Order);
        Smallest = SmallestUsable();
    }

    CapacityRank(Largest largest, SizedNode[]? ranked)
    {
        this.largest = largest;
        this.ranked = ranked ?? [];
        Smallest = SmallestUsable();
        instanceTypes = new(GroupByInstanceType, LazyThreadSafetyMode.PublicationOnly);
    }

    /// <summary>The same rank after nodes have changed. Unless the largest of all is another now, it costs one copy.</summary>
    internal CapacityRank After(IReadOnlyList<NodeFacts> nodes, NodeChanges changes) => Largest.Of(nodes, largest.Device) == largest
        ? new CapacityRank(largest, Ranking.After(ranked, changes.Gone.Select(largest.Size), changes.Come.Select(largest.Size), Order))
        : new CapacityRank(nodes, largest.Device);

    /// <summary>The nodes, the largest first; equal ones by name.</summary>
    public IReadOnlyList<SizedNode> Nodes => ranked;

    /// <summary>The capacity of the smallest node that takes pods.</summary>
    public double Smallest { get; }

    /// <summary>The machine types, in ordinal order of their names.</summary>
    public IReadOnlyList<InstanceType> InstanceTypes => instanceTypes.Value;

    double SmallestUsable()
    {
        for (var i = ranked.Length - 1; i >= 0; i--)
        {
            if (ranked[i].Node.IsReady && !ranked[i].Node.IsCordoned)
            {
                return ranked[i].Capacity;
            }
        }

        return 0;
    }

    static int Order(SizedNode a, SizedNode b) =>
        a.Capacity != b.Capacity ? b.Capacity.CompareTo(a.Capacity) : string.CompareOrdinal(a.Node.Name, b.Node.Name);

    /// <summary>What sizes are relative to: the most that any node has of each.</summary>
    readonly record struct Largest(long CpuMilli, long MemoryBytes, long Devices, string? Device)
    {
        internal static Largest Of(IReadOnlyList<NodeFacts> nodes, string? device)
        {
            var largest = new Largest(1, 1, 1, device);
            for (var i = 0; i < nodes.Count; i++)
            {
                var has = nodes[i].Allocatable;
                largest = new Largest(
                    Math.Max(largest.CpuMilli, has.CpuMilliOrZero),
                    Math.Max(largest.MemoryBytes, has.MemoryBytesOrZero),
                    device is null ? 1 : Math.Max(largest.Devices, has.AmountOf(device)),
                    device);
            }

            return largest;
        }

        internal SizedNode Size(NodeFacts node)
        {
            var shares = ((double)node.Allocatable.CpuMilliOrZero / CpuMilli) + ((double)node.Allocatable.MemoryBytesOrZero / MemoryBytes);
            return new SizedNode(node, Device is null ? shares / 2 : (shares + ((double)node.Allocatable.AmountOf(Device) / Devices)) / 3);
        }
    }

    IReadOnlyList<InstanceType> GroupByInstanceType() =>
    [
        .. Nodes.Where(n => n.Node.Label(InstanceTypeKey) is { Length: > 0 })
            .GroupBy(n => n.Node.Label(InstanceTypeKey)!)
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new InstanceType(
                g.Key,
                g.Min(n => n.Capacity),
                new NodeGroup(new NodeSelectorTerm([new(InstanceTypeKey, SelectorOperator.In, [g.Key])], []), [.. g.Select(n => n.Node)])))
    ];
}

/// <summary>The nodes of one machine type.</summary>
/// <param name="Name">The label's value.</param>
/// <param name="Capacity">The capacity of the smallest of them.</param>
/// <param name="Group">The nodes.</param>
public sealed record InstanceType(string Name, double Capacity, NodeGroup Group);
