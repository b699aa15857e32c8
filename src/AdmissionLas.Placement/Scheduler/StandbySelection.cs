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
/// let in as standbys: where the pod could run, and would lose by <see cref="SchedulerScoring"/> to the nearest.
/// </para>
/// <para>
/// Where the scheduler's strategy is not known, a standby counts as if it got all the points that load can give, and the nearest none.
/// What the author's own preferred terms give a node counts for or against it: the scheduler adds the weights of all terms up.
/// What was placed or just assumed is in the usage by which room and scores are counted. As many standbys are ranked as it takes for
/// <see cref="MaxMissing"/> nodes to go or <see cref="SpareRoom"/> pods like this one to come in between. The others among the nodes that a patch
/// may name are let in without a rank: that costs a name each, unless the author has several terms, which each would be repeated with it.
/// </para>
/// </remarks>
struct StandbySelection
{
    /// <summary>So many standbys, if there are so many; the second is for when the first goes too.</summary>
    const int MaxMissing = 2;

    /// <summary>The standbys together have room for so many pods of this size, if there are such.</summary>
    internal const int SpareRoom = 8;

    /// <summary>What rounding may cost: each plugin cuts its points to whole ones.</summary>
    const double Slack = 4;

    /// <summary>
    /// So many pods that come after this one may be scheduled before it, to the same node, which is worth less to the scheduler then: in a burst it
    /// does not see the pods in the order in which we do.
    /// </summary>
    const int Overtaking = 16;

    const int NearestWeight = 100;

    /// <summary>
    /// The others weigh 1. So the nearest leads its first standby by 94 points and the others by 99, and the first standby them by 83 when the
    /// nearest is gone (<see cref="PreferenceWeights"/> has the arithmetic).
    /// </summary>
    const int FirstStandbyWeight = 6;
    const int LastStandbyWeight = 1;
    const int NoWeight = 0;

    readonly List<RankedNode> candidates;
    readonly NodeFilter filter;
    readonly SchedulerScoring scoring;
    readonly PlacementRequest request;
    readonly int minTaints;

    /// <summary>What the author's own preferred terms give each candidate, and the largest sum of weights of those as near as the nearest.</summary>
    readonly int[]? own;
    readonly int most = NearestWeight;
    readonly List<Member> members;
    long spare;

    StandbySelection(List<RankedNode> candidates, in NodeFilter filter, SchedulerScoring scoring, in PlacementRequest request)
    {
        (this.candidates, this.filter, this.scoring, this.request, members) = (candidates, filter, scoring, request, new(candidates.Count));
        minTaints = filter.AvoidingTaints(candidates[0].Node);
        if (request.Pod.PreferredTerms.Count > 0)
        {
            var (weights, nearestMs) = (new OwnPreferences(request.Pod).WeightsOf(candidates), candidates[0].LatencyMs);
            own = weights;
            most = candidates.Index().Where(c => c.Item.LatencyMs == nearestMs)
                .Max(c => (c.Index == 0 ? NearestWeight : PreferenceWeights.TiedWithFirst) + weights[c.Index]);
        }
    }

    /// <summary>The members with their weights, the chosen one first, the standbys by latency after it.</summary>
    /// <param name="candidates">Those that have room for the pod, the one that should win first.</param>
    /// <param name="filter">What fits.</param>
    /// <param name="request">The pod, the nodes and the weight of the scheduler's NodeAffinity plugin.</param>
    /// <param name="allWouldWin">The nearest stands alone because the scheduler would pick any of the others before it.</param>
    internal static List<Member> Choose(List<RankedNode> candidates, in NodeFilter filter, in PlacementRequest request, out bool allWouldWin)
    {
        var selection = new StandbySelection(candidates, filter, new SchedulerScoring(request.Pod, request.View, request.Usage, request.Policy.ScoringStrategy), request);
        selection.AddSureLosers();
        allWouldWin = selection.AddWeakest();
        return selection.members;
    }

    /// <summary>Adds the nearest, and those that lose to it whatever comes in between.</summary>
    void AddSureLosers()
    {
        var chosen = candidates[0];
        members.Add(new Member(chosen, NearestWeight, 0));
        // More pods cost points, yet they can make a lopsided node balanced: what it is worth in between is never less than at one of the ends.
        var (now, later) = (scoring.LoadScore(chosen.Node), scoring.LoadScore(chosen.Node, Math.Min(Overtaking, filter.RoomOn(chosen.Node, 1 + Overtaking) - 1)));
        var mostOfAny = LoadPoints.Best.MostAbove(now, later);
        var standbyWeight = FirstStandbyWeight;
        for (var i = 1; i < candidates.Count; i++)
        {
            var (node, latencyMs) = candidates[i];
            if (!CanStandBy(node))
            {
                continue;
            }

            var isEnough = members.Count > MaxMissing && spare >= SpareRoom;
            if (isEnough && request.Pod.RequiredTerms is { Count: > 1 })
            {
                break;
            }

            var weight = isEnough ? NoWeight : latencyMs == chosen.LatencyMs ? PreferenceWeights.TiedWithFirst : standbyWeight;
            if (weight == PreferenceWeights.TiedWithFirst)
            {
                Add(i, weight, members.Count);
            }
            else if (LeadOver(i, weight) - Slack is var lead && (mostOfAny <= lead || scoring.LoadScore(node).MostAbove(now, later) <= lead))
            {
                Add(i, weight, members.Count);
                standbyWeight = LastStandbyWeight;
            }
        }
    }

    /// <summary>
    /// Where too few are sure to lose whatever comes in between, those that lose as things are have to do, the weakest first: a pod on the second best
    /// node is worth more than one that waits for ever for the best.
    /// </summary>
    /// <returns>Whether there are others, and each of them would win as things are.</returns>
    bool AddWeakest()
    {
        while (members.Count == 1 || spare < SpareRoom)
        {
            var chosen = scoring.LoadScore(candidates[0].Node);
            var weakest = 0;
            var least = double.MaxValue;
            for (var i = 1; i < candidates.Count; i++)
            {
                if (CanStandBy(candidates[i].Node) && scoring.LoadScore(candidates[i].Node).MostAbove(chosen) - LeadOver(i, LastStandbyWeight) is var lead && lead < least &&
                    !members.Any(i, static (member, i) => member.Candidate == i))
                {
                    (weakest, least) = (i, lead);
                }
            }

            if (weakest == 0 || least + Slack > 0)
            {
                var all = request;
                return members.Count == 1 && candidates.Skip(1).Any(c => all.CanPin(c.Node));
            }

            var at = members.Count;
            while (members[at - 1].Candidate > weakest)
            {
                at--;
            }

            Add(weakest, LastStandbyWeight, at);
        }

        return false;
    }

    void Add(int candidate, int weight, int at)
    {
        members.Insert(at, new Member(candidates[candidate], weight, candidate));
        spare += spare < SpareRoom ? filter.RoomOn(candidates[candidate].Node, SpareRoom) : 0;
    }

    // A requirement has to name it, and the scheduler must not like it better than the nearest for its taints.
    bool CanStandBy(NodeFacts node) => request.CanPin(node) && filter.AvoidingTaints(node) >= minTaints;

    // In whole numbers, as the scheduler counts.
    int LeadOver(int candidate, int weight) => own is null
        ? request.Policy.NodeAffinityWeight * (NearestWeight - weight)
        : request.Policy.NodeAffinityWeight * ((100 * (NearestWeight + own[0]) / most) - (100 * (weight + own[candidate]) / most));

    /// <summary>A node of the set.</summary>
    /// <param name="Ranked">The node.</param>
    /// <param name="Weight">The weight of its preferred term; zero when it needs none.</param>
    /// <param name="Candidate">Which of the candidates it is; the members are in their order.</param>
    internal readonly record struct Member(RankedNode Ranked, int Weight, int Candidate);
}
