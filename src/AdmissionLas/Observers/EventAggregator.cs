namespace AdmissionLas.Observers;

/// <summary>A burst of problems as few events: the first few of a namespace and reason one by one, the rest of the minute in one at its end.</summary>
/// <remarks>Not for several threads at once.</remarks>
sealed class EventAggregator(TimeProvider time)
{
    /// <summary>How many of a kind are sent one by one.</summary>
    internal const int MaxSentSingly = 3;

    /// <summary>A tenant that makes many namespaces must not fill the memory; the problems of those beyond are dropped.</summary>
    internal const int MaxGroups = 500;

    /// <summary>How long a group lasts.</summary>
    internal static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    readonly Dictionary<(string Namespace, string Reason), Group> groups = [];

    /// <summary>Takes a problem in.</summary>
    /// <returns>Whether to send it now. Otherwise it is counted, and <see cref="Ended"/> returns the count.</returns>
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

        // One Event a minute for an owner is enough.
        if (group.Sent.Count < MaxSentSingly && group.Sent.Add(problem.Owner))
        {
            return true;
        }

        group.More++;
        group.Last = problem;
        return false;
    }

    /// <summary>Closes the groups whose time is up; returns the last problem of each that was held back, with how many were.</summary>
    internal IReadOnlyList<(PlacementProblem Last, int Count)> Ended()
    {
        var ended = groups.Where(g => time.GetElapsedTime(g.Value.Since) >= Window).ToArray();
        Array.ForEach(ended, g => groups.Remove(g.Key));
        return [.. ended.Where(g => g.Value.More > 0).Select(g => (g.Value.Last, g.Value.More))];
    }

    sealed class Group(long since)
    {
        internal readonly long Since = since;
        internal readonly HashSet<OwnerReference> Sent = [];
        internal int More;
        internal PlacementProblem Last;
    }
}
