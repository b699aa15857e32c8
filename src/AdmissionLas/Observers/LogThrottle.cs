using System.Collections.Concurrent;

namespace AdmissionLas.Observers;

/// <summary>Lets one line a minute through for each reason, and counts the rest: bad input must not fill a disk.</summary>
sealed class LogThrottle(TimeProvider time)
{
    static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    // Some reasons name a caller. Callers that bring a new name every time share one line.
    const int MaxReasons = 1000;

    readonly ConcurrentDictionary<string, Window> windows = new();

    /// <summary>Whether the line may be written now.</summary>
    /// <param name="reason">What it is about.</param>
    /// <param name="suppressed">How many were held back since the last one.</param>
    internal bool Allows(string reason, out long suppressed)
    {
        var now = time.GetTimestamp();
        reason = ReviewText.Name(reason);
        var window = windows.GetOrAdd(windows.Count < MaxReasons || windows.ContainsKey(reason) ? reason : "", _ => new Window());
        lock (window)
        {
            suppressed = window.Suppressed;
            if (window.LastAt is { } last && time.GetElapsedTime(last, now) < Interval)
            {
                window.Suppressed++;
                return false;
            }

            window.LastAt = now;
            window.Suppressed = 0;
            return true;
        }
    }

    sealed class Window
    {
        internal long? LastAt;
        internal long Suppressed;
    }
}
