using AdmissionLas.Kubernetes;
using AdmissionLas.Placement;

namespace AdmissionLas.Webhook;

/// <summary>What became of a review, for the log and the metrics.</summary>
/// <param name="Review">What was read of it.</param>
/// <param name="Decision">What was decided; <see langword="null"/> when there was nothing to decide on, or no way to.</param>
/// <param name="Fault">What went wrong while deciding; the pod was let through as it was.</param>
readonly record struct ReviewResult(AdmissionReview Review, Decision? Decision, Exception? Fault);

/// <summary>
/// The whole way from a review's bytes to the answer's: read, classify, decide, count, write. No I/O; the settings and the cluster view are
/// read once.
/// </summary>
sealed class ReviewHandler(Settings settings, ClusterState state, NodeUsageCache usageCache)
{
    /// <summary>Each further attempt means that another thread placed a pod on the same node in the microseconds of a decision.</summary>
    const int MaxAttempts = 8;

    /// <summary>Answers a review.</summary>
    /// <param name="body">The review.</param>
    /// <param name="answer">Where the answer goes; nothing is written when the body is not a review.</param>
    /// <exception cref="NotAReviewException">The body is not an admission review.</exception>
    internal ReviewResult Handle(ReadOnlySpan<byte> body, RawJsonWriter answer)
    {
        var current = settings.Current;
        var review = current.Reader.Read(body);
        if (review.Pod is not { } pod)
        {
            ReviewWriter.Write(answer, review, null, review.PodIsUnreadable ? $"this step was left as it is, for a field of its pod has a value of the wrong type: {review.SkipReason}" : null);
            return new ReviewResult(review, null, null);
        }

        if (state.Current is not { } view)
        {
            ReviewWriter.Write(answer, review, null);
            return new ReviewResult(review, null, null);
        }

        Decision decision;
        try
        {
            decision = Decide(review, pod.Facts, current, view);
        }
        // A fault of ours must never cost anybody a pod.
        catch (Exception fault)
        {
            ReviewWriter.Write(answer, review, null);
            return new ReviewResult(review, null, fault);
        }

        ReviewWriter.Write(answer, review, decision);
        return new ReviewResult(review, decision, null);
    }

    // Two reviews at once may both see the last free place on a node. The one that comes second to the usage cache decides again.
    Decision Decide(AdmissionReview review, PodFacts pod, CompiledSettings current, ClusterView view)
    {
        var step = current.Rules.Classify(pod);
        for (var attempt = 1; ; attempt++)
        {
            var usage = usageCache.Current;
            var decision = PlacementEngine.Decide(step, pod, view, usage, current.Policy);
            if (!decision.ReservesCapacity || review.IsDryRun ||
                usageCache.TryAssume(review.Uid, decision.Chosen!.Name, decision.Request, attempt < MaxAttempts ? usage : null))
            {
                return decision;
            }
        }
    }
}
