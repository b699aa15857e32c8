using System.Globalization;
using System.Runtime.CompilerServices;

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
        if (step.Type is not (StepType.Predict or StepType.Training))
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

        if (!NodeFilter.IsWithinLimits(pod))
        {
            return Unplaced(Outcome.TooComplex, step, mode, TooComplex, $"{Plain(step)}: {TooComplex}", warnings);
        }

        return step.Type == StepType.Predict
            ? PredictPlacement.Decide(step, pod, view, usage, policy, mode, warnings)
            : TrainingPlacement.Decide(step, pod, view, usage, policy, mode, warnings);
    }

    /// <summary>The decision to leave a step to the default scheduler.</summary>
    /// <param name="outcome">How the review ended.</param>
    /// <param name="step">The step.</param>
    /// <param name="mode">The mode in force.</param>
    /// <param name="because">Why, in an admin's words: they go into the annotation.</param>
    /// <param name="warning">The same for the step's author, who may never have heard of schedulers.</param>
    /// <param name="warnings">What the author is told.</param>
    internal static Decision Unplaced(Outcome outcome, Step step, PlacementMode mode, string because, string warning, List<string> warnings)
    {
        warnings.Add(warning);
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
        $"it states more than {NodeFilter.MaxComparisons} tolerations, selector requirements and values, or more than {NodeFilter.MaxAmounts} containers and resources";

    /// <summary>What it means for the author that a step is not placed, as such warnings begin.</summary>
    internal static string Plain(Step step) => step switch
    {
        { Type: StepType.Training } => "this training step may run on a small machine",
        { Location: null } => "this prediction step may run far from those who ask it",
        _ => $"this prediction step may run far from {Words.Shorten(step.Location)}",
    };

    /// <summary>The step in words, as explanations begin.</summary>
    internal static string Name(Step step)
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[128]);
        AppendName(ref text, step);
        return text.ToStringAndClear();
    }

    /// <inheritdoc cref="Name"/>
    internal static void AppendName(ref DefaultInterpolatedStringHandler text, Step step)
    {
        text.AppendLiteral(step.Type == StepType.Training ? "training" : "predict");
        if (step is { Type: not StepType.Training, Location: { } location })
        {
            text.AppendLiteral(" at ");
            text.AppendLiteral(Words.Shorten(location));
        }
    }
}
