namespace AdmissionLas.Placement;

/// <summary>Places where nodes are: values of node labels, by key.</summary>
public sealed class NodePlaces
{
    /// <summary>Each further key is looked for on every node that is judged.</summary>
    const int MaxKeys = 16;

    readonly Dictionary<string, HashSet<string>> valuesOf = new(StringComparer.Ordinal);

    /// <summary>Every node counts as in one of them.</summary>
    internal bool IsAnywhere { get; set; }

    /// <summary>The places; <see langword="null"/> where there are none.</summary>
    internal NodePlaces? OrNull => IsAnywhere || valuesOf.Count > 0 ? this : null;

    /// <summary>Whether the node is in one of them.</summary>
    public bool Contain(NodeFacts node)
    {
        foreach (var (key, values) in valuesOf)
        {
            if (node.Label(key) is { } value && values.Contains(value))
            {
                return true;
            }
        }

        return IsAnywhere;
    }

    /// <summary>Adds the places of nodes. One without the label is in none.</summary>
    /// <returns><see langword="false"/> when there are too many keys.</returns>
    internal bool TryAdd(string topologyKey, IReadOnlyCollection<string> nodes, ClusterView view)
    {
        foreach (var node in nodes)
        {
            if (view.Find(node)?.Label(topologyKey) is { } value)
            {
                if (!valuesOf.TryGetValue(topologyKey, out var values))
                {
                    if (valuesOf.Count == MaxKeys)
                    {
                        return false;
                    }

                    valuesOf[topologyKey] = values = new HashSet<string>(StringComparer.Ordinal);
                }

                values.Add(value);
            }
        }

        return true;
    }
}
