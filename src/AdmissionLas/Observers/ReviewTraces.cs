using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace AdmissionLas.Observers;

/// <summary>
/// A span for each review, with the decision, sent by OTLP. Only where the environment names a receiver; without one nothing is made or asked.
/// </summary>
/// <remarks>
/// The variables are OpenTelemetry's own (https://opentelemetry.io/docs/specs/otel/protocol/exporter/), as are those that choose what is
/// sampled. An API server that traces sends its own span along, and ours becomes a part of that one's trace.
/// </remarks>
sealed class ReviewTraces : IReviewObserver, IDisposable
{
    const string SourceName = "AdmissionLas";

    // What everybody passes on: https://www.w3.org/TR/trace-context/#tracestate-limits.
    const int LongestTraceState = 512;

    static readonly string[] Endpoints = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

    readonly TimeProvider time;
    readonly ActivitySource? source;
    readonly TracerProvider? provider;

    public ReviewTraces(TimeProvider time)
    {
        this.time = time;
        if (Endpoints.Any(e => Environment.GetEnvironmentVariable(e) is { Length: > 0 }))
        {
            source = new ActivitySource(SourceName);
            provider = Sdk.CreateTracerProviderBuilder()
                .AddSource(SourceName)
                // The environment may name the service otherwise, so it comes last.
                .ConfigureResource(resource => resource.Clear().AddService("admission-las").AddTelemetrySdk().AddEnvironmentVariableDetector())
                .AddOtlpExporter()
                .Build();
        }
    }

    public void Answered(in ReviewObservation observation)
    {
        if (source is not null)
        {
            Record(source, observation);
        }
    }

    /// <summary>Sends what is left.</summary>
    public void Dispose()
    {
        provider?.Dispose();
        source?.Dispose();
    }

    void Record(ActivitySource spans, in ReviewObservation observation)
    {
        var now = time.GetUtcNow();
        var state = observation.TraceState is { Length: > LongestTraceState } ? null : observation.TraceState;
        ActivityContext.TryParse(observation.TraceParent, state, isRemote: true, out var caller);
        // Whatever activity the server has is not sent anywhere, so it must not become the parent.
        var outer = Activity.Current;
        Activity.Current = null;
        try
        {
            using var span = spans.StartActivity("review", ActivityKind.Server, caller, startTime: now - observation.Took);
            if (span is { IsAllDataRequested: true })
            {
                Describe(span, observation.Result);
                span.SetEndTime(now.UtcDateTime);
            }
        }
        finally
        {
            Activity.Current = outer;
        }
    }

    static void Describe(Activity span, ReviewResult result)
    {
        span.SetTag("admission_las.request.uid", ReviewText.Name(result.Review.Uid));
        span.SetTag("admission_las.outcome", result.Outcome);
        if (result.Fault is { } fault)
        {
            span.SetStatus(ActivityStatusCode.Error, fault.GetType().Name);
        }

        if (result.Review.Pod is { } pod)
        {
            span.SetTag("k8s.namespace.name", ReviewText.Name(pod.Facts.Namespace));
            span.SetTag("k8s.pod.name", ReviewText.Name(pod.Name));
        }

        if (result.Decision is not { Step.Kind: not null } decision)
        {
            return;
        }

        span.SetTag("admission_las.component", DecisionLabels.Component(result));
        span.SetTag("admission_las.reason", DecisionLabels.Reason(decision));
        span.SetTag("admission_las.decision", ReviewText.Sentence(result.Explanation));
        if (decision.Step.Location is { } location)
        {
            span.SetTag("admission_las.location", ReviewText.Name(location));
        }

        if (decision.Chosen is { } chosen)
        {
            span.SetTag("k8s.node.name", chosen.Name);
        }

        if (decision is { Outcome: Outcome.Placed, Step.Kind.HasLocation: true })
        {
            span.SetTag("admission_las.latency_ms", decision.LatencyMs);
        }
    }
}
