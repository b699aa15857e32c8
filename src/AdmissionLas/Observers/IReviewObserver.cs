namespace AdmissionLas.Observers;

/// <summary>
/// The one seam for what listens to reviews: the log, metrics, traces, events and the page's recent decisions. An observer is called on the
/// review's own thread, after its answer is written into memory and before it is sent: it must be quick, must not wait and must not throw.
/// </summary>
interface IReviewObserver
{
    /// <summary>A review has its answer.</summary>
    void Answered(in ReviewObservation observation);

    /// <summary>A request was refused: it was no review, or could not be answered.</summary>
    void Refused(in RefusedRequest refused)
    {
    }
}

/// <summary>A review that has its answer.</summary>
/// <param name="Result">What became of it.</param>
/// <param name="Took">How long that took, from the last byte of the review.</param>
/// <param name="ReviewBytes">How large the review was.</param>
/// <param name="TraceParent">The caller's span, as the header <c>traceparent</c> names it; <see langword="null"/> for none.</param>
/// <param name="TraceState">The header <c>tracestate</c>.</param>
readonly record struct ReviewObservation(ReviewResult Result, TimeSpan Took, int ReviewBytes, string? TraceParent = null, string? TraceState = null);

/// <summary>A request that was refused.</summary>
/// <param name="Status">The HTTP status of the answer.</param>
/// <param name="Reason">Why, in one word of a fixed few.</param>
/// <param name="Message">Why, in a sentence, as the caller reads it.</param>
/// <param name="ThrottleKey">What shares one log line a minute.</param>
readonly record struct RefusedRequest(int Status, string Reason, string Message, string ThrottleKey);
