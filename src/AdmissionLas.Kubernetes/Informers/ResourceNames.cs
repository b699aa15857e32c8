using System.Collections.Immutable;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// The resources, beside CPU and memory, that some node has had in allocatable. Of a pod only these count: an author may invent tens of thousands of
/// names, and what no node has decides about no node.
/// </summary>
/// <remarks>
/// So nodes have to be listed before pods are. Names stay known; a name that comes later counts for each pod from its next update, and that a pod
/// is bound to such a node is one. The number is bounded, for one node as for all: a kubelet writes its own node.
/// </remarks>
public sealed class ResourceNames
{
    /// <summary>The most names of one node; a real one has a handful.</summary>
    internal const int MaxOfNode = 128;

    const int Max = 1024;

    readonly Dictionary<string, int> broughtBy = new(StringComparer.Ordinal);
    ImmutableHashSet<string> names = ImmutableHashSet.Create<string>(StringComparer.Ordinal);

    /// <summary>The name as one text that all pods share; <see langword="null"/> when no node has had it.</summary>
    public string? Find(string name) => Volatile.Read(ref names).TryGetValue(name, out var known) ? known : null;

    /// <summary>Learns the names of a node. One call at a time.</summary>
    public void Add(NodeFacts node)
    {
        foreach (var (name, _) in node.Allocatable.Other ?? [])
        {
            if (names.Count < Max && !names.Contains(name) && broughtBy.GetValueOrDefault(node.Name) is < MaxOfNode and var before)
            {
                broughtBy[node.Name] = before + 1;
                Volatile.Write(ref names, names.Add(name));
            }
        }
    }
}
