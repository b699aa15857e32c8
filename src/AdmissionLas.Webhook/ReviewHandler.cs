using AdmissionLas.Kubernetes;

namespace AdmissionLas.Webhook;

/// <summary>
/// The whole way from a review's bytes to the answer's: read, classify, decide, reserve, write. No I/O; the settings and the cluster view are
/// read once.
/// </summary>
sealed class ReviewHandler(Settings settings, ClusterState state, NodeUsageCache usageCache, IDecisionText text)
{
    /// <summary>Each further attempt means that another thread placed a pod on the same node in the microseconds of a decision.</summary>
    const int MaxAttempts = 8;

    /// <summary>
    /// A pod may have 256 KiB of annotations (https://kubernetes.io/docs/reference/labels-annotations-taints/,
    /// TotalAnnotationSizeLimitB), and ours need some of it.
    /// </summary>
    const int MaxAnnotationBytes = (256 - 32) << 10;

    /// <summary>Answers a review.</summary>
    /// <param name="body">The review.</param>
    /// <param name="answer">Where the answer goes; nothing is written when the body is not a review.</param>
    /// <exception cref="NotAReviewException">The body is not an admission review.</exception>
    internal ReviewResult Handle(ReadOnlySpan<byte> body, AnswerBuffer answer)
    {
        var current = settings.Current;
        var review = current.Reader.Read(body);
        if (review.Pod is { } read && usageCache.Current.AntiAffinity.AppliesTo(read.Facts.Namespace))
        {
            review = current.AllLabelsReader.Read(body);
        }

        var result = Decide(review, current);
        var hasPatch = false;
        if (result is { Decision: { } decision, Review.Pod: { } pod } && (decision.IsDecided || pod.Earlier is not null))
        {
            hasPatch = PatchWriter.Write(answer, decision, result.Explanation, pod, result.Reservation);
            result = hasPatch ? result : result.Unchanged();
        }

        ReviewWriter.Write(answer, result, hasPatch);
        return result;
    }

    ReviewResult Decide(AdmissionReview review, CompiledSettings current)
    {
        if (review.Pod is not { } pod)
        {
            return ReviewResult.Skipped(review);
        }

        if (pod.Shape.AnnotationBytes > MaxAnnotationBytes && current.Rules.Classify(pod.Facts).Kind is not null)
        {
            return ReviewResult.AnnotationsFull(review);
        }

        if (state.Current is not { } view)
        {
            return ReviewResult.WithoutView(review);
        }

        try
        {
            var reservation = Reservation(review, pod);
            return ReviewResult.Decided(review, Decide(review, pod, reservation, current, view), reservation, text);
        }
        // A fault of ours must never cost a pod.
        catch (Exception fault)
        {
            return ReviewResult.Failed(review, fault);
        }
    }

    // What an earlier call for the pod reserved is its own to take, and stays under that name as long as only this replica knows of it.
    string Reservation(AdmissionReview review, AdmittedPod pod) =>
        !review.IsDryRun && pod.Earlier?.Review is { } earlier && usageCache.Release(earlier) ? earlier : review.Uid;

    // Two reviews at once may both see the last free place on a node. The one that comes second to the cache decides again.
    Decision Decide(AdmissionReview review, AdmittedPod admitted, string reservation, CompiledSettings current, ClusterView view)
    {
        var pod = admitted.Facts;
        var step = current.Rules.Classify(pod);
        // Who posts reviews may invent pods. One that no API server creates takes no room.
        var maySoonExist = !review.IsDryRun && NameSyntax.CanBeCreated(admitted.Name, admitted.HasPrefixOnly, pod);
        for (var attempt = 1; ; attempt++)
        {
            var usage = usageCache.For(pod.Namespace);
            var decision = PlacementEngine.Decide(step, pod, view, usage, current.Policy);
            if (!decision.ReservesCapacity || !maySoonExist || decision.Chosen is not { } node ||
                usageCache.TryAssume(
                    reservation, pod.Namespace, node.Name, decision.Request.Known(node.Allocatable), decision.ScoredRequest, attempt < MaxAttempts ? usage : null))
            {
                return decision;
            }
        }
    }
}
