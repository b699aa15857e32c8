using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>A step with its explanation, or with the reason why there is none.</summary>
/// <param name="Input">What was given.</param>
/// <param name="Explanation">What would be decided and why; <see langword="null"/> when the pod cannot be read.</param>
/// <param name="Fault">What in the pod cannot be read; <see langword="null"/> when it can.</param>
/// <param name="Patch">The JSON Patch that the webhook would answer with; <see langword="null"/> for none.</param>
/// <param name="Patched">The pod with it applied.</param>
sealed record ExplainedStep(InputStep Input, Explanation? Explanation, InputProblem? Fault, JsonArray? Patch, JsonObject Patched)
{
    /// <summary>The language of what is shown.</summary>
    internal required IDecisionText Text { get; init; }

    /// <summary>The decision in words; empty when there was nothing to decide.</summary>
    internal string Sentence => Explanation is null ? "" : Text.Explain(Explanation.Decision);

    /// <summary>What the pod's author should know, in words.</summary>
    internal IReadOnlyList<string> Warnings => [.. (Explanation?.Decision.Warnings ?? []).Select(w => Text.Warn(Explanation!.Decision, w))];

    /// <summary>The pod's namespace.</summary>
    internal string Namespace => Input.Pod.Object("metadata").Text("namespace") ?? "";

    /// <summary>Whether it is a step of ours that could not be placed, or cannot be read, or has something that its author should change.</summary>
    internal bool NeedsAttention => Explanation is null || Explanation.Decision.Warnings.Any(w => w is not NoLongerBestEffort);
}

/// <summary>
/// Explains pods by sending them the way that a review goes: the server's own reader, rules, engine and patch writer. Nothing is counted
/// against a node.
/// </summary>
static class StepExplainer
{
    /// <summary>Stands in the patch for the review's uid, which the API server makes up anew for every pod.</summary>
    internal const string ReviewUid = "00000000-0000-0000-0000-000000000000";

    /// <summary>Explains one step; never throws for any.</summary>
    /// <param name="input">The step.</param>
    /// <param name="settings">The webhook's.</param>
    /// <param name="view">The nodes.</param>
    /// <param name="usage">What is spoken for on them.</param>
    /// <param name="text">The language.</param>
    internal static ExplainedStep Explain(InputStep input, CompiledSettings settings, ClusterView view, ClusterUsage usage, IDecisionText text)
    {
        AdmissionReview review;
        try
        {
            var body = SampleReview.Of(input.Pod.DeepClone().AsObject(), ReviewUid, input.Pod.Object("metadata").Text("namespace") ?? "default");
            review = settings.AllLabelsReader.Read(Encoding.UTF8.GetBytes(body.ToJsonString()));
        }
        catch (NotAReviewException fault)
        {
            return Unreadable(input, fault.Message, text);
        }

        if (review.Pod is not { } pod)
        {
            return Unreadable(input, review.SkipReason ?? "there is no pod", text, review.UnreadablePath);
        }

        var step = settings.Rules.Classify(pod.Facts);
        var explanation = PlacementExplainer.Explain(step, pod.Facts, view, usage, settings.Policy);
        var decision = explanation.Decision;
        var patch = decision.IsDecided || pod.Earlier is not null ? Patch(decision, text.Explain(decision), pod) : null;
        return new ExplainedStep(input, explanation, null, patch, patch is null ? input.Pod : PatchApplier.Apply(input.Pod, patch)) { Text = text };
    }

    static ExplainedStep Unreadable(InputStep input, string why, IDecisionText text, string? path = null)
    {
        var line = path is null ? input.Line : input.LineOfPath?.Invoke(path) ?? input.Line;
        var fault = new InputProblem(line == 0 ? null : line, $"{input.Name}: the pod cannot be read: {why}", "the API server would refuse it too; see kubectl explain pod");
        return new ExplainedStep(input, null, fault, null, input.Pod) { Text = text };
    }

    /// <summary>The JSON Patch that the webhook would answer with.</summary>
    internal static JsonArray Patch(Decision decision, string sentence, AdmittedPod pod)
    {
        var buffer = new AnswerBuffer();
        PatchWriter.Write(buffer, decision, sentence, pod, ReviewUid);
        return JsonNode.Parse(buffer.Patch.Written.Span)!.AsArray();
    }
}
