namespace AdmissionLas.Placement;

/// <summary>
/// Sorted arrays that follow changes. In a large cluster some node changes all the time; what a new view then costs is a copy of each
/// ranking, where sorting it anew would cost a hundred times as much.
/// </summary>
static class Ranking
{
    /// <summary>The ranking after some entries have gone and others have come.</summary>
    /// <param name="ranked">The ranking, in the order; no two entries are equal by it.</param>
    /// <param name="gone">Entries of it.</param>
    /// <param name="come">Entries that are not in it once the others are gone, in any order.</param>
    /// <param name="order">A total order.</param>
    internal static T[] After<T>(T[] ranked, IEnumerable<T> gone, IEnumerable<T> come, Comparison<T> order)
    {
        var comparer = Comparer<T>.Create(order);
        var without = gone.Select(g => Array.BinarySearch(ranked, g, comparer)).ToArray();
        var added = come.ToArray();
        Array.Sort(without);
        Array.Sort(added, comparer);
        var after = new T[ranked.Length - without.Length + added.Length];
        var (read, written, skipped) = (0, 0, 0);
        foreach (var entry in added)
        {
            var at = Array.BinarySearch(ranked, entry, comparer);
            CopyTo(at < 0 ? ~at : at);
            after[written++] = entry;
        }

        CopyTo(ranked.Length);
        return after;

        void CopyTo(int end)
        {
            for (; skipped < without.Length && without[skipped] < end; skipped++)
            {
                Copy(without[skipped]);
                read = without[skipped] + 1;
            }

            Copy(end);
            read = end;
        }

        void Copy(int end)
        {
            ranked.AsSpan(read, end - read).CopyTo(after.AsSpan(written));
            written += end - read;
        }
    }
}
