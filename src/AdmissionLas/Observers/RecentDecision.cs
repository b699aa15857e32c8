using System.Buffers;
using AdmissionLas.Realised;

namespace AdmissionLas.Observers;

/// <summary>A review that was answered, as far as somebody may want to look at it later.</summary>
/// <param name="Number">Its place in the order of answers, from 1.</param>
/// <param name="Summary">What the stream says of it: one line of JSON.</param>
/// <param name="Review">The uid under which its pod is known again: <see cref="PodHints.AssumedKey"/>.</param>
/// <param name="Pod">The pod, to explain it once more; <see langword="null"/> for one that could not be read or is too large to keep.</param>
sealed record RecentDecision(long Number, byte[] Summary, string Review, PodFacts? Pod)
{
    /// <summary>Where the pod runs; <see langword="null"/> until that is seen.</summary>
    internal RunsOn? RunsOn { get; init; }

    /// <summary>
    /// Of a larger review only the summary is kept. Nothing has validated a pod under review, and a few hundred of the largest would fill the memory.
    /// </summary>
    internal const int LargestKeptReviewBytes = 64 * 1024;

    const int MaxItems = 20;

    /// <summary>Whether it is worth showing: a step of ours, or something that should have been one.</summary>
    internal static bool IsWorthShowing(ReviewResult result) =>
        result.Status != ReviewStatus.NotOurs && result.Decision?.Outcome is not (Outcome.NotAStep or Outcome.AlreadyDecided);

    /// <summary>Takes what is kept of a review.</summary>
    /// <param name="id">What the page calls it.</param>
    /// <param name="number">Its place in the order.</param>
    /// <param name="observation">What became of it.</param>
    /// <param name="at">When it was answered.</param>
    internal static RecentDecision Of(string id, long number, in ReviewObservation observation, DateTimeOffset at)
    {
        var result = observation.Result;
        var isKept = observation.ReviewBytes <= LargestKeptReviewBytes && result.Decision is { Outcome: not Outcome.TooComplex };
        return new RecentDecision(number, Write(id, result, observation.Took, at), ReviewText.Name(result.Reservation), isKept ? result.Review.Pod?.Facts : null);
    }

    static byte[] Write(string id, ReviewResult result, TimeSpan took, DateTimeOffset at)
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("at", at);
            json.WriteNumber("tookMicroseconds", Math.Round(took.TotalMicroseconds));
            json.WriteString("uid", ReviewText.Name(result.Review.Uid));
            json.WriteBoolean("dryRun", result.Review.IsDryRun);
            json.WriteString("namespace", ReviewText.Name(result.Review.Pod?.Facts.Namespace ?? ""));
            json.WriteString("pod", ReviewText.Name(result.Review.Pod?.Name ?? ""));
            json.WriteString("outcome", result.Outcome);
            json.WriteString("decision", ReviewText.Sentence(result.Decision is null ? WhyUndecided(result) : result.Explanation));
            if (result.Decision is { } decision)
            {
                Write(json, decision, result.Warnings);
            }

            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    static void Write(Utf8JsonWriter json, Decision decision, IReadOnlyList<string> warnings)
    {
        json.WriteString("type", decision.Step.Type);
        json.WriteString("typeRule", ReviewText.Sentence(decision.Step.TypeRule));
        json.WriteString("location", ReviewText.Name(decision.Step.Location));
        json.WriteString("locationRule", ReviewText.Sentence(decision.Step.LocationRule));
        json.WriteString("mode", decision.Mode.ToString());
        if (decision.Chosen is { } chosen)
        {
            json.WriteString("node", chosen.Name);
            json.WriteBoolean("hasRoom", decision.HasRoom);
            if (decision.Step.Kind is { HasLocation: true })
            {
                json.WriteNumber("latencyMs", decision.LatencyMs);
            }
        }

        json.WriteStartArray("requests");
        foreach (var added in decision.Requests.Take(MaxItems))
        {
            json.WriteStringValue($"{ReviewText.Name(added.ContainerName)}: {added.Resource} {added.Quantity}");
        }

        json.WriteEndArray();
        json.WriteStartArray("warnings");
        foreach (var warning in warnings.Take(MaxItems))
        {
            json.WriteStringValue(ReviewText.Sentence(warning));
        }

        json.WriteEndArray();
    }

    static string WhyUndecided(ReviewResult result) => result.Status switch
    {
        ReviewStatus.Fault => "the review failed inside the webhook and the pod was let through; the log has the reason",
        ReviewStatus.UnreadablePod or ReviewStatus.AnnotationsFull => $"the pod was left as it is: {result.WhyLeft}",
        _ => "the nodes were not known yet, so the pod was let through",
    };
}

/// <summary>Where the pod of a decision runs.</summary>
/// <param name="Node">The node to which it is bound.</param>
/// <param name="Result">Whether that is as decided.</param>
readonly record struct RunsOn(string Node, PlacementResult Result);
