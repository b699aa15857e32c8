using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using AdmissionLas.Observers;

namespace AdmissionLas.TestSupport;

/// <summary>What a server's counters and histograms have measured since this was made.</summary>
sealed class Measurements : IDisposable
{
    readonly MeterListener listener = new();
    readonly ConcurrentQueue<(string Instrument, string Labels, double Value)> all = [];

    internal Measurements(WebhookMetrics metrics)
    {
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (ReferenceEquals(instrument.Meter, metrics.Meter))
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, labels, _) => Add(instrument, value, labels));
        listener.SetMeasurementEventCallback<double>((instrument, value, labels, _) => Add(instrument, value, labels));
        listener.Start();
    }

    /// <summary>Each measurement of an instrument.</summary>
    internal IEnumerable<double> Of(string instrument) => all.Where(m => m.Instrument == instrument).Select(m => m.Value);

    /// <summary>The sum of a counter by the values of its labels, as in <c>predict/as-decided</c>, zeros left out.</summary>
    internal IEnumerable<(string Labels, double Sum)> Sums(string instrument) => all.Where(m => m.Instrument == instrument)
        .GroupBy(m => m.Labels, (labels, same) => (labels, same.Sum(m => m.Value))).Where(m => m.Item2 > 0).OrderBy(m => m.labels, StringComparer.Ordinal);

    public void Dispose() => listener.Dispose();

    void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        var values = new List<string>();
        foreach (var (_, label) in labels)
        {
            values.Add($"{label}");
        }

        all.Enqueue((instrument.Name, string.Join('/', values), value));
    }
}
