namespace AdmissionLas.Placement;

/// <summary>Nodes that one selector term matches, with the least that any of them can give.</summary>
public sealed class NodeGroup
{
    /// <summary>Sets up the group.</summary>
    /// <param name="term">What matches them.</param>
    /// <param name="members">The nodes, the largest first.</param>
    public NodeGroup(NodeSelectorTerm term, IReadOnlyList<NodeFacts> members)
    {
        Term = term;
        Members = members;
        // Nodes that take no pods now do not spoil the group: the scheduler cannot choose them.
        var usable = members.Where(m => m.IsReady && !m.IsCordoned).ToArray();
        floorCpuMilli = usable.Length == 0 ? 0 : usable.Min(m => m.Allocatable.CpuMilliOrZero);
        floorMemoryBytes = usable.Length == 0 ? 0 : usable.Min(m => m.Allocatable.MemoryBytesOrZero);
        this.usable = usable;
    }

    readonly long floorCpuMilli;
    readonly long floorMemoryBytes;
    readonly NodeFacts[] usable;

    /// <summary>What matches the members and no other node.</summary>
    public NodeSelectorTerm Term { get; }

    /// <summary>The nodes, the largest first.</summary>
    public IReadOnlyList<NodeFacts> Members { get; }

    /// <summary>Whether every member that takes pods is large enough for the request.</summary>
    public bool EveryMemberHolds(Resources request) =>
        request.CpuMilliOrZero <= floorCpuMilli && request.MemoryBytesOrZero <= floorMemoryBytes &&
        (request.Other is null or [] || usable.All(m => request.Other.All(o => o.Amount <= m.Allocatable.AmountOf(o.Name))));
}
