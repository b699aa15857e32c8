namespace AdmissionLas.Placement;

/// <summary>
/// A term of a pod's required anti-affinity. It works both ways: where that pod is, the scheduler lets no pod run that the term selects.
/// Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity.
/// </summary>
/// <param name="Key">What tells it from others: two pods with the same key have the same term.</param>
/// <param name="TopologyKey">The node label whose value is the place that the two must not share.</param>
/// <param name="Selector">The labels of the pods that are kept away.</param>
/// <param name="Namespaces">Their namespaces by name.</param>
/// <param name="NamespaceSelector">Their namespaces by label, <see langword="null"/> for none; an empty one selects all.</param>
public sealed record AntiAffinityTerm(
    string Key, string TopologyKey, IReadOnlyList<NodeSelectorRequirement> Selector, IReadOnlyList<string> Namespaces,
    IReadOnlyList<NodeSelectorRequirement>? NamespaceSelector)
{
    /// <summary>The one label of a namespace that is known here, because its value is the name.</summary>
    const string NamespaceNameKey = "kubernetes.io/metadata.name";

    /// <summary>Whether the term is about pods of this namespace. What a label that is not known here would say counts as a yes.</summary>
    public bool AppliesTo(string @namespace) =>
        Namespaces.Contains(@namespace) || NamespaceSelector?.All(r => r.Key != NamespaceNameKey || r.IsMetBy(@namespace)) == true;

    /// <summary>Whether the pod is one of those that are kept away.</summary>
    public bool Repels(PodFacts pod) => AppliesTo(pod.Namespace) && Selector.All(r => r.IsMetBy(pod.Label(r.Key)));

    /// <inheritdoc/>
    public bool Equals(AntiAffinityTerm? other) => Key == other?.Key;

    /// <inheritdoc/>
    public override int GetHashCode() => Key.GetHashCode(StringComparison.Ordinal);
}

/// <summary>A term and the nodes on which there are pods that have it.</summary>
/// <param name="Term">The term.</param>
/// <param name="Nodes">The names of the nodes.</param>
public sealed record RepellingPods(AntiAffinityTerm Term, IReadOnlyCollection<string> Nodes);

/// <summary>The required anti-affinity of the pods on the nodes, by the namespaces that it is about. Most namespaces have none.</summary>
public sealed class AntiAffinity
{
    readonly ILookup<string, RepellingPods> byNamespace;
    readonly RepellingPods[] bySelector;

    /// <summary>Sets it up.</summary>
    public AntiAffinity(IReadOnlyCollection<RepellingPods> pods)
    {
        byNamespace = pods.SelectMany(p => p.Term.Namespaces, (p, ns) => (Namespace: ns, Pods: p)).ToLookup(p => p.Namespace, p => p.Pods, StringComparer.Ordinal);
        bySelector = [.. pods.Where(p => p.Term.NamespaceSelector is not null)];
    }

    /// <summary>No pod keeps another away.</summary>
    public static AntiAffinity None { get; } = new([]);

    /// <summary>Whether some term is about pods of this namespace, so that a decision needs all labels of the pod.</summary>
    public bool AppliesTo(string @namespace) =>
        byNamespace.Contains(@namespace) || bySelector.Any(@namespace, static (pods, ns) => pods.Term.AppliesTo(ns));

    /// <summary>From where the pod is kept away: the values of node labels, by key; <see langword="null"/> for nowhere.</summary>
    /// <param name="pod">The pod, with all its labels.</param>
    /// <param name="view">The nodes.</param>
    public IReadOnlyDictionary<string, IReadOnlySet<string>>? RepelledFrom(PodFacts pod, ClusterView view)
    {
        if (!AppliesTo(pod.Namespace))
        {
            return null;
        }

        var places = byNamespace[pod.Namespace].Concat(bySelector).Where(p => p.Term.Repels(pod))
            .SelectMany(p => p.Nodes, (p, node) => (Key: p.Term.TopologyKey, Value: view.Find(node)?.Label(p.Term.TopologyKey)))
            .Where(p => p.Value is not null).ToLookup(p => p.Key, p => p.Value!);
        return places.Count == 0 ? null : places.ToDictionary(p => p.Key, p => (IReadOnlySet<string>)p.ToHashSet(StringComparer.Ordinal));
    }
}
