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
    public static Decision Decide(Step step, PodFacts pod, ClusterView view, ClusterUsage usage, PlacementPolicy policy)
    {
        List<Notice> warnings = step.Warning is null ? [] : [step.Warning];
        if (step.Kind is not { } kind)
        {
            return NothingToDo(Outcome.NotAStep);
        }

        if (pod.NodeName is { Length: > 0 })
        {
            return NothingToDo(Outcome.AlreadyBound);
        }

        pod = usage.AntiAffinity.Judge(pod, view);
        var request = new PlacementRequest(step, pod, view, usage, policy, PodHints.Mode(pod, policy, warnings), warnings);
        return request.Mode == PlacementMode.Off ? NothingToDo(Outcome.OptedOut) with { Mode = PlacementMode.Off }
            : !NodeFilter.IsWithinLimits(pod) ? StepKind.Unplaced(request, Outcome.TooComplex, new PodTooComplex())
            : kind.Place(request);

        Decision NothingToDo(Outcome outcome) => new() { Outcome = outcome, Step = step, Warnings = warnings };
    }
}
