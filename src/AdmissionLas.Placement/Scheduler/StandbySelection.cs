namespace AdmissionLas.Placement;

/// <summary>
/// The nodes to which the mode <see cref="PlacementMode.Adaptive"/> keeps a pod: the nearest that has room, and beside it only nodes that
/// the scheduler will not pick as long as the nearest is there.
/// </summary>
/// <remarks>
/// <para>
/// Preference alone is worth 100 points a weight of the NodeAffinity plugin. A node that is almost empty and has the pod's image can make up
/// for that against the nearest one, and the pod lands there. So nodes that could do so are left out. Requiring the nearest alone would be
/// as sure, but it could go or be filled by others between our answer and the scheduler's, and the pod would wait for ever. So others are
/// let in as standbys: where the pod could run, and would lose by <see cref="SchedulerScore"/> to the nearest.
/// </para>
/// <para>
/// What was placed or just assumed is in the usage by which room and scores are counted. The standbys are as many as it takes for
/// <see cref="MaxMissing"/> nodes to go or <see cref="SpareRoom"/> pods like this one to come in between, and no more: each makes the patch longer.
/// </para>
/// </remarks>
static class StandbySelection
{
    /// <summary>So many standbys, if there are so many; the second is for when the first goes too.</summary>
    const int MaxMissing = 2;

    /// <summary>The standbys together have room for so many pods of this size, if there are such.</summary>
    const int SpareRoom = 8;

    /// <summary>What rounding may cost: each plugin cuts its points to whole ones.</summary>
    const double Slack = 4;

    /// <summary>
    /// So many pods that come after this one may be scheduled before it, to the same node, which is worth less to the scheduler then: in a burst it
    /// does not see the pods in the order in which we do.
    /// </summary>
    const int Overtaking = 16;

    /// <summary>
    /// The others weigh 1. So the nearest leads its first standby by 94 points and the others by 99, and the first standby them by 83 when the
    /// nearest is gone (<see cref="PreferenceWeights"/> has the arithmetic).
    /// </summary>
    const int FirstStandbyWeight = 6;

    const int LastStandbyWeight = 1;

    [ThreadStatic]
    static List<Member>? membersOfThread;

    /// <summary>The members with their weights, the chosen one first, the standbys by latency after it; valid until the thread asks again.</summary>
    /// <param name="candidates">Those that have room for the pod: the nearest first, and those that the scheduler avoids last.</param>
    /// <param name="filter">What fits.</param>
    /// <param name="score">What the scheduler will think of them.</param>
    /// <param name="view">Tells which of them can be named in a requirement.</param>
    /// <param name="affinityWeight">The weight of the scheduler's NodeAffinity plugin.</param>
    /// <param name="ownWeight">What the author's own preferred terms weigh together: a standby may have all of it, and the nearest nothing.</param>
    /// <param name="allWouldWin">The nearest stands alone because the scheduler would pick any of the others before it.</param>
    internal static List<Member> Choose(
        List<RankedNode> candidates, in NodeFilter filter, in SchedulerScore score, ClusterView view, int affinityWeight, int ownWeight,
        out bool allWouldWin)
    {
        var chosen = candidates[0];
        var members = membersOfThread ??= new List<Member>(PlacementPolicy.NamedNodesLimit);
        members.Clear();
        members.Add(new Member(chosen, 100, 0));
        // More pods cost points, yet they can make a lopsided node balanced: what it is worth in between is never less than at one of the ends.
        var chosenScore = Math.Min(score.Of(chosen.Node), score.Of(chosen.Node, Math.Min(Overtaking, filter.RoomOn(chosen.Node, 1 + Overtaking) - 1)));
        var chosenTaints = filter.AvoidingTaints(chosen.Node);
        var standbyWeight = FirstStandbyWeight;
        var spare = 0L;
        for (var i = 1; i < candidates.Count && (members.Count <= MaxMissing || spare < SpareRoom); i++)
        {
            var (node, latencyMs) = candidates[i];
            if (view.UniqueHostname(node) is null || filter.AvoidingTaints(node) < chosenTaints)
            {
                continue;
            }

            if (latencyMs == chosen.LatencyMs)
            {
                members.Add(new Member(candidates[i], PreferenceWeights.TiedWithFirst, i));
            }
            else if (score.Of(node) - chosenScore + Slack <= LeadOver(standbyWeight))
            {
                members.Add(new Member(candidates[i], standbyWeight, i));
                standbyWeight = LastStandbyWeight;
            }
            else
            {
                continue;
            }

            spare += filter.RoomOn(node, SpareRoom);
        }

        allWouldWin = AddWeakest(members, spare, candidates, filter, score, view, LeadOver(LastStandbyWeight));
        return members;

        int LeadOver(int weight) => affinityWeight * (100 - Math.Min(100, weight + ownWeight));
    }

    /// <summary>
    /// Where too few are sure to lose whatever comes in between, those that lose as things are have to do, the weakest first: a pod on the second best
    /// node is worth more than one that waits for ever for the best.
    /// </summary>
    /// <returns>Whether there are others, and each of them would win as things are.</returns>
    static bool AddWeakest(
        List<Member> members, long spare, List<RankedNode> candidates, in NodeFilter filter, in SchedulerScore score, ClusterView view, int lead)
    {
        var chosen = candidates[0].Node;
        while (members.Count == 1 || spare < SpareRoom)
        {
            var weakest = 0;
            var least = double.MaxValue;
            for (var i = 1; i < candidates.Count; i++)
            {
                var node = candidates[i].Node;
                if (view.UniqueHostname(node) is not null && filter.AvoidingTaints(node) >= filter.AvoidingTaints(chosen) && score.Of(node) < least &&
                    IndexOf(members, i) < 0)
                {
                    (weakest, least) = (i, score.Of(node));
                }
            }

            if (weakest == 0 || least - score.Of(chosen) + Slack > lead)
            {
                return weakest != 0 && members.Count == 1;
            }

            members.Insert(~IndexOf(members, weakest), new Member(candidates[weakest], LastStandbyWeight, weakest));
            spare += filter.RoomOn(candidates[weakest].Node, SpareRoom);
        }

        return false;
    }

    /// <summary>Where a candidate is among the members, or the complement of where it belongs.</summary>
    static int IndexOf(List<Member> members, int candidate)
    {
        var i = 0;
        while (i < members.Count && members[i].Candidate < candidate)
        {
            i++;
        }

        return i < members.Count && members[i].Candidate == candidate ? i : ~i;
    }

    /// <summary>A node of the set.</summary>
    /// <param name="Ranked">The node.</param>
    /// <param name="Weight">The weight of its preferred term.</param>
    /// <param name="Candidate">Which of the candidates it is; the members are in their order.</param>
    internal readonly record struct Member(RankedNode Ranked, int Weight, int Candidate);
}
