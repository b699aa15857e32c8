namespace AdmissionLas.Events;

/// <summary>A burst of setbacks as few events: the first few of a namespace and reason one by one, the rest of the minute in one at its end.</summary>
/// <remarks>Not for several threads at once.</remarks>
sealed class EventGroups(TimeProvider time)
{
    /// <summary>How many of a kind are told one by one.</summary>
    internal const int ToldOneByOne = 3;

    /// <summary>Namespaces are few, but who makes many must not fill the memory; those beyond are not told of.</summary>
    internal const int MostGroups = 500;

    /// <summary>How long a group lasts.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    readonly Dictionary<(string Namespace, string Reason), Group> groups = [];

    /// <summary>Takes a setback in.</summary>
    /// <returns>Whether to tell of it now. Otherwise it is counted, and <see cref="Ended"/> tells.</returns>
    internal bool TellNow(in Setback setback)
    {
        var key = (setback.Namespace, setback.Reason);
        if (!groups.TryGetValue(key, out var group))
        {
            if (groups.Count >= MostGroups)
            {
                return false;
            }

            groups[key] = group = new Group(time.GetTimestamp());
        }

        // What an owner was told once in a minute it knows.
        if (group.Told.Count < ToldOneByOne && group.Told.Add(setback.Owner))
        {
            return true;
        }

        group.More++;
        group.Last = setback;
        return false;
    }

    /// <summary>Closes the groups whose time is up, and tells the last of each that was held back, with how many were.</summary>
    internal IReadOnlyList<(Setback Last, int Count)> Ended()
    {
        List<(Setback, int)>? ended = null;
        foreach (var (key, group) in groups)
        {
            if (time.GetElapsedTime(group.Since) < Window)
            {
                continue;
            }

            groups.Remove(key);
            if (group.More > 0)
            {
                (ended ??= []).Add((group.Last, group.More));
            }
        }

        return ended ?? [];
    }

    sealed class Group(long since)
    {
        internal readonly long Since = since;
        internal readonly HashSet<StepOwner> Told = [];
        internal int More;
        internal Setback Last;
    }
}
