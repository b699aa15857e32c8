namespace AdmissionLas.Placement;

/// <summary>
/// The one entrance to the core: a step, its pod, the nodes, what their pods use and the policy in; a decision out. The same five always give the same decision.
/// </summary>
public static class PlacementEngine
{
    /// <summary>Decides where the pod should run. Never throws for any combination of values, never changes any of them.</summary>
    /// <param name="step">What the pod is.</param>
    /// <param name="pod">The pod as its author wrote it.</param>
    /// <param name="view">The nodes.</param>
    /// <param name="usage">What their pods use.</param>
    /// <param name="policy">The admin's choices.</param>
    public static Decision Decide(Step step, PodFacts pod, ClusterView view, ClusterUsage usage, PlacementPolicy policy) =>
        DecideWith(step, pod, view, usage, policy, out _);

    // Judged: the pod with all that the decision is based on.
    internal static Decision DecideWith(Step step, PodFacts pod, ClusterView view, ClusterUsage usage, PlacementPolicy policy, out PodFacts judged)
    {
        judged = pod;
        List<Notice> warnings = step.Warning is null ? [] : [step.Warning];
        if (step.Kind is not { } kind)
        {
            return NothingToDo(Outcome.NotAStep);
        }

        if (pod.NodeName is { Length: > 0 })
        {
            return NothingToDo(Outcome.AlreadyBound);
        }

        judged = pod = usage.AntiAffinity.Judge(pod, view);
        var request = new PlacementRequest(step, pod, view, usage, policy, PodHints.Mode(pod, policy, warnings), warnings);
        if (request.Mode == PlacementMode.Off)
        {
            return NothingToDo(Outcome.OptedOut) with { Mode = PlacementMode.Off };
        }

        if (!NodeFilter.IsWithinLimits(pod))
        {
            return StepKind.Unplaced(request, Outcome.TooComplex, new PodTooComplex());
        }

        var before = warnings.Count;
        var decision = kind.Place(request);
        if (decision.Outcome != Outcome.NoCandidate || EffectiveRequest.Of(pod).Other?.Any(o => o.Amount > 0 && o.MayBeClaimed) != true)
        {
            return decision;
        }

        // Only the scheduler knows which nodes have devices to be claimed.
        warnings.RemoveRange(before, warnings.Count - before);
        judged = pod with { ClaimsDevices = true, SchedulerOnlyConstraint = pod.SchedulerOnlyConstraint ?? SchedulerConstraint.ExtendedResources };
        return kind.Place(request with { Pod = judged });

        Decision NothingToDo(Outcome outcome) => new() { Outcome = outcome, Step = step, Warnings = warnings };
    }
}
