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
    /// <param name="hasPatch">Whether the buffer holds a patch.</param>
    internal static void Write(AnswerBuffer buffer, ReviewResult result, bool hasPatch)
    {
        var json = buffer.Answer.Begin();
        json.WriteStartObject();
        json.WriteString(JsonTexts.ApiVersion, result.Review.ApiVersion);
        json.WriteString(JsonTexts.Kind, JsonTexts.AdmissionReview);
        json.WriteStartObject(JsonTexts.Response);
        json.WriteString(JsonTexts.Uid, result.Review.Uid);
        json.WriteBoolean(JsonTexts.Allowed, true);
        if (hasPatch)
        {
            json.WriteString(JsonTexts.PatchType, JsonTexts.JsonPatch);
            json.WriteBase64String(JsonTexts.Patch, buffer.Patch.Written.Span);
            WriteAuditAnnotations(json, result.Decision!, result);
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
        json.WriteStartObject(JsonTexts.AuditAnnotations);
        if (result.Review.Pod!.Earlier is not null)
        {
            // What the first call said stands in the audit event, and cannot be written over.
            json.WriteString(JsonTexts.Revised, decision.IsDecided ? result.Explanation : result.Outcome);
            json.WriteEndObject();
            return;
        }

        json.WriteString(JsonTexts.Decision, result.Explanation);
        json.WriteString(JsonTexts.Outcome, result.Outcome);
        json.WriteString(JsonTexts.Type, step.Type);
        json.WriteString(JsonTexts.TypeRule, step.TypeRule);
        if (decision.Chosen is { } chosen)
        {
            json.WriteString(JsonTexts.Node, chosen.Name);
            if (step.Kind is { HasLocation: true })
            {
                json.WriteString(JsonTexts.Location, step.Location);
                json.WriteString(JsonTexts.LocationRule, step.LocationRule);
                Span<char> latencyMs = stackalloc char[32];
                Math.Round(decision.LatencyMs, 3).TryFormat(latencyMs, out var length, default, CultureInfo.InvariantCulture);
                json.WriteString(JsonTexts.LatencyMs, latencyMs[..length]);
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

        json.WriteStartArray(JsonTexts.Warnings);
        foreach (var text in warnings)
        {
            var warning = $"admission-las: {text}";
            json.WriteStringValue(warning.AsSpan(0, Math.Min(warning.Length, MaxWarningLength)));
        }

        json.WriteEndArray();
    }
}
