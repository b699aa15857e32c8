using System.Globalization;

namespace AdmissionLas.Webhook;

/// <summary>
/// Writes the answer: an AdmissionReview of the version and uid that came, always <c>allowed: true</c>, a patch only where something changes.
/// </summary>
/// <remarks>Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response.</remarks>
static class ReviewWriter
{
    // The API server cuts warnings at 256 characters each where there are more than 4096 together.
    const int MaxWarningLength = 256;

    /// <summary>Writes the answer to a review.</summary>
    /// <param name="buffer">Where it goes: <see cref="AnswerBuffer.Answer"/>.</param>
    /// <param name="result">What became of the review.</param>
    internal static void Write(AnswerBuffer buffer, ReviewResult result)
    {
        var json = buffer.Answer.Begin();
        json.WriteStartObject();
        json.WriteString("apiVersion"u8, result.Review.ApiVersion);
        json.WriteString("kind"u8, "AdmissionReview"u8);
        json.WriteStartObject("response"u8);
        json.WriteString("uid"u8, result.Review.Uid);
        json.WriteBoolean("allowed"u8, true);
        if (result.Decision is { IsDecided: true } decision)
        {
            PatchWriter.Write(buffer, decision, result.Explanation, result.Review);
            json.WriteString("patchType"u8, "JSONPatch"u8);
            json.WriteBase64String("patch"u8, buffer.Patch.Written.Span);
            WriteAuditAnnotations(json, decision, result);
        }

        WriteWarnings(json, result.Warnings);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
    }

    // The API server puts the webhook's name before each key, so the keys need none of ours.
    static void WriteAuditAnnotations(Utf8JsonWriter json, Decision decision, ReviewResult result)
    {
        var step = decision.Step;
        json.WriteStartObject("auditAnnotations"u8);
        json.WriteString("decision"u8, result.Explanation);
        json.WriteString("outcome"u8, result.Outcome);
        json.WriteString("type"u8, step.Type);
        json.WriteString("type-rule"u8, step.TypeRule);
        if (decision.Chosen is { } chosen)
        {
            json.WriteString("node"u8, chosen.Name);
            if (step.Kind is { HasLocation: true })
            {
                json.WriteString("location"u8, step.Location);
                json.WriteString("location-rule"u8, step.LocationRule);
                Span<char> latencyMs = stackalloc char[32];
                Math.Round(decision.LatencyMs, 3).TryFormat(latencyMs, out var length, default, CultureInfo.InvariantCulture);
                json.WriteString("latency-ms"u8, latencyMs[..length]);
            }
        }

        json.WriteEndObject();
    }

    static void WriteWarnings(Utf8JsonWriter json, IReadOnlyList<string> warnings)
    {
        if (warnings.Count == 0)
        {
            return;
        }

        json.WriteStartArray("warnings"u8);
        foreach (var text in warnings)
        {
            var warning = $"admission-las: {text}";
            json.WriteStringValue(warning.AsSpan(0, Math.Min(warning.Length, MaxWarningLength)));
        }

        json.WriteEndArray();
    }
}
