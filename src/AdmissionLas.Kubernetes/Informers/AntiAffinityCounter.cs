namespace AdmissionLas.Kubernetes;

/// <summary>
/// Counts on which nodes there are pods with which required anti-affinity. What many pods have is kept once, and there is a bound to all of it:
/// every user who creates pods can write it. Beyond, it counts as unknown.
/// </summary>
sealed class AntiAffinityCounter
{
    // A short one takes more than its characters: this is at most 4,096 of them, and 20 MB.
    const int MaxCharacters = 1 << 20;
    const int LeastCharacters = 256;

    readonly Dictionary<string, Group> groups = new(StringComparer.Ordinal);
    IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>?>? namespaceLabels;
    long characters;
    AntiAffinity? current = AntiAffinity.None;

    /// <summary>The anti-affinity of all pods. It is put together when it is read.</summary>
    internal AntiAffinity Current => current ??= new AntiAffinity([.. groups.Values.Select(g => g.ToPods())], namespaceLabels);

    /// <summary>The labels of the namespaces that are known.</summary>
    internal void SetNamespaces(IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>?>? labels) => (namespaceLabels, current) = (labels, null);

    /// <summary>Counts a pod.</summary>
    /// <returns>What it counts as, for <see cref="Remove"/>.</returns>
    internal PodAntiAffinity Add(PodAntiAffinity pod, string node)
    {
        var group = Find(pod, MaxCharacters) ?? Find(PodAntiAffinity.UnknownOf(pod.Terms), 2 * MaxCharacters) ?? Find(PodAntiAffinity.Unknown, long.MaxValue)!;
        if (group.Add(node, 1))
        {
            current = null;
        }

        return group.Own;
    }

    /// <summary>Counts a pod no longer.</summary>
    internal void Remove(PodAntiAffinity counted, string node)
    {
        var group = groups[counted.Key];
        if (group.Add(node, -1))
        {
            current = null;
        }

        if (group.IsEmpty)
        {
            groups.Remove(counted.Key);
            characters -= Cost(counted);
        }
    }

    /// <summary>Counts no pod any more.</summary>
    internal void Clear()
    {
        groups.Clear();
        (characters, current) = (0, AntiAffinity.None);
    }

    Group? Find(PodAntiAffinity own, long most)
    {
        if (groups.TryGetValue(own.Key, out var known) || characters + Cost(own) > most)
        {
            return known;
        }

        characters += Cost(own);
        return groups[own.Key] = new Group(own);
    }

    static int Cost(PodAntiAffinity own) => Math.Max(LeastCharacters, own.Key.Length);

    sealed class Group(PodAntiAffinity own)
    {
        readonly Dictionary<string, int> podsOn = new(StringComparer.Ordinal);
        RepellingPods? pods;

        internal PodAntiAffinity Own => own;

        internal bool IsEmpty => podsOn.Count == 0;

        internal RepellingPods ToPods() => pods ??= new RepellingPods(own, [.. podsOn.Keys]);

        /// <returns>Whether the nodes are others now.</returns>
        internal bool Add(string node, int sign)
        {
            var count = podsOn[node] = podsOn.GetValueOrDefault(node) + sign;
            var hasChanged = count == 0 ? podsOn.Remove(node) : count == 1 && sign > 0;
            pods = hasChanged ? null : pods;
            return hasChanged;
        }
    }
}
