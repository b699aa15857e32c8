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
            return Unplaced(request, Outcome.UnknownLocation, new LocationUnknown(location, LabelSyntax.IsName(location), ClosestName.Of(location, view.Locations), view.Locations));
        }

        var filter = new NodeFilter(request.Pod, request.Usage);
        var candidates = NearestCandidates.Find(ranked, filter, policy.NamedNodes, now: true);
        var hasRoom = candidates.Count > 0;
        if (!hasRoom)
        {
            // Full now, all of them: the pod has to wait for one, and the scheduler should still know which is nearest when it has room.
            candidates = NearestCandidates.Find(ranked, filter, policy.NamedNodes, now: false);
        }

        var maxLatencyMs = PodHints.MaxLatencyMs(request.Pod, policy, request.Warnings) ?? double.PositiveInfinity;
        if (request.Mode == PlacementMode.Required && candidates.Count > 0 && candidates[0].LatencyMs > maxLatencyMs &&
            NearestCandidates.Find(Within(ranked, maxLatencyMs), filter, policy.NamedNodes, now: false) is { Count: > 0 } within)
        {
            // No farther node, as its author wants: it waits for one of these.
            (candidates, hasRoom) = (within, false);
        }

        if (request.Pod.IsGated && candidates.Count > 0)
        {
            NearestCandidates.AddKinds(candidates, ranked, filter, hasRoom);
        }

        if (candidates.Count == 0)
        {
            return Unplaced(request, Outcome.NoCandidate, new NoNodeFits(location, filter.AllWhenEmpty(view.NearestTo(location).Select(n => n.Node))));
        }

        if (candidates[0].LatencyMs > maxLatencyMs)
        {
            request.Warnings.Add(new BeyondMaxLatency(candidates[0].LatencyMs, maxLatencyMs));
        }

        var nearMs = candidates[0].LatencyMs <= maxLatencyMs && double.IsFinite(maxLatencyMs) ? maxLatencyMs : policy.NearMs(candidates[0].LatencyMs);
        var steering = request.Mode switch
        {
            PlacementMode.Adaptive => Keep(candidates, hasRoom, nearMs, filter, request),
            PlacementMode.Required => Pin(candidates, nearMs, filter, request),
            _ => Prefer(candidates, view),
        };
        return new Decision
        {
            Outcome = Outcome.Placed,
            Step = request.Step,
            Mode = steering.Mode,
            Softened = steering.Softened,
            Reason = NearestNodes.Instance,
            Candidates = steering.Candidates,
            Chosen = candidates[0].Node,
            HasRoom = hasRoom,
            ReservesCapacity = hasRoom && request.Pod is { IsGated: false, HasOtherScheduler: false },
            Request = filter.Request,
            ScoredRequest = EffectiveRequest.Scored(request.Pod),
            LatencyMs = candidates[0].LatencyMs,
            NearestMs = ranked[0].LatencyMs,
            Preferred = steering.Preferred,
            Required = steering.Required,
            NeutralizesSpread = steering.Candidates is not [_, { Role: CandidateRole.Near }, ..] && steering.Required?.Nodes.Count != 1 &&
                request.Pod is { HasSpreadConstraints: false, HasOtherScheduler: false },
            YieldsTo = steering.Required?.Nodes.Count == 1 ? null : request.Pod.SoftConstraint,
            Warnings = request.Warnings,
        };
    }

    /// <summary>How the pod is steered: what is added to it, and why it is no more than that.</summary>
    readonly record struct Steering(
        PlacementMode Mode, Candidate[] Candidates, PreferredTerm[] Preferred, NodePin? Required = null, Softening? Softened = null);

    /// <summary>The nearest and its standbys are required; where that could strand the pod, or gains nothing, the nodes are merely preferred.</summary>
    static Steering Keep(List<RankedNode> candidates, bool hasRoom, double nearMs, in NodeFilter filter, in PlacementRequest request)
    {
        var view = request.View;
        if ((hasRoom ? request.WhyNotRequired(candidates[0].Node) : new Softening(SofteningCause.NoRoomNow)) is { } softening)
        {
            return Prefer(candidates, view) with { Softened = softening };
        }

        if (PodHints.Spread(request.Pod, request.Policy, request.Warnings) == SpreadMode.Near && Spread(candidates, nearMs, filter, request) is { } spread)
        {
            return spread;
        }

        var members = StandbySelection.Choose(candidates, filter, request, out var allWouldWin);
        if (members.Count == 1 && !allWouldWin)
        {
            // No other node could have it: a requirement would gain nothing, and leave the pod waiting should the node go.
            return Prefer(candidates, view) with { Softened = new Softening(SofteningCause.NoStandby) };
        }

        if (request.CanPreempt && !HasRoomToSpare(members.Select(static m => m.Ranked), filter))
        {
            return Prefer(candidates, view) with { Softened = new Softening(SofteningCause.CanPreempt) };
        }

        // Where there is nothing to choose from there is nothing to prefer.
        var preferred = new PreferredTerm[members.Count == 1 ? 0 : members.Count(static m => m.Weight > 0)];
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
    static Steering? Spread(List<RankedNode> candidates, double nearMs, in NodeFilter filter, in PlacementRequest request)
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
        var likeliest = candidates.MaxBy(c => scoring.LoadScore(c.Node).Most);
        candidates.Remove(likeliest);
        candidates.Insert(0, likeliest);
        var near = CollectionsMarshal.AsSpan(candidates);
        return new Steering(PlacementMode.Adaptive, Named(near, CandidateRole.Near), [], request.Pin(near));
    }

    /// <summary>The near nodes are required and ranked. A pod that could end up stranded is not pinned, and the author is warned.</summary>
    static Steering Pin(List<RankedNode> candidates, double nearMs, in NodeFilter filter, in PlacementRequest request)
    {
        RankedNode[] near = [.. candidates.Where(c => c.LatencyMs <= nearMs)];
        var preferred = Prefer(candidates, request.View);
        if (request.Warnings.Any(static w => w is BeyondMaxLatency))
        {
            return preferred with { Softened = new Softening(SofteningCause.BeyondMaxLatency) };
        }

        if ((request.WhyNotRequired(candidates[0].Node) ?? (request.CanPreempt && !HasRoomToSpare(near, filter) ? new Softening(SofteningCause.CanPreempt) : null)) is { } softening)
        {
            request.Warnings.Add(new RequiredSoftened(softening));
            return preferred with { Softened = softening };
        }

        return preferred with { Mode = PlacementMode.Required, Required = request.Pin(near) };
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
