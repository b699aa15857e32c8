namespace AdmissionLas.Placement;

/// <summary>
/// The one entrance to the core: a step, its pod, the nodes, what runs on them and the policy in; a decision out. The same five always give the same decision.
/// </summary>
public static class PlacementEngine
{
    /// <summary>Decides where the pod should run. Never throws for any combination of values, never changes any of them.</summary>
    /// <param name="step">What the pod is.</param>
    /// <param name="pod">The pod as its author wrote it.</param>
    /// <param name="view">The nodes.</param>
    /// <param name="usage">What is spoken for on them.</param>
    /// <param name="policy">The admin's choices.</param>
    public static Decision Decide(Step step, PodFacts pod, ClusterView view, ClusterUsage usage, PlacementPolicy policy)
    {
        List<string> warnings = step.Warning is null ? [] : [step.Warning];
        if (step.Type == StepType.Other)
        {
            return new Decision { Outcome = Outcome.NotAStep, Step = step, Warnings = warnings };
        }

        if (pod.NodeName is { Length: > 0 })
        {
            return new Decision { Outcome = Outcome.AlreadyBound, Step = step, Warnings = warnings };
        }

        if (pod.Annotation(PodHints.DecisionKey) is not null)
        {
            return new Decision { Outcome = Outcome.AlreadyDecided, Step = step, Warnings = warnings };
        }

        var mode = PodHints.Mode(pod, policy, warnings);
        if (mode == PlacementMode.Off)
        {
            return new Decision { Outcome = Outcome.OptedOut, Step = step, Mode = mode, Warnings = warnings };
        }

        if (!Feasibility.CanBeJudged(pod))
        {
            return Unplaced(Outcome.TooComplex, step, mode, TooComplex, warnings);
        }

        return step.Type == StepType.Predict
            ? PredictPlacement.Decide(step, pod, view, usage, policy, mode, warnings)
            : TrainingPlacement.Decide(step, pod, view, usage, policy, mode, warnings);
    }

    /// <summary>The decision to leave a step to the default scheduler, said in the annotation and as a warning.</summary>
    internal static Decision Unplaced(Outcome outcome, Step step, PlacementMode mode, string because, List<string> warnings)
    {
        warnings.Add($"left to the default scheduler: {because}");
        return new Decision
        {
            Outcome = outcome,
            Step = step,
            Mode = mode,
            Warnings = warnings,
            Explanation = $"{Name(step)}: left to the default scheduler: {because}; {Words.Rules(step)}",
        };
    }

    static readonly string TooComplex =
        $"it states more than {Feasibility.MaxComparisons} tolerations, selector requirements and values, or more than {Feasibility.MaxAmounts} containers and resources";

    /// <summary>The step in words, as explanations begin.</summary>
    internal static string Name(Step step) =>
        step.Type == StepType.Training ? "training" : step.Location is null ? "predict" : $"predict at {Words.Shorten(step.Location)}";
}
