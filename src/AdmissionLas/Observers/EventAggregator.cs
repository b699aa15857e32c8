namespace AdmissionLas.Observers;

/// <summary>A burst of problems as few events: the first few of a namespace and reason one by one, the rest of the minute in one at its end.</summary>
/// <remarks>Not for several threads at once.</remarks>
sealed class EventAggregator(TimeProvider time)
{
    /// <summary>How many of a kind are told one by one.</summary>
    internal const int MaxSentSingly = 3;

    /// <summary>Namespaces are few, but who makes many must not fill the memory; those beyond are not told of.</summary>
    internal const int MaxGroups = 500;

    /// <summary>How long a group lasts.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    readonly Dictionary<(string Namespace, string Reason), Group> groups = [];

    /// <summary>Takes a problem in.</summary>
    /// <returns>Whether to tell of it now. Otherwise it is counted, and <see cref="Ended"/> tells.</returns>
    internal bool ShouldSendNow(in PlacementProblem problem)
    {
        var key = (problem.Namespace, problem.Reason);
        if (!groups.TryGetValue(key, out var group))
        {
            if (groups.Count >= MaxGroups)
            {
                return false;
            }

            groups[key] = group = new Group(time.GetTimestamp());
        }

        // What an owner was told once in a minute it knows.
        if (group.Told.Count < MaxSentSingly && group.Told.Add(problem.Owner))
        {
            return true;
        }

        group.More++;
        group.Last = problem;
        return false;
    }

    /// <summary>Closes the groups whose time is up, and tells the last of each that was held back, with how many were.</summary>
    internal IReadOnlyList<(PlacementProblem Last, int Count)> Ended()
    {
        List<(PlacementProblem, int)>? ended = null;
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
        internal readonly HashSet<InvolvedObject> Told = [];
        internal int More;
        internal PlacementProblem Last;
    }
}
