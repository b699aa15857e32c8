namespace AdmissionLas.Observers;

/// <summary>The log of reviews: one line for each decision, and one a minute for each kind of fault and refusal.</summary>
sealed partial class ReviewLog(LogThrottle throttle, ILogger<ReviewLog> log) : IReviewObserver
{
    const string AnyNode = "any node";

    public void Answered(in ReviewObservation observation)
    {
        var result = observation.Result;
        switch (result.Status)
        {
            case ReviewStatus.Fault when throttle.Allows("fault", out var suppressed):
                FailedOpen(result.Fault!, result.Review.Uid, suppressed);
                break;
            case ReviewStatus.UnreadablePod when throttle.Allows("unreadable-pod", out var suppressed):
                UnreadablePod(result.Review.Uid, result.Review.SkipReason!, suppressed);
                break;
            case ReviewStatus.Decided when result.Decision is { IsDecided: true } decision && log.IsEnabled(LogLevel.Information):
                var (pod, reason) = (result.Review.Pod!, DecisionLabels.Reason(decision));
                Decided(pod.Facts.Namespace, pod.Name, decision.Chosen?.Name ?? AnyNode, reason, result.Explanation, result.Review.Uid);
                break;
        }
    }

    public void Refused(in RefusedRequest refused)
    {
        if (throttle.Allows(refused.ThrottleKey, out var suppressed))
        {
            Refused(refused.Status, refused.Message, suppressed);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Namespace}/{Pod} to {Node} ({Reason}): {Decision} [{Uid}]")]
    partial void Decided(string @namespace, string pod, string node, string reason, string decision, string uid);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Request refused with {Status}: {Reason} ({Suppressed} more like it since the last line)")]
    partial void Refused(int status, string reason, long suppressed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Pod of review {Uid} left as it is: {Reason} ({Suppressed} more like it since the last line)")]
    partial void UnreadablePod(string uid, string reason, long suppressed);

    [LoggerMessage(Level = LogLevel.Error, Message = "Review {Uid} failed and its pod was let through ({Suppressed} more like it since the last line)")]
    partial void FailedOpen(Exception fault, string uid, long suppressed);
}
