using System.Collections.Concurrent;

namespace AdmissionLas.Observers;

/// <summary>
/// The values of a metric's label that others choose: the first so many stand for themselves, all after them are <c>other</c>. Each value of a
/// label is a time series in every Prometheus, for good.
/// </summary>
sealed class BoundedLabelValues(int most)
{
    internal const string Other = "other";

    readonly ConcurrentDictionary<string, object> known = new(StringComparer.Ordinal);
    int count;

    /// <summary>The value to record. The same object every time, so nothing is made on the way.</summary>
    internal object Of(string value)
    {
        if (known.TryGetValue(value, out var mine))
        {
            return mine;
        }

        // Counted before it is added: two threads at once may leave a place empty, and never take one too many.
        if (Volatile.Read(ref count) >= most || Interlocked.Increment(ref count) > most)
        {
            return Other;
        }

        return known.GetOrAdd(value, value);
    }
}
