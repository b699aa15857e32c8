using System.Diagnostics.Metrics;
using AdmissionLas.Observers;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>How often the webhook in this process was called, by its own count: reviews and what was no review.</summary>
sealed class ReviewCount : IDisposable
{
    readonly MeterListener listener = new();
    long calls;

    internal ReviewCount()
    {
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == WebhookMetrics.MeterName && instrument.Name is "admission_las.reviews" or "admission_las.refused_requests")
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => Interlocked.Add(ref calls, value));
        listener.Start();
    }

    /// <summary>The calls that an action costs.</summary>
    internal async Task<long> OfAsync(Func<Task> action)
    {
        var before = Interlocked.Read(ref calls);
        await action();
        return Interlocked.Read(ref calls) - before;
    }

    public void Dispose() => listener.Dispose();
}
