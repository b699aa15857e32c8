namespace AdmissionLas.Placement;

/// <summary>What the preferred node affinity of a pod's author gives nodes: the weights of the terms that match, added up.</summary>
/// <remarks>Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity-weight.</remarks>
readonly struct OwnPreferences(PodFacts pod)
{
    /// <summary>The most that one term may weigh.</summary>
    const int MaxWeight = 100;

    readonly long comparisons = pod.PreferredTerms.Sum(static t =>
        1L + t.Preference.MatchExpressions.Sum(static e => e.Values.Count + 1) + t.Preference.MatchFields.Sum(static f => f.Values.Count + 1));

    /// <summary>Whether so many nodes are compared within <see cref="NodeFilter.MaxComparisons"/>.</summary>
    internal bool CanCompare(int nodes) => comparisons * nodes <= NodeFilter.MaxComparisons;

    /// <summary>What a node gets.</summary>
    internal int WeightOf(NodeFacts node)
    {
        var weight = 0;
        foreach (var (own, preference) in pod.PreferredTerms)
        {
            weight += preference.Matches(node) ? Math.Clamp(own, 0, MaxWeight) : 0;
        }

        return weight;
    }

    /// <summary>What each gets; where they are too many to be compared, as if the first got nothing and all others enough to outweigh ours.</summary>
    internal int[] WeightsOf(List<RankedNode> nodes)
    {
        var weights = new int[nodes.Count];
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = CanCompare(nodes.Count) ? WeightOf(nodes[i].Node) : i == 0 ? 0 : MaxWeight;
        }

        return weights;
    }
}
