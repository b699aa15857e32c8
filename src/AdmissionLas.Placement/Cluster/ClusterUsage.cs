using System.Collections.Immutable;

namespace AdmissionLas.Placement;

/// <summary>
/// What is spoken for on each node at one moment. It stands beside the <see cref="ClusterView"/> and not in it: pods come and go hundreds
/// of times while the nodes stay as they are, so the view is ranked once and this is read while walking the ranking. Like the view it never
/// changes; the cache makes the next one, which shares all but the path to the node that changed.
/// </summary>
public sealed class ClusterUsage(ImmutableDictionary<string, NodeUsage> byNode, AntiAffinity? antiAffinity = null)
{
    ImmutableDictionary<string, NodeUsage>? changed;

    /// <summary>Nothing is known to run anywhere.</summary>
    public static ClusterUsage Unknown { get; } = new(ImmutableDictionary<string, NodeUsage>.Empty);

    /// <summary>The nodes on which anything is spoken for.</summary>
    public IReadOnlyDictionary<string, NodeUsage> ByNode => byNode;

    /// <summary>Which pods the pods on the nodes keep away.</summary>
    public AntiAffinity AntiAffinity { get; } = antiAffinity ?? AntiAffinity.None;

    /// <summary>What pods have that name no PriorityClass; such a pod may come at any time.</summary>
    public const int UsualPriority = 0;

    /// <summary>The lowest priority of a pod on any node, and at most the usual one: whatever has a higher one could evict others.</summary>
    public int LowestPriority { get; init; } = UsualPriority;

    /// <summary>The same, but for what is spoken for on these nodes.</summary>
    public ClusterUsage With(ImmutableDictionary<string, NodeUsage> some) => new(byNode, AntiAffinity) { LowestPriority = LowestPriority, changed = some };

    /// <summary>What is spoken for on the node.</summary>
    public NodeUsage On(NodeFacts node) => On(node.Name);

    /// <summary>What is spoken for on the node of this name.</summary>
    public NodeUsage On(string node) => changed?.TryGetValue(node, out var usage) == true || byNode.TryGetValue(node, out usage) ? usage : NodeUsage.None;
}
