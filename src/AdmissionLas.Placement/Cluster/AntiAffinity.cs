using System.Collections.Concurrent;

namespace AdmissionLas.Placement;

/// <summary>
/// A term of a pod's required anti-affinity. It works both ways: where that pod is, the scheduler lets no pod run that the term selects.
/// Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#inter-pod-affinity-and-anti-affinity.
/// </summary>
/// <param name="TopologyKey">The node label whose value is the place that the two must not share.</param>
/// <param name="Selector">The labels of the pods that are kept away; <see langword="null"/> where these are not known.</param>
/// <param name="Namespaces">Their namespaces by name.</param>
/// <param name="NamespaceSelector">Their namespaces by label, <see langword="null"/> for none; an empty one selects all.</param>
public sealed record AntiAffinityTerm(
    string TopologyKey, IReadOnlyList<NodeSelectorRequirement>? Selector, IReadOnlyList<string> Namespaces,
    IReadOnlyList<NodeSelectorRequirement>? NamespaceSelector)
{
    /// <summary>The label of a namespace that is always known, because its value is the name.</summary>
    public const string NamespaceNameKey = "kubernetes.io/metadata.name";

    /// <summary>The topology key where the place is not known.</summary>
    public const string Anywhere = "";

    /// <summary>Whether the term is about pods of a namespace; <see langword="null"/> when labels of it would say that are not known.</summary>
    /// <param name="namespace">Its name.</param>
    /// <param name="labels">Its labels; <see langword="null"/> when they are not known.</param>
    public bool? AppliesTo(string @namespace, IReadOnlyDictionary<string, string>? labels) =>
        Namespaces.Contains(@namespace) ? true
        : NamespaceSelector is null ? false
        : labels is not null ? NamespaceSelector.All(r => r.IsMetBy(labels.GetValueOrDefault(r.Key)))
        : !NamespaceSelector.All(r => r.Key != NamespaceNameKey || r.IsMetBy(@namespace)) ? false
        : NamespaceSelector.All(r => r.Key == NamespaceNameKey) ? true
        : null;

    /// <summary>Whether it may select the pod by its labels.</summary>
    public bool MaySelect(PodFacts pod) => Selector?.All(pod, static (r, pod) => r.IsMetBy(pod.Label(r.Key))) != false;
}

/// <summary>The required anti-affinity of a pod. The pods of a controller all have the same.</summary>
/// <param name="Key">What tells it from others.</param>
/// <param name="Terms">Its terms.</param>
public sealed record PodAntiAffinity(string Key, IReadOnlyList<AntiAffinityTerm> Terms)
{
    /// <summary>So many namespaces, and kinds of place, are kept of what is too large to be kept.</summary>
    const int MaxNames = 8;

    /// <summary>One that may keep any pod away from anywhere.</summary>
    public static PodAntiAffinity Unknown { get; } = new("?", [new AntiAffinityTerm(AntiAffinityTerm.Anywhere, null, [], [])]);

    /// <summary>What is left of one that is too large to be kept: it may keep any pod of its namespaces away from its places.</summary>
    public static PodAntiAffinity UnknownOf(IEnumerable<AntiAffinityTerm> terms)
    {
        SortedSet<string> namespaces = new(StringComparer.Ordinal), topologyKeys = new(StringComparer.Ordinal);
        var isAboutAll = false;
        foreach (var term in terms)
        {
            topologyKeys.Add(term.TopologyKey);
            namespaces.UnionWith(term.Namespaces);
            isAboutAll |= term.NamespaceSelector is not null || namespaces.Count > MaxNames;
            if (topologyKeys.Count > MaxNames)
            {
                return Unknown;
            }
        }

        IReadOnlyList<string> names = isAboutAll ? [] : [.. namespaces];
        return new PodAntiAffinity(
            $"? {string.Join(',', topologyKeys)} {(isAboutAll ? "*" : string.Join(',', names))}",
            [.. topologyKeys.Select(key => new AntiAffinityTerm(key, null, names, isAboutAll ? [] : null))]);
    }

    /// <inheritdoc/>
    public bool Equals(PodAntiAffinity? other) => Key == other?.Key;

    /// <inheritdoc/>
    public override int GetHashCode() => Key.GetHashCode(StringComparison.Ordinal);
}

/// <summary>An anti-affinity and the nodes on which there are pods that have it.</summary>
/// <param name="Own">The anti-affinity.</param>
/// <param name="Nodes">The names of the nodes.</param>
public sealed record RepellingPods(PodAntiAffinity Own, IReadOnlyCollection<string> Nodes);

/// <summary>The required anti-affinity of the pods on the nodes. Little of it is about the namespace of a pod under review.</summary>
/// <param name="pods">The pods.</param>
/// <param name="namespaceLabels">The labels of namespaces by name, where they are known.</param>
public sealed class AntiAffinity(
    IReadOnlyCollection<RepellingPods> pods, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>?>? namespaceLabels = null)
{
    /// <summary>So many nodes are looked at for a pod: anybody who creates pods decides how many there are.</summary>
    const int MaxNodes = 8192;

    /// <summary>For so many namespaces it is kept which terms are about them.</summary>
    const int MaxNamespaces = 1024;

    readonly ConcurrentDictionary<string, Concern[]> byNamespace = new(StringComparer.Ordinal);

    /// <summary>No pod keeps another away.</summary>
    public static AntiAffinity None { get; } = new([]);

    /// <summary>Whether some term may be about pods of this namespace, so that a decision needs all labels of the pod.</summary>
    public bool AppliesTo(string @namespace) => Concerning(@namespace).Length > 0;

    /// <summary>The pod with what is known of where it is kept away.</summary>
    /// <param name="pod">The pod, with all its labels.</param>
    /// <param name="view">The nodes.</param>
    public PodFacts Judge(PodFacts pod, ClusterView view)
    {
        var concerns = Concerning(pod.Namespace);
        if (concerns.Length == 0)
        {
            return pod;
        }

        NodePlaces from = new(), maybeFrom = new();
        var nodesLeft = MaxNodes;
        foreach (var (term, nodes, isAbout) in concerns)
        {
            if (term.MaySelect(pod))
            {
                nodesLeft -= nodes.Count;
                var isSure = term.Selector is not null && isAbout == true;
                maybeFrom.IsAnywhere |= nodesLeft < 0 || term.TopologyKey == AntiAffinityTerm.Anywhere || !(isSure ? from : maybeFrom).TryAdd(term.TopologyKey, nodes, view);
            }
        }

        return pod with { RepelledFrom = from.OrNull, MayBeRepelledFrom = maybeFrom.OrNull };
    }

    Concern[] Concerning(string @namespace)
    {
        if (pods.Count == 0)
        {
            return [];
        }

        if (!byNamespace.TryGetValue(@namespace, out var concerns))
        {
            var labels = namespaceLabels?.GetValueOrDefault(@namespace);
            concerns = [.. pods.SelectMany(p => p.Own.Terms, (p, term) => new Concern(term, p.Nodes, term.AppliesTo(@namespace, labels))).Where(c => c.IsAbout != false)];
            if (byNamespace.Count < MaxNamespaces)
            {
                byNamespace[@namespace] = concerns;
            }
        }

        return concerns;
    }

    /// <param name="Term">A term.</param>
    /// <param name="Nodes">Where there are pods that have it.</param>
    /// <param name="IsAbout">Whether it is about the namespace.</param>
    readonly record struct Concern(AntiAffinityTerm Term, IReadOnlyCollection<string> Nodes, bool? IsAbout);
}
