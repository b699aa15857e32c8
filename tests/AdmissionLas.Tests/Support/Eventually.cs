using System.Diagnostics;

namespace AdmissionLas.Tests.Support;

/// <summary>Waits for what must come true. The bound is far beyond what it takes; it only ends a wait that would never end.</summary>
static class Eventually
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    internal static async Task IsTrueAsync(string what, Func<Task<bool>> condition)
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
    }
}
