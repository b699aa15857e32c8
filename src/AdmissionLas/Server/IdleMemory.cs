namespace AdmissionLas.Server;

/// <summary>
/// Gives memory back that a flood of requests has left behind. A server with little to do collects so rarely that it would keep that for hours, and other
/// pods of the node, or the next flood, need it.
/// </summary>
sealed class IdleMemory(TimeProvider time) : BackgroundService
{
    /// <summary>A growth by less is not worth the work.</summary>
    const double Growth = 1.1;

    static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var usual = Environment.WorkingSet;
        var (before, isCollected) = (usual, false);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            var now = Environment.WorkingSet;
            if (isCollected)
            {
                NativeHeap.Trim();
                // Where the server simply needs more than before, it is not collected for that again.
                (usual, isCollected) = (Environment.WorkingSet, false);
            }
            // Not in the middle of a flood.
            else if (now > Growth * usual && now <= before)
            {
                // Beside the reviews, which it does not stop for long.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
                isCollected = true;
            }

            before = now;
        }
    }
}
