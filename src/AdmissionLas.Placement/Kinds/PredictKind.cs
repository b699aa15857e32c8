using System.Runtime.InteropServices;

namespace AdmissionLas.Placement;

/// <summary>
/// A predict step goes to the node with the lowest latency to its location among those that can run it
/// (LAS thesis, chapter 3: the extender's rule), and to the next nearest when that one is full.
/// </summary>
sealed class PredictKind : StepKind
{
    /// <inheritdoc/>
    public override string Name => "Predict";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words { get; } = ["Predict", "Predicting", "Prediction"];

    /// <inheritdoc/>
    public override bool HasLocation => true;

    /// <inheritdoc/>
    public override string WhenNotPlaced(string? location) => $"this prediction step may run far from {location ?? "those who ask it"}";

    /// <inheritdoc/>
    public override Decision Place(in PlacementRequest request)
    {
        var (view, policy) = (request.View, request.Policy);
        if (request.Step.Location is not { Length: > 0 } location)
        {
            return Unplaced(request, Outcome.NoLocation, new LocationMissing(view.Locations));
        }

        var ranked = view.RankedFor(location);
        if (ranked.IsEmpty)
        {
            return Unplaced(
                request, Outcome.UnknownLocation,
                new LocationUnknown(location, LabelSyntax.IsName(location), ClosestName.Of(location, view.Locations), view.Locations) { LabelPrefix = policy.LatencyLabels.Advised });
        }

        var filter = new NodeFilter(request.Pod, request.Usage);
        var found = Find(ranked, filter, policy);
        var aim = Aim.Of(request);
        if (found.Nodes.Count == 0)
        {
            return Unplaced(request, Outcome.NoCandidate, new NoNodeFits(location, filter.AllWhenEmpty(view.NearestTo(location).Select(n => n.Node))));
        }

        if (request.Pod.IsGated)
        {
            NearestCandidates.AddKinds(found.Nodes, ranked, filter, found.HasRoom);
        }

        Steering steering;
        var tied = TieWithin(aim, ranked, found, filter, request);
        if (tied is { Steering.Required: not null })
        {
            (found, steering) = tied.Value;
        }
        else
        {
            WarnBeyond(aim, ranked, found, filter, request);
            steering = tied is { Steering.Softened: var softer } && request.Mode == PlacementMode.Required
                ? Prefer(found.Nodes, view) with { Softened = softer }
                : Steer(found, aim, filter, request);
        }

        if (request.Mode == PlacementMode.Required && steering.Softened is { Cause: not SofteningCause.BeyondMaxLatency } softened)
        {
            request.Warnings.Add(new RequiredSoftened(softened));
        }

        var chosen = found.Nodes[0];
        return new Decision
        {
            Outcome = Outcome.Placed,
            Step = request.Step,
            Mode = steering.Mode,
            Softened = steering.Softened,
            Reason = NearestNodes.Instance,
            Candidates = steering.Candidates,
            Chosen = chosen.Node,
            HasRoom = found.HasRoom,
            ReservesCapacity = found.HasRoom && request.Pod is { IsGated: false, HasOtherScheduler: false },
            Request = filter.Request,
            ScoredRequest = EffectiveRequest.Scored(request.Pod),
            LatencyMs = chosen.LatencyMs,
            NearestMs = ranked[0].LatencyMs,
            Preferred = steering.Preferred,
            Required = steering.Required,
            NeutralizesSpread = steering.Candidates is not [_, { Role: CandidateRole.Near }, ..] && steering.Required?.Nodes.Count != 1 &&
                request.Pod is { HasSpreadConstraints: false, HasOtherScheduler: false },
            YieldsTo = steering.Required?.Nodes.Count == 1 ? null
                : request.Pod.SoftConstraint ?? (MayGiveWay(steering, chosen.Node, filter, request) ? SchedulerConstraint.NodeAffinity : null),
            Warnings = request.Warnings,
        };
    }

    /// <summary>How the pod is steered: what is added to it, and why it is no more than that.</summary>
    readonly record struct Steering(
        PlacementMode Mode, Candidate[] Candidates, PreferredTerm[] Preferred, NodePin? Required = null, Softening? Softened = null);

    /// <summary>Nodes that can run the pod, in the order in which it should get them, and whether they can now.</summary>
    readonly record struct Found(List<RankedNode> Nodes, bool HasRoom);

    /// <summary>What the pod's author wants beside the nearest node.</summary>
    readonly record struct Aim(double MaxLatencyMs, SpreadMode Spread)
    {
        internal static Aim Of(in PlacementRequest request) => new(
            PodHints.MaxLatencyMs(request.Pod, request.Policy, request.Warnings) ?? double.PositiveInfinity,
            request.Mode == PlacementMode.Adaptive ? PodHints.Spread(request.Pod, request.Policy, request.Warnings) : SpreadMode.Nearest);
    }

    static Found Find(ReadOnlySpan<RankedNode> ranked, in NodeFilter filter, PlacementPolicy policy)
    {
        var now = NearestCandidates.Find(ranked, filter, policy.NamedNodes, now: true);
        // Full now, all of them: the pod has to wait for one, and the scheduler should still know which is nearest when it has room.
        return now.Count > 0 ? new Found(now, true) : new Found(NearestCandidates.Find(ranked, filter, policy.NamedNodes, now: false), false);
    }

    static Steering Steer(Found found, Aim aim, in NodeFilter filter, in PlacementRequest request)
    {
        var nearestMs = found.Nodes[0].LatencyMs;
        var nearMs = nearestMs <= aim.MaxLatencyMs && double.IsFinite(aim.MaxLatencyMs) ? aim.MaxLatencyMs : request.Policy.NearMs(nearestMs);
        return request.Mode switch
        {
            PlacementMode.Adaptive => Keep(found, nearMs, aim.Spread, filter, request),
            PlacementMode.Required => Pin(found, nearMs, aim.MaxLatencyMs, filter, request),
            _ => Prefer(found.Nodes, request.View),
        };
    }

    /// <summary>
    /// Steers the pod to nodes within the latency that it allows where a preference would not bring it there, because the scheduler avoids them, or the
    /// pod is to wait for one of them. <see langword="null"/> where there is nothing of that kind; without a requirement where it may not have one.
    /// </summary>
    static (Found Found, Steering Steering)? TieWithin(Aim aim, ReadOnlySpan<RankedNode> ranked, Found found, in NodeFilter filter, in PlacementRequest request)
    {
        var isAdaptive = request.Mode == PlacementMode.Adaptive;
        if (double.IsInfinity(aim.MaxLatencyMs) || request.Mode == PlacementMode.Preferred || (isAdaptive && found.Nodes[0].LatencyMs <= aim.MaxLatencyMs))
        {
            return null;
        }

        var within = Find(Within(ranked, aim.MaxLatencyMs), filter, request.Policy);
        if (within.Nodes.Count == 0 || (isAdaptive && !within.HasRoom))
        {
            return null;
        }

        if (isAdaptive)
        {
            // Among these are its standbys.
            within.Nodes.AddRange(found.Nodes.Except(within.Nodes).Take(request.Policy.NamedNodes - within.Nodes.Count).ToArray());
        }

        return (within, Steer(within, aim, filter, request));
    }

    static void WarnBeyond(Aim aim, ReadOnlySpan<RankedNode> ranked, Found found, in NodeFilter filter, in PlacementRequest request)
    {
        if (found.Nodes[0].LatencyMs is var latencyMs && latencyMs > aim.MaxLatencyMs)
        {
            // What is nearer and can run it too is avoided.
            var nearer = NearestCandidates.Find(Within(ranked, Math.BitDecrement(latencyMs)), filter, limit: 1, now: found.HasRoom);
            request.Warnings.Add(new BeyondMaxLatency(latencyMs, aim.MaxLatencyMs, nearer.Count == 0 ? null : nearer[0].LatencyMs));
        }
    }

    /// <summary>
    /// Whether what the author prefers speaks for another node more than for the chosen one, and the scheduler may follow it. In adaptive mode it cannot:
    /// the standbys are such that they lose all the same, and near nodes are alike.
    /// </summary>
    static bool MayGiveWay(in Steering steering, NodeFacts chosen, in NodeFilter filter, in PlacementRequest request)
    {
        if (steering.Mode == PlacementMode.Adaptive || request.Pod.PreferredTerms.Count == 0)
        {
            return false;
        }

        var own = new OwnPreferences(request.Pod);
        var nodes = steering.Required?.Nodes ?? request.View.Nodes;
        if (!own.CanCompare(nodes.Count))
        {
            return true;
        }

        var weight = own.WeightOf(chosen);
        foreach (var node in nodes)
        {
            if (own.WeightOf(node) > weight && filter.FitsWhenEmpty(node) == FilterResult.CanRun)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The nearest and its standbys are required; where that could strand the pod, or gains nothing, the nodes are merely preferred.</summary>
    static Steering Keep(Found found, double nearMs, SpreadMode spread, in NodeFilter filter, in PlacementRequest request)
    {
        var (view, candidates) = (request.View, found.Nodes);
        if ((found.HasRoom ? request.WhyNotRequired(candidates[0].Node) : new Softening(SofteningCause.NoRoomNow)) is { } softening)
        {
            return Prefer(candidates, view) with { Softened = softening };
        }

        if (spread == SpreadMode.Near && Spread(candidates, nearMs, filter, request) is { } alike)
        {
            return alike;
        }

        var members = StandbySelection.Choose(candidates, filter, request, out var allWouldWin);
        if (members.Count == 1 && !allWouldWin)
        {
            // No other node could have it: a requirement would gain nothing, and leave the pod waiting should the node go.
            return Prefer(candidates, view) with { Softened = new Softening(SofteningCause.NoStandby) };
        }

        if (members.Count == 1 && request.Pod.PreferredTerms.Count > 0 &&
            StandbySelection.Choose(candidates, filter, request with { Pod = request.Pod with { PreferredTerms = [] } }, out _).Count > 1)
        {
            // It would wait for the one node where without us it goes to those that its author prefers.
            return Prefer(candidates, view) with { Softened = new Softening(SofteningCause.OwnPreferences) };
        }

        if (request.CanPreempt && !HasRoomToSpare(members.Select(static m => m.Ranked), filter))
        {
            return Prefer(candidates, view) with { Softened = new Softening(SofteningCause.CanPreempt) };
        }

        // Where there is nothing to choose from there is nothing to prefer.
        var unranked = members.FindIndex(static m => m.Weight == 0);
        var preferred = new PreferredTerm[members.Count == 1 ? 0 : unranked < 0 ? members.Count : unranked];
        candidates.Clear();
        foreach (var (ranked, weight, _) in members)
        {
            if (candidates.Count < preferred.Length)
            {
                preferred[candidates.Count] = new PreferredTerm(weight, view.TermFor(ranked.Node));
            }

            candidates.Add(ranked);
        }

        var kept = CollectionsMarshal.AsSpan(candidates);
        return new Steering(PlacementMode.Adaptive, Named(kept, CandidateRole.Standby), preferred, request.Pin(kept));
    }

    /// <summary>Whether others may take places before the scheduler gets to the pod, and still it need not evict any.</summary>
    static bool HasRoomToSpare(IEnumerable<RankedNode> nodes, NodeFilter filter) =>
        nodes.Sum(n => filter.RoomOn(n.Node, 1 + StandbySelection.SpareRoom)) > StandbySelection.SpareRoom;

    /// <summary>The near nodes alike; the one that the scheduler will pick, as far as we can know, first. <see langword="null"/> when there is only one.</summary>
    static Steering? Spread(List<RankedNode> candidates, double nearMs, NodeFilter filter, in PlacementRequest request)
    {
        var all = request;
        var isNear = (RankedNode c) => c.LatencyMs <= nearMs && all.CanPin(c.Node);
        if (candidates.Count(isNear) < 2)
        {
            return null;
        }

        if (request.CanPreempt && !HasRoomToSpare(candidates.Where(isNear), filter))
        {
            return Prefer(candidates, request.View) with { Softened = new Softening(SofteningCause.CanPreempt) };
        }

        candidates.RemoveAll(c => !isNear(c));
        var scoring = new SchedulerScoring(request.Pod, request.View, request.Usage, request.Policy.ScoringStrategy);
        var likeliest = candidates.MaxBy(c => (-filter.AvoidingTaints(c.Node), scoring.LoadScore(c.Node).Most));
        candidates.Remove(likeliest);
        candidates.Insert(0, likeliest);
        var near = CollectionsMarshal.AsSpan(candidates);
        return new Steering(PlacementMode.Adaptive, Named(near, CandidateRole.Near), [], request.Pin(near));
    }

    /// <summary>The near nodes are required and ranked. A pod that could end up stranded is not pinned.</summary>
    static Steering Pin(Found found, double nearMs, double maxLatencyMs, in NodeFilter filter, in PlacementRequest request)
    {
        var (preferred, chosen) = (Prefer(found.Nodes, request.View), found.Nodes[0]);
        RankedNode[] near = [.. found.Nodes.Where(c => c.LatencyMs <= nearMs)];
        var softening = request.WhyNotRequired(chosen.Node) ??
            (request.CanPreempt && !HasRoomToSpare(near, filter) ? new Softening(SofteningCause.CanPreempt) : null) ??
            (chosen.LatencyMs > maxLatencyMs ? new Softening(SofteningCause.BeyondMaxLatency) : null);
        return softening is not null ? preferred with { Softened = softening } : preferred with { Mode = PlacementMode.Required, Required = request.Pin(near) };
    }

    static ReadOnlySpan<RankedNode> Within(ReadOnlySpan<RankedNode> ranked, double maxLatencyMs)
    {
        var count = 0;
        while (count < ranked.Length && ranked[count].LatencyMs <= maxLatencyMs)
        {
            count++;
        }

        return ranked[..count];
    }

    static Steering Prefer(List<RankedNode> candidates, ClusterView view)
    {
        // An avoided node may be nearer than the one before it; for the weights every other latency is a step further, so that the order stands.
        Span<double> latenciesMs = stackalloc double[candidates.Count];
        for (var i = 0; i < latenciesMs.Length; i++)
        {
            latenciesMs[i] = i == 0 ? candidates[i].LatencyMs
                : candidates[i].LatencyMs == candidates[i - 1].LatencyMs ? latenciesMs[i - 1]
                : Math.Max(candidates[i].LatencyMs, Math.BitIncrement(latenciesMs[i - 1]));
        }

        var weights = PreferenceWeights.For(latenciesMs);
        // Of nodes that the scheduler does not look at, the others of the nearest one's zone are the next best.
        PreferredTerm[] ofZone = view.IsSampled && candidates[0].Node.ByZone is { } zone ? [new PreferredTerm(1, zone)] : [];
        PreferredTerm[] terms = [.. candidates.Select((c, i) => new PreferredTerm(weights[i], view.TermFor(c.Node))), .. ofZone];
        return new Steering(PlacementMode.Preferred, Named(CollectionsMarshal.AsSpan(candidates), CandidateRole.NextNearest), terms);
    }

    static Candidate[] Named(ReadOnlySpan<RankedNode> nodes, CandidateRole others)
    {
        var named = new Candidate[nodes.Length];
        for (var i = 0; i < named.Length; i++)
        {
            var role = i == 0 ? CandidateRole.Chosen : others != CandidateRole.Near && nodes[i].LatencyMs == nodes[0].LatencyMs ? CandidateRole.AsNear : others;
            named[i] = new Candidate(nodes[i].Node, nodes[i].LatencyMs, role);
        }

        return named;
    }
}
