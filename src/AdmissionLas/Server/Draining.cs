using AdmissionLas.Configuration;
using Microsoft.Extensions.Options;

namespace AdmissionLas.Server;

/// <summary>
/// The end of a replica that nobody notices. Kubernetes sends SIGTERM and takes a pod off its Service at the same time, and the API server's
/// connections are long: so the server says that it is not ready, goes on answering until everybody knows, and only then stops listening and
/// tells open connections to go elsewhere (https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-flow).
/// </summary>
sealed partial class Draining(IOptions<ServerOptions> options, TimeProvider time, ILogger<Draining> log) : IHostedLifecycleService
{
    volatile bool begun;

    /// <summary>Whether new connections should go elsewhere.</summary>
    internal bool HasBegun => begun;

    // Comes before anything is stopped: the port, and the watch of the nodes.
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
