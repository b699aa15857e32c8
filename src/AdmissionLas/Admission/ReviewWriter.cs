using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using AdmissionLas.Placement;

namespace AdmissionLas.Admission;

/// <summary>
/// Writes the answer: an AdmissionReview of the version and uid that came, always <c>allowed: true</c>, a patch only where something changes.
/// </summary>
/// <remarks>Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response.</remarks>
// The JSON writers hold no more than memory and live as long as their thread, so nobody disposes of them.
[System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "One instance a thread, for good.")]
sealed class ReviewWriter
{
    // The API server cuts warnings at 256 characters each where there are more than 4096 together.
    const int MaxWarningLength = 256;

    // Relaxed: nobody reads this in a web page, and every "\u003E" is bytes in a patch that an API server has to apply.
    internal static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    static readonly string[] OutcomeNames = Enum.GetNames<Outcome>();
    static readonly string[] TypeNames = Enum.GetNames<StepType>();

    [ThreadStatic]
    static ReviewWriter? mine;

    readonly ArrayBufferWriter<byte> patch = new(4096);
    readonly Utf8JsonWriter patchJson;
    readonly Utf8JsonWriter json;

    ReviewWriter()
    {
        patchJson = new Utf8JsonWriter(patch, Options);
        json = new Utf8JsonWriter(patch, Options);
    }

    /// <summary>The calling thread's writer: its buffers are used again and again, and never across an await.</summary>
    internal static ReviewWriter Current => mine ??= new ReviewWriter();

    /// <summary>Writes the answer to a review.</summary>
    /// <param name="answer">Where it goes.</param>
    /// <param name="review">The review.</param>
    /// <param name="decision">What was decided; <see langword="null"/> when there was nothing to decide on.</param>
    /// <param name="warning">A warning beside the decision's own.</param>
    internal void Write(IBufferWriter<byte> answer, AdmissionReview review, Decision? decision, string? warning = null)
    {
        json.Reset(answer);
        json.WriteStartObject();
        json.WriteString("apiVersion"u8, review.ApiVersion);
        json.WriteString("kind"u8, "AdmissionReview"u8);
        json.WriteStartObject("response"u8);
        json.WriteString("uid"u8, review.Uid);
        json.WriteBoolean("allowed"u8, true);
        if (decision is not null && PatchWriter.HasPatch(decision))
        {
            patch.ResetWrittenCount();
            patchJson.Reset(patch);
            PatchWriter.Write(patchJson, decision, review);
            patchJson.Flush();
            json.WriteString("patchType"u8, "JSONPatch"u8);
            json.WriteBase64String("patch"u8, patch.WrittenSpan);
            WriteAuditAnnotations(decision);
        }

        WriteWarnings(decision?.Warnings ?? [], warning);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
    }

    // The API server puts the webhook's name before each key, so the keys need none of ours.
    void WriteAuditAnnotations(Decision decision)
    {
        json.WriteStartObject("auditAnnotations"u8);
        json.WriteString("decision"u8, decision.Explanation);
        json.WriteString("outcome"u8, OutcomeNames[(int)decision.Outcome]);
        json.WriteString("type"u8, TypeNames[(int)decision.Step.Type]);
        json.WriteString("type-rule"u8, decision.Step.TypeRule);
        if (decision.Chosen is { } chosen)
        {
            json.WriteString("node"u8, chosen.Name);
            if (decision.Step.Type == StepType.Predict)
            {
                json.WriteString("location"u8, decision.Step.Location);
                json.WriteString("location-rule"u8, decision.Step.LocationRule);
                Span<byte> latencyMs = stackalloc byte[32];
                json.WriteString("latency-ms"u8, Math.Round(decision.LatencyMs, 3).TryFormat(latencyMs, out var length, default, CultureInfo.InvariantCulture) ? latencyMs[..length] : default);
            }
        }

        json.WriteEndObject();
    }

    void WriteWarnings(IReadOnlyList<string> warnings, string? more)
    {
        if (warnings.Count == 0 && more is null)
        {
            return;
        }

        json.WriteStartArray("warnings"u8);
        for (var i = 0; i < warnings.Count; i++)
        {
            WriteWarning(warnings[i]);
        }

        if (more is not null)
        {
            WriteWarning(more);
        }

        json.WriteEndArray();
    }

    void WriteWarning(string text)
    {
        var warning = $"admission-las: {text}";
        json.WriteStringValue(warning.AsSpan(0, Math.Min(warning.Length, MaxWarningLength)));
    }
}
