using System.Collections.Concurrent;
using System.Net.Sockets;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>
/// What a Service and its readiness probes do, where there is neither kubelet nor kube-proxy: each new connection goes to one of the replicas
/// that were ready when last asked, in turn.
/// </summary>
sealed class ServiceForwarder : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();
    readonly HttpClient probes = new() { Timeout = TimeSpan.FromSeconds(1) };
    readonly TimeSpan probeEvery;
    readonly List<Backend> backends = [];
    readonly Task accepting;
    readonly Task probing;
    readonly ConcurrentQueue<string> events = [];
    int turn;

    /// <param name="probeEvery">The readiness probe's period; one failure is enough.</param>
    internal ServiceForwarder(TimeSpan probeEvery)
    {
        this.probeEvery = probeEvery;
        listener.Start();
        accepting = AcceptAsync();
        probing = ProbeAsync();
    }

    internal int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>The replicas that get connections.</summary>
    internal int ReadyCount
    {
        get
        {
            lock (backends)
            {
                return backends.Count(b => b.Ready);
            }
        }
    }

    /// <summary>When which replica became ready or not, and which connections could not be made: for messages.</summary>
    internal string Events => string.Join('\n', events);

    internal void Add(IPEndPoint webhook, Uri readiness)
    {
        lock (backends)
        {
            backends.RemoveAll(b => b.Webhook.Equals(webhook));
            backends.Add(new Backend(webhook, readiness));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await Task.WhenAll(accepting, probing);
        probes.Dispose();
        stop.Dispose();
    }

    async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ForwardAsync(await listener.AcceptTcpClientAsync(stop.Token));
            }
        }
        catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    async Task ForwardAsync(TcpClient caller)
    {
        using (caller)
        using (var server = new TcpClient())
        {
            try
            {
                if (Next() is not { } backend)
                {
                    Note("no replica is ready");
                    return;
                }

                try
                {
                    await server.ConnectAsync(backend.Webhook, stop.Token);
                }
                catch (SocketException fault)
                {
                    Note($"{backend.Webhook}: {fault.Message}");
                    return;
                }

                caller.NoDelay = server.NoDelay = true;
                var up = PassAsync(caller, server);
                // What a server says last must arrive: without a forwarder it would.
                await PassAsync(server, caller);
                await up.WaitAsync(TimeSpan.FromSeconds(1), stop.Token);
            }
            catch (Exception fault) when (fault is OperationCanceledException or SocketException or IOException or TimeoutException)
            {
                // The caller sees its connection end, as it would behind a Service.
            }
        }
    }

    void Note(string what) => events.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {what}");

    async Task PassAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream(), stop.Token);
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception fault) when (fault is SocketException or IOException)
        {
        }
    }

    Backend? Next()
    {
        lock (backends)
        {
            var ready = backends.Where(b => b.Ready).ToList();
            return ready.Count == 0 ? null : ready[turn++ % ready.Count];
        }
    }

    async Task ProbeAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            Backend[] all;
            lock (backends)
            {
                all = [.. backends];
            }

            foreach (var backend in all)
            {
                var ready = await IsReadyAsync(backend.Readiness);
                if (ready != backend.Ready)
                {
                    Note($"{backend.Webhook}: {(ready ? "ready" : "not ready")}");
                    backend.Ready = ready;
                }
            }

            await Task.Delay(probeEvery, stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
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
