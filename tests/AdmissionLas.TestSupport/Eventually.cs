using System.Diagnostics;

namespace AdmissionLas.TestSupport;

/// <summary>Waits for what must come true. The bound is far beyond what it takes; it only ends a wait that would never end.</summary>
public static class Eventually
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> IsTrueAsync(string what, Func<Task<bool>> condition)
    {
        var startedAt = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(startedAt) > Bound)
            {
                throw new TimeoutException($"not within {Bound.TotalSeconds:0} s: {what}");
            }

            await Task.Delay(20);
        }

        return Stopwatch.GetElapsedTime(startedAt);
    }
}
