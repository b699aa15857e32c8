using System.Globalization;
using System.Text;
using AdmissionLas.Placement;

namespace AdmissionLas.Webhook;

/// <summary>
/// Writes the answer: an AdmissionReview of the version and uid that came, always <c>allowed: true</c>, a patch only where something changes.
/// </summary>
/// <remarks>Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response.</remarks>
static class ReviewWriter
{
    // The API server cuts warnings at 256 characters each where there are more than 4096 together.
    const int MaxWarningLength = 256;

    static readonly byte[][] Outcomes = [.. Enum.GetNames<Outcome>().Select(name => Encoding.UTF8.GetBytes($",\"outcome\":\"{name}\""))];
    static readonly byte[][] Types = [.. Enum.GetNames<StepType>().Select(name => Encoding.UTF8.GetBytes($",\"type\":\"{name}\""))];

    // One a thread, used again and again, and never across an await.
    [ThreadStatic]
    static RawJsonWriter? patchOfThread;

    /// <summary>Writes the answer to a review.</summary>
    /// <param name="json">Where it goes.</param>
    /// <param name="review">The review.</param>
    /// <param name="decision">What was decided; <see langword="null"/> when there was nothing to decide on.</param>
    /// <param name="warning">A warning beside the decision's own.</param>
    internal static void Write(RawJsonWriter json, AdmissionReview review, Decision? decision, string? warning = null)
    {
        json.Add("{\"apiVersion\":"u8);
        json.AddText(review.ApiVersion);
        json.Add(",\"kind\":\"AdmissionReview\",\"response\":{\"uid\":"u8);
        json.AddText(review.Uid);
        json.Add(",\"allowed\":true"u8);
        if (decision is not null && PatchWriter.HasPatch(decision))
        {
            var patch = patchOfThread ??= new RawJsonWriter();
            patch.ResetWrittenCount();
            PatchWriter.Write(patch, decision, review);
            json.Add(",\"patchType\":\"JSONPatch\",\"patch\":"u8);
            json.AddBase64(patch.WrittenSpan);
            WriteAuditAnnotations(json, decision);
        }

        WriteWarnings(json, decision?.Warnings ?? [], warning);
        json.Add("}}"u8);
    }

    // The API server puts the webhook's name before each key, so the keys need none of ours.
    static void WriteAuditAnnotations(RawJsonWriter json, Decision decision)
    {
        var step = decision.Step;
        json.Add(",\"auditAnnotations\":{\"decision\":"u8);
        json.AddText(decision.Explanation);
        json.Add(Outcomes[(int)decision.Outcome]);
        json.Add(Types[(int)step.Type]);
        json.Add(",\"type-rule\":"u8);
        json.AddText(step.TypeRule);
        if (decision.Chosen is { } chosen)
        {
            json.Add(",\"node\":"u8);
            json.AddText(chosen.Name);
            if (step.Type == StepType.Predict)
            {
                json.Add(",\"location\":"u8);
                json.AddText(step.Location);
                json.Add(",\"location-rule\":"u8);
                json.AddText(step.LocationRule);
                json.Add(",\"latency-ms\":"u8);
                Span<char> latencyMs = stackalloc char[32];
                json.AddText(Math.Round(decision.LatencyMs, 3).TryFormat(latencyMs, out var length, default, CultureInfo.InvariantCulture) ? latencyMs[..length] : default);
            }
        }

        json.Add("}"u8);
    }

    static void WriteWarnings(RawJsonWriter json, IReadOnlyList<string> warnings, string? more)
    {
        if (warnings.Count == 0 && more is null)
        {
            return;
        }

        json.Add(",\"warnings\":["u8);
        for (var i = 0; i < warnings.Count; i++)
        {
            WriteWarning(json, warnings[i], isFirst: i == 0);
        }

        if (more is not null)
        {
            WriteWarning(json, more, isFirst: warnings.Count == 0);
        }

        json.Add("]"u8);
    }

    static void WriteWarning(RawJsonWriter json, string text, bool isFirst)
    {
        var warning = $"admission-las: {text}";
        json.Add(isFirst ? ""u8 : ","u8);
        json.AddText(warning.AsSpan(0, Math.Min(warning.Length, MaxWarningLength)));
    }
}
