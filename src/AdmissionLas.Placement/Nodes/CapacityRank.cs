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

    readonly Lazy<IReadOnlyList<InstanceType>> instanceTypes;

    /// <summary>Ranks the nodes.</summary>
    /// <param name="nodes">The cluster's nodes.</param>
    /// <param name="device">A resource to count beside CPU and memory, or <see langword="null"/>.</param>
    public CapacityRank(IReadOnlyList<NodeFacts> nodes, string? device)
    {
        var maxCpu = Math.Max(1, nodes.Max(n => (long?)n.Allocatable.CpuMilliOrZero) ?? 1);
        var maxMemory = Math.Max(1, nodes.Max(n => (long?)n.Allocatable.MemoryBytesOrZero) ?? 1);
        var maxDevices = device is null ? 1 : Math.Max(1, nodes.Max(n => (long?)n.Allocatable.AmountOf(device)) ?? 1);
        Nodes = [.. nodes.Select(n => new SizedNode(n, Capacity(n)))
            .OrderByDescending(n => n.Capacity).ThenBy(n => n.Node.Name, StringComparer.Ordinal)];
        Smallest = Nodes.Where(n => n.Node.IsReady && !n.Node.IsCordoned).Select(n => n.Capacity).DefaultIfEmpty(0).Last();
        instanceTypes = new(GroupByInstanceType, LazyThreadSafetyMode.PublicationOnly);

        double Capacity(NodeFacts node)
        {
            var shares = ((double)node.Allocatable.CpuMilliOrZero / maxCpu) + ((double)node.Allocatable.MemoryBytesOrZero / maxMemory);
            return device is null ? shares / 2 : (shares + ((double)node.Allocatable.AmountOf(device) / maxDevices)) / 3;
        }
    }

    /// <summary>The nodes, the largest first; equal ones by name.</summary>
    public IReadOnlyList<SizedNode> Nodes { get; }

    /// <summary>The capacity of the smallest node that takes pods.</summary>
    public double Smallest { get; }

    /// <summary>The machine types, in ordinal order of their names.</summary>
    public IReadOnlyList<InstanceType> InstanceTypes => instanceTypes.Value;

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
