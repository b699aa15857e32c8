namespace AdmissionLas.Placement;

/// <summary>Finds the nodes nearest to a location that can run a pod.</summary>
static class NearestCandidates
{
    /// <summary>
    /// Of nodes at the very same latency so many are compared by what they have left, the largest first; a label that a whole zone shares
    /// must not cost a look at the whole zone.
    /// </summary>
    const int MaxEquals = 64;

    /// <summary>So many nodes are looked at for further kinds.</summary>
    const int MaxKindNodes = 128;

    /// <summary>
    /// The nearest nodes that can run the pod, at most <see cref="PlacementPolicy.NamedNodes"/>. Those that the scheduler avoids for a taint come
    /// last, because that is where it puts them: a decision that names one of them first would not come true.
    /// </summary>
    /// <param name="ranked">The nodes with a latency to the location, the nearest first.</param>
    /// <param name="filter">Which of them can run the pod.</param>
    /// <param name="limit">How many are wanted.</param>
    /// <param name="now">Beside the pods that are there; otherwise as if the nodes were empty.</param>
    internal static List<RankedNode> Find(ReadOnlySpan<RankedNode> ranked, in NodeFilter filter, int limit, bool now)
    {
        var candidates = new List<RankedNode>(Math.Min(limit, ranked.Length));
        var someAreAvoided = AddNearest(candidates, ranked, filter, limit, now, avoided: false);
        if (someAreAvoided && candidates.Count < limit)
        {
            AddNearest(candidates, ranked, filter, limit, now, avoided: true);
        }

        return candidates;
    }

    /// <summary>
    /// Adds the nearest node of each further kind, for a pod whose nodes are narrowed later by a label: whatever value is asked for, the nearest that has
    /// it is among those that are named. A kind is a label value that several nodes share and no candidate has.
    /// </summary>
    /// <param name="candidates">The nearest nodes, to which others are added.</param>
    /// <param name="ranked">The nodes with a latency to the location, the nearest first.</param>
    /// <param name="filter">Which of them can run the pod.</param>
    /// <param name="now">Beside the pods that are there; otherwise as if the nodes were empty.</param>
    internal static void AddKinds(List<RankedNode> candidates, ReadOnlySpan<RankedNode> ranked, in NodeFilter filter, bool now)
    {
        ranked = ranked[..Math.Min(ranked.Length, MaxKindNodes)];
        var nodesWith = new Dictionary<KeyValuePair<string, string>, int>();
        foreach (ref readonly var node in ranked)
        {
            foreach (var label in node.Node.Labels)
            {
                nodesWith[label] = nodesWith.GetValueOrDefault(label) + 1;
            }
        }

        var known = candidates.SelectMany(c => c.Node.Labels).ToHashSet();
        var farthestMs = candidates.Count == 0 ? 0 : candidates.Max(c => c.LatencyMs);
        foreach (ref readonly var node in ranked)
        {
            if (candidates.Count == PlacementPolicy.NamedNodesLimit)
            {
                return;
            }

            if (node.LatencyMs >= farthestMs && node.Node.Labels.Any(l => nodesWith[l] > 1 && !known.Contains(l)) &&
                (now ? filter.FitsNow(node.Node) : filter.FitsWhenEmpty(node.Node)) == FilterResult.CanRun)
            {
                candidates.Add(node);
                known.UnionWith(node.Node.Labels);
            }
        }
    }

    /// <summary>Adds nodes up to the limit; returns whether it came by some of the other kind.</summary>
    static bool AddNearest(List<RankedNode> nearest, ReadOnlySpan<RankedNode> ranked, in NodeFilter filter, int limit, bool now, bool avoided)
    {
        var (start, equals, equalMs) = (nearest.Count, 0, double.NaN);
        var others = false;
        foreach (ref readonly var next in ranked)
        {
            equals = next.LatencyMs == equalMs ? equals : 0;
            equalMs = next.LatencyMs;
            if (equals == MaxEquals || (nearest.Count == limit && next.LatencyMs > nearest[^1].LatencyMs))
            {
                break;
            }

            if (filter.IsAvoided(next.Node) != avoided)
            {
                others = true;
            }
            else if ((now ? filter.FitsNow(next.Node) : filter.FitsWhenEmpty(next.Node)) == FilterResult.CanRun)
            {
                Insert(nearest, start, next, filter, limit);
                equals++;
            }
        }

        return others;
    }

    // Behind the nodes that are nearer, or as near and freer. What is beyond the limit falls out.
    static void Insert(List<RankedNode> nearest, int start, RankedNode node, in NodeFilter filter, int limit)
    {
        var at = nearest.Count;
        while (at > start && nearest[at - 1].LatencyMs == node.LatencyMs && IsFreer(node.Node, nearest[at - 1].Node, filter))
        {
            at--;
        }

        if (at < limit)
        {
            nearest.RemoveRange(Math.Min(nearest.Count, limit - 1), nearest.Count == limit ? 1 : 0);
            nearest.Insert(at, node);
        }
    }

    // The most free CPU first, then memory, then by name.
    static bool IsFreer(NodeFacts node, NodeFacts than, in NodeFilter filter)
    {
        var (a, b) = (filter.FreeOn(node), filter.FreeOn(than));
        return a.CpuMilliOrZero != b.CpuMilliOrZero ? a.CpuMilliOrZero > b.CpuMilliOrZero
            : a.MemoryBytesOrZero != b.MemoryBytesOrZero ? a.MemoryBytesOrZero > b.MemoryBytesOrZero
            : string.CompareOrdinal(node.Name, than.Name) < 0;
    }
}
