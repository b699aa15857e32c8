namespace AdmissionLas.Webhook;

/// <summary>How a review ended.</summary>
enum ReviewStatus
{
    /// <summary>There is a decision, be it to leave the pod as it is.</summary>
    Decided,

    /// <summary>The review is about something else than the creation of a pod.</summary>
    NotOurs,

    /// <summary>The pod has a value that is of the wrong type, or longer than any that Kubernetes allows.</summary>
    UnreadablePod,

    /// <summary>The pod's annotations are so long that ours would make the API server refuse the pod.</summary>
    AnnotationsFull,

    /// <summary>The nodes are not known yet.</summary>
    NoClusterView,

    /// <summary>The webhook failed; the pod was let through as it was.</summary>
    Fault,
}

/// <summary>What became of a review: the answer is written from it, and every observer looks at it.</summary>
sealed record ReviewResult
{
    static readonly string[] Outcomes = Enum.GetNames<Outcome>();

    ReviewResult(AdmissionReview review, ReviewStatus status) => (Review, Status) = (review, status);

    /// <summary>What was read of the review.</summary>
    internal AdmissionReview Review { get; }

    /// <summary>How it ended.</summary>
    internal ReviewStatus Status { get; }

    /// <summary>What was decided; there when the status is <see cref="ReviewStatus.Decided"/>.</summary>
    internal Decision? Decision { get; private init; }

    /// <summary>The decision in words, for people; empty when nothing was decided.</summary>
    internal string Explanation { get; private init; } = "";

    /// <summary>What the pod's author should know, in words.</summary>
    internal IReadOnlyList<string> Warnings { get; private init; } = [];

    /// <summary>Under which review the pod counts on its node: this one, or an earlier one for the same pod.</summary>
    internal string Reservation { get; private init; } = "";

    /// <summary>Why the pod was left as it is; there when the status is <see cref="ReviewStatus.UnreadablePod"/> or <see cref="ReviewStatus.AnnotationsFull"/>.</summary>
    internal string? WhyLeft { get; private init; }

    /// <summary>What went wrong; there when the status is <see cref="ReviewStatus.Fault"/>.</summary>
    internal Exception? Fault { get; private init; }

    /// <summary>The ending in one fixed word: the metric's label <c>outcome</c>.</summary>
    internal string Outcome => Decision is null ? Status.ToString() : Outcomes[(int)Decision.Outcome];

    /// <summary>All words that <see cref="Outcome"/> can be.</summary>
    internal static IReadOnlyList<string> AllOutcomes { get; } = [.. Outcomes, .. Enum.GetNames<ReviewStatus>().Except([nameof(ReviewStatus.Decided)])];

    internal static ReviewResult Decided(AdmissionReview review, Decision decision, string reservation, IDecisionText text) => new(review, ReviewStatus.Decided)
    {
        Decision = decision,
        Reservation = reservation,
        Explanation = text.Explain(decision),
        Warnings = decision.Warnings.Count == 0 ? [] : [.. decision.Warnings.Select(w => text.Warn(decision, w))],
    };

    /// <summary>The same where an earlier call had decided just that.</summary>
    internal ReviewResult Unchanged() => this with { Decision = Decision! with { Outcome = Placement.Outcome.AlreadyDecided } };

    internal static ReviewResult Skipped(AdmissionReview review) => !review.PodIsUnreadable
        ? new(review, ReviewStatus.NotOurs)
        : new(review, ReviewStatus.UnreadablePod)
        {
            WhyLeft = review.SkipReason,
            Warnings = [$"this step was left as it is, for a field of its pod has a wrong value: {review.SkipReason}"],
        };

    internal static ReviewResult AnnotationsFull(AdmissionReview review) => new(review, ReviewStatus.AnnotationsFull)
    {
        WhyLeft = $"its annotations have {review.Pod!.Shape.AnnotationBytes} bytes",
        Warnings = [$"this step was left as it is, for its annotations have {review.Pod.Shape.AnnotationBytes} bytes: with more the API server could refuse it"],
    };

    internal static ReviewResult WithoutView(AdmissionReview review) => new(review, ReviewStatus.NoClusterView);

    internal static ReviewResult Failed(AdmissionReview review, Exception fault) => new(review, ReviewStatus.Fault) { Fault = fault };
}
