using System.Diagnostics.Metrics;
using AdmissionLas.Hosting;
using AdmissionLas.Kubernetes;

namespace AdmissionLas.Telemetry;

/// <summary>The server's instruments, under the meter <c>AdmissionLas</c>.</summary>
sealed class WebhookMetrics
{
    internal const string MeterName = "AdmissionLas";

    readonly Counter<long> reviews;
    readonly Counter<long> refused;
    readonly Histogram<double> duration;

    public WebhookMetrics(IMeterFactory meters, ClusterState state, UsageLedger ledger, ServingTls tls, TimeProvider time)
    {
        var meter = meters.Create(MeterName);
        reviews = meter.CreateCounter<long>("admission_las.reviews", "{review}", "Reviews answered, by outcome");
        refused = meter.CreateCounter<long>("admission_las.refused_requests", "{request}", "Requests that were no review, by reason");
        duration = meter.CreateHistogram<double>("admission_las.review.duration", "s", "From the last byte of a review to its answer");
        meter.CreateObservableGauge("admission_las.snapshot.age", () => state.Age?.TotalSeconds ?? double.NaN, "s", "Time since the API server last confirmed the cluster view");
        meter.CreateObservableGauge("admission_las.snapshot.nodes", () => state.Current?.Nodes.Count ?? 0, "{node}", "Nodes in the cluster view");
        meter.CreateObservableGauge("admission_las.usage.pods", () => ledger.Count, "{pod}", "Pods counted against nodes");
        meter.CreateObservableGauge("admission_las.usage.assumed_pods", () => ledger.AssumedCount, "{pod}", "Those of them that were just placed and are not seen yet");
        meter.CreateObservableGauge("admission_las.unreadable_latency_labels", () => state.Current?.UnreadableLatencies.Count ?? 0, "{label}", "Latency labels in the cluster view that count as not measured");
        meter.CreateObservableGauge("admission_las.certificate.expiry", () => (tls.Current.NotAfter - time.GetUtcNow()).TotalSeconds, "s", "Time until the serving certificate expires");
        Meter = meter;
    }

    /// <summary>For instruments that exist only in one way of running.</summary>
    internal Meter Meter { get; }

    /// <summary>A review was answered.</summary>
    internal void Answered(string outcome, TimeSpan took)
    {
        reviews.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        duration.Record(took.TotalSeconds);
    }

    /// <summary>A request was refused.</summary>
    internal void Refused(string reason) => refused.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
