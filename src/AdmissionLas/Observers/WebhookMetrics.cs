using System.Diagnostics.Metrics;
using System.Reflection;
using AdmissionLas.Configuration;
using AdmissionLas.Realised;

namespace AdmissionLas.Observers;

/// <summary>
/// The server's instruments, under the meter <c>AdmissionLas</c>. In Prometheus a name's dots are underscores, its unit is added, and counters
/// end in <c>_total</c>; times are in seconds there, latencies among them (https://prometheus.io/docs/practices/naming/).
/// </summary>
/// <remarks>Recording a measurement allocates nothing: the values of labels are constants or kept.</remarks>
sealed class WebhookMetrics : IReviewObserver
{
    internal const string MeterName = "AdmissionLas";

    /// <summary>Locations are label keys of nodes, of which anybody with the right to label nodes can make more.</summary>
    internal const int MaxLocations = 50;

    static readonly InstrumentAdvice<double> ReviewBuckets = new()
    {
        HistogramBucketBoundaries = [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1],
    };

    // From the same rack to the other side of the world.
    static readonly InstrumentAdvice<double> LatencyBuckets = new()
    {
        HistogramBucketBoundaries = [0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    };

    // The first bucket is those that lose nothing.
    static readonly InstrumentAdvice<double> RegretBuckets = new()
    {
        HistogramBucketBoundaries = [0, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    };

    static readonly InstrumentAdvice<long> CandidateBuckets = new() { HistogramBucketBoundaries = [1, 2, 3, 4, 6, 8, 12, 16] };

    readonly Counter<long> reviews;
    readonly Counter<long> refusals;
    readonly Counter<long> decisions;
    readonly Counter<long> events;
    readonly Counter<long> placements;
    readonly Counter<long> bypassed;
    readonly Histogram<double> duration;
    readonly Histogram<double> latency;
    readonly Histogram<double> regret;
    readonly Histogram<double> realisedRegret;
    readonly Histogram<long> candidates;
    readonly BoundedLabelValues locations = new(MaxLocations);

    public WebhookMetrics(IMeterFactory meters, ClusterState state, NodeUsageCache usageCache)
    {
        var meter = meters.Create(MeterName);
        reviews = meter.CreateCounter<long>("admission_las.reviews", "{review}", "Reviews answered, by outcome");
        refusals = meter.CreateCounter<long>("admission_las.refused_requests", "{request}", "Requests that were no review or not answered, by reason");
        decisions = meter.CreateCounter<long>("admission_las.decisions", "{decision}", "Decisions on steps, by component and reason");
        events = meter.CreateCounter<long>("admission_las.events", "{event}", "Kubernetes Events about steps that could not be placed near their location, by what became of them");
        placements = meter.CreateCounter<long>("admission_las.placements", "{pod}", "Placed steps that the scheduler has bound, by component and by whether it followed the decision; each replica counts those of all");
        bypassed = meter.CreateCounter<long>("admission_las.bypassed_steps", "{pod}", "Steps that were created without the webhook in namespaces that opt in; each replica counts all");
        duration = meter.CreateHistogram("admission_las.review.duration", "s", "From the last byte of a review to its answer", advice: ReviewBuckets);
        latency = meter.CreateHistogram("admission_las.placement.latency", "s", "Latency of the node chosen for a predict step to its location, by location", advice: LatencyBuckets);
        regret = meter.CreateHistogram("admission_las.placement.regret", "s", "How much further the chosen node is than the nearest to the location, by location", advice: RegretBuckets);
        realisedRegret = meter.CreateHistogram("admission_las.realised_regret", "s", "How much further from its location a predict step runs than the chosen node is; each replica counts those of all", advice: RegretBuckets);
        candidates = meter.CreateHistogram("admission_las.placement.candidates", "{node}", "Nodes that the patch of a predict step names", advice: CandidateBuckets);
        meter.CreateObservableGauge("admission_las.snapshot.age", () => state.Age?.TotalSeconds ?? double.NaN, "s", "Time since the API server last confirmed the cluster view; NaN before the first list");
        meter.CreateObservableGauge("admission_las.snapshot.nodes", () => state.Current?.Nodes.Count ?? 0, "{node}", "Nodes in the cluster view");
        meter.CreateObservableGauge("admission_las.snapshot.locations", () => state.Current?.Locations.Count ?? 0, "{location}", "Locations to which some node has a latency");
        meter.CreateObservableGauge("admission_las.usage.followed", () => usageCache.IsFollowed ? 1 : 0, null, "1 while pods are listed and watched, 0 when every node counts as empty");
        meter.CreateObservableGauge("admission_las.usage.pods", () => usageCache.Count, "{pod}", "Pods counted against nodes");
        meter.CreateObservableGauge("admission_las.usage.assumed_pods", () => usageCache.AssumedCount, "{pod}", "Those of them that were just placed and are not seen yet");
        meter.CreateObservableGauge("admission_las.unreadable_latency_labels", () => state.Current is { } view ? view.UnreadableLatencies.Count + view.CrowdedNodes.Sum(n => n.Ignored) : 0, "{label}", "Latency labels in the cluster view that count as not measured, those beyond the most of a node included");
        meter.CreateObservableGauge("admission_las.build_info", () => new Measurement<int>(1, Build), null, "Always 1, with the version and the runtime as labels");
        Meter = meter;
    }

    /// <summary>For the instruments of what this room does not know, such as the serving certificate.</summary>
    internal Meter Meter { get; }

    /// <summary>Shows every outcome from the start: the first of a kind is a change only against a zero before it.</summary>
    internal void StartAtZero()
    {
        foreach (var outcome in ReviewResult.AllOutcomes)
        {
            reviews.Add(0, new KeyValuePair<string, object?>("outcome", outcome));
        }

        events.Add(0, new KeyValuePair<string, object?>("result", "sent"));
        bypassed.Add(0);
        foreach (var kind in StepKinds.Default)
        {
            foreach (var result in Enum.GetValues<PlacementResult>())
            {
                CountPlacement(kind, result, 0);
            }
        }
    }

    public void Answered(in ReviewObservation observation)
    {
        var result = observation.Result;
        reviews.Add(1, new KeyValuePair<string, object?>("outcome", result.Outcome));
        duration.Record(observation.Took.TotalSeconds);
        if (result.Decision is { Step.Kind: not null } decision)
        {
            Decided(decision, DecisionLabels.Component(result));
        }
    }

    public void Refused(in RefusedRequest refused) => refusals.Add(1, new KeyValuePair<string, object?>("reason", refused.Reason));

    /// <summary>An event was <c>sent</c>, <c>failed</c>, <c>grouped</c> with others or <c>dropped</c> because too many were waiting.</summary>
    internal void EventEnded(string result) => events.Add(1, new KeyValuePair<string, object?>("result", result));

    /// <summary>The scheduler has bound a placed step.</summary>
    internal void Bound(in RealisedPlacement placement)
    {
        CountPlacement(placement.Kind, placement.Result, 1);
        if (placement.RegretMs is { } ms)
        {
            realisedRegret.Record(ms / 1000);
        }
    }

    /// <summary>A step was created without the webhook.</summary>
    internal void Bypassed() => bypassed.Add(1);

    void CountPlacement(StepKind kind, PlacementResult result, int count) =>
        placements.Add(count, new("component", kind.Component), new KeyValuePair<string, object?>("result", DecisionLabels.Result(result)));

    void Decided(Decision decision, string component)
    {
        decisions.Add(1, new("component", component), new KeyValuePair<string, object?>("reason", DecisionLabels.Reason(decision)));
        if (decision is { Outcome: Outcome.Placed, Step: { Kind.HasLocation: true, Location: { } location } })
        {
            var tag = new KeyValuePair<string, object?>("location", locations.Of(location));
            latency.Record(decision.LatencyMs / 1000, tag);
            regret.Record((decision.LatencyMs - decision.NearestMs) / 1000, tag);
            candidates.Record(Math.Max(decision.Preferred.Count, decision.Required?.Nodes.Count ?? 0));
        }
    }

    static KeyValuePair<string, object?>[] Build { get; } =
    [
        new("version", typeof(WebhookMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown"),
        new("dotnet_version", Environment.Version.ToString()),
    ];
}
