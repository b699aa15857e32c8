using System.Collections.Concurrent;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>
/// What a Service and its readiness probes do, where there is neither kubelet nor kube-proxy: each new connection goes to one of the replicas
/// that were ready when last asked, in turn.
/// </summary>
sealed class ServiceForwarder : IAsyncDisposable
{
    readonly Forwarder forwarder;
    readonly CancellationTokenSource stop = new();
    readonly HttpClient probes = new() { Timeout = TimeSpan.FromSeconds(1) };
    readonly TimeSpan probeEvery;
    readonly ConcurrentQueue<Backend> backends = [];
    readonly Task probing;
    readonly ConcurrentQueue<string> events = [];
    int turn;

    /// <param name="probeEvery">The readiness probe's period; one failure is enough.</param>
    internal ServiceForwarder(TimeSpan probeEvery)
    {
        this.probeEvery = probeEvery;
        forwarder = new Forwarder(Next, Note);
        probing = ProbeAsync();
    }

    internal int Port => forwarder.Port;

    /// <summary>The replicas that get connections.</summary>
    internal int ReadyCount => backends.Count(b => b.Ready);

    /// <summary>When which replica became ready or not, and which connections could not be made: for messages.</summary>
    internal string Events => string.Join('\n', events);

    internal void Add(IPEndPoint webhook, Uri readiness) => backends.Enqueue(new Backend(webhook, readiness));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await forwarder.DisposeAsync();
        await probing;
        probes.Dispose();
        stop.Dispose();
    }

    void Note(string what) => events.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {what}");

    IPEndPoint? Next()
    {
        Backend[] ready = [.. backends.Where(b => b.Ready)];
        if (ready.Length == 0)
        {
            Note("no replica is ready");
            return null;
        }

        return ready[Interlocked.Increment(ref turn) % ready.Length].Webhook;
    }

    async Task ProbeAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            foreach (var backend in backends)
            {
                var ready = await IsReadyAsync(backend.Readiness);
                if (ready != backend.Ready)
                {
                    Note($"{backend.Webhook}: {(ready ? "ready" : "not ready")}");
                    backend.Ready = ready;
                }
            }

            await Task.Delay(probeEvery, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task<bool> IsReadyAsync(Uri readiness)
    {
        try
        {
            using var answer = await probes.GetAsync(readiness, stop.Token);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    sealed class Backend(IPEndPoint webhook, Uri readiness)
    {
        internal IPEndPoint Webhook => webhook;

        internal Uri Readiness => readiness;

        internal volatile bool Ready;
    }
}
