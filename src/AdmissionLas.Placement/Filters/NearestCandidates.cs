using System.Runtime.InteropServices;

namespace AdmissionLas.Placement;

/// <summary>Finds the nodes nearest to a location that can run a pod.</summary>
static class NearestCandidates
{
    /// <summary>
    /// Of nodes at the very same latency so many are compared by what they have left, the largest first; a label that a whole zone shares
    /// must not cost a look at the whole zone.
    /// </summary>
    const int MaxEquals = 64;

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

    /// <summary>Adds nodes up to the limit; returns whether it came by some of the other kind.</summary>
    static bool AddNearest(List<RankedNode> nearest, ReadOnlySpan<RankedNode> ranked, in NodeFilter filter, int limit, bool now, bool avoided)
    {
        var equals = 0;
        var others = false;
        foreach (ref readonly var next in ranked)
        {
            if (equals > 0 && next.LatencyMs > nearest[^1].LatencyMs)
            {
                FreestFirst(nearest, equals, filter);
                equals = 0;
                if (nearest.Count >= limit)
                {
                    break;
                }
            }

            if (filter.IsAvoided(next.Node) != avoided)
            {
                others = true;
            }
            else if ((now ? filter.FitsNow(next.Node) : filter.FitsWhenEmpty(next.Node)) == FilterResult.CanRun)
            {
                nearest.Add(next);
                if (++equals == MaxEquals)
                {
                    break;
                }
            }
        }

        FreestFirst(nearest, equals, filter);
        nearest.RemoveRange(Math.Min(limit, nearest.Count), Math.Max(0, nearest.Count - limit));
        return others;
    }

    /// <summary>Sorts the last few, which are equally near: the most free CPU first, then memory, then by name.</summary>
    static void FreestFirst(List<RankedNode> nodes, int last, NodeFilter filter)
    {
        if (last > 1)
        {
            var filtered = filter;
            CollectionsMarshal.AsSpan(nodes)[^last..].Sort((a, b) =>
            {
                var (freeA, freeB) = (filtered.FreeOn(a.Node), filtered.FreeOn(b.Node));
                return freeA.CpuMilliOrZero != freeB.CpuMilliOrZero ? freeB.CpuMilliOrZero.CompareTo(freeA.CpuMilliOrZero)
                    : freeA.MemoryBytesOrZero != freeB.MemoryBytesOrZero ? freeB.MemoryBytesOrZero.CompareTo(freeA.MemoryBytesOrZero)
                    : string.CompareOrdinal(a.Node.Name, b.Node.Name);
            });
        }
    }
}
