namespace AdmissionLas.Observers;

/// <summary>The log of reviews: one line for each decision, and one a minute for each kind of fault and refusal.</summary>
/// <param name="throttle">Holds back what repeats.</param>
/// <param name="log">The log.</param>
/// <param name="lines">Where decisions go when machines read the log; <see langword="null"/> when people do.</param>
sealed partial class ReviewLog(LogThrottle throttle, ILogger<ReviewLog> log, DecisionLines? lines = null) : IReviewObserver
{
    internal const string DecisionTemplate = "{Namespace}/{Pod} to {Node} ({Reason}): {Decision} [{Uid}]";
    const string AnyNode = "any node";

    public void Answered(in ReviewObservation observation)
    {
        var result = observation.Result;
        switch (result.Status)
        {
            case ReviewStatus.Fault when throttle.Allows("fault", out var suppressed):
                FailedOpen(ReviewText.Fault(result.Fault!), ReviewText.Name(result.Review.Uid), suppressed);
                break;
            case ReviewStatus.UnreadablePod or ReviewStatus.AnnotationsFull when throttle.Allows(result.Outcome, out var suppressed):
                LeftAsItIs(ReviewText.Name(result.Review.Uid), ReviewText.Sentence(result.WhyLeft!), suppressed);
                break;
            case ReviewStatus.Decided when result.Decision is { IsDecided: true } decision && log.IsEnabled(LogLevel.Information):
                Log(result, decision);
                break;
        }
    }

    public void Refused(in RefusedRequest refused)
    {
        if (throttle.Allows(refused.ThrottleKey, out var suppressed))
        {
            Refused(refused.Status, ReviewText.Sentence(refused.Message), suppressed);
        }
    }

    void Log(ReviewResult result, Decision decision)
    {
        var (ns, pod, uid) = (ReviewText.Name(result.Review.Pod!.Facts.Namespace), ReviewText.Name(result.Review.Pod.Name), ReviewText.Name(result.Review.Uid));
        var (node, reason, words) = (decision.Chosen?.Name ?? AnyNode, DecisionLabels.Reason(decision), ReviewText.Sentence(result.Explanation));
        if (lines is not null)
        {
            lines.Write(ns, pod, node, reason, words, uid);
        }
        else
        {
            Decided(ns, pod, node, reason, words, uid);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = DecisionTemplate)]
    partial void Decided(string @namespace, string pod, string node, string reason, string decision, string uid);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Request refused with {Status}: {Reason} ({Suppressed} more like it since the last line)")]
    partial void Refused(int status, string reason, long suppressed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pod of review {Uid} left as it is: {Reason} ({Suppressed} more like it since the last line)")]
    partial void LeftAsItIs(string uid, string reason, long suppressed);

    [LoggerMessage(Level = LogLevel.Error, Message = "Review {Uid} failed and its pod was let through ({Suppressed} more like it since the last line)")]
    partial void FailedOpen(Exception fault, string uid, long suppressed);
}
