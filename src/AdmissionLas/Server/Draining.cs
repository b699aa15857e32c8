using AdmissionLas.Configuration;

namespace AdmissionLas.Server;

/// <summary>
/// Ends a replica without a failed call. Kubernetes sends SIGTERM and removes the pod from its Service at the same time, and the API server keeps
/// its connections: so the server first reports that it is not ready and goes on answering until every caller knows. Then it stops listening and
/// closes open connections (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-flow).
/// </summary>
sealed partial class Draining(IOptions<ServerOptions> options, TimeProvider time, ILogger<Draining> log) : IHostedLifecycleService
{
    volatile bool begun;

    /// <summary>Whether the server drains.</summary>
    internal bool HasBegun => begun;

    // Runs before the ports close and the watch of the nodes stops.
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        begun = true;
        var wait = TimeSpan.FromSeconds(options.Value.DrainSeconds);
        if (wait > TimeSpan.Zero && !cancellationToken.IsCancellationRequested)
        {
            Began(options.Value.DrainSeconds);
            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Information, Message = "Not ready any more; answering for {DrainSeconds} s until every caller knows")]
    partial void Began(int drainSeconds);
}
