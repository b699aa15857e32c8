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
        var usual = Environment.WorkingSet;
        var before = usual;
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Interval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var now = Environment.WorkingSet;
            // Not in the middle of a flood; and where the server simply needs more than before, once.
            if (now > Growth * usual && now <= before)
            {
                // It stops all reviews for as long as it takes. No other kind gives the memory back at once.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                NativeHeap.Trim();
                usual = Environment.WorkingSet;
            }

            before = now;
        }
    }
}
