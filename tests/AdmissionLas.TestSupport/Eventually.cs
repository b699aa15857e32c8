using System.Diagnostics;

namespace AdmissionLas.TestSupport;

/// <summary>Waits for what must come true. The bound is far beyond what it takes; it only ends a wait that would never end.</summary>
public static class Eventually
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    /// <param name="what">What is waited for, for the message.</param>
    /// <param name="condition">Whether it is true.</param>
    /// <param name="bound">Another bound, for what takes long by itself.</param>
    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> IsTrueAsync(string what, Func<Task<bool>> condition, TimeSpan? bound = null)
    {
        var limit = bound ?? Bound;
        var startedAt = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(startedAt) > limit)
            {
                throw new TimeoutException($"not within {limit.TotalSeconds:0} s: {what}");
            }

            await Task.Delay(20);
        }

        return Stopwatch.GetElapsedTime(startedAt);
    }
}
