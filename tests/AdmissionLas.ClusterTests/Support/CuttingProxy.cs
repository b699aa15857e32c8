using System.Collections.Concurrent;
using System.Net.Sockets;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>Passes bytes on to the API server until it is told to cut: what a load balancer does to a watch.</summary>
sealed class CuttingProxy : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly ConcurrentDictionary<TcpClient, bool> connections = new();
    readonly CancellationTokenSource stop = new();
    readonly Uri target;
    readonly Task accepting;
    long cuts;

    internal CuttingProxy(Uri target)
    {
        this.target = target;
        listener.Start();
        Address = new Uri($"https://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        accepting = AcceptAsync();
    }

    internal Uri Address { get; }

    /// <summary>How many connections were cut.</summary>
    internal long Cuts => Interlocked.Read(ref cuts);

    /// <summary>Ends every connection there is.</summary>
    internal void Cut()
    {
        foreach (var connection in connections.Keys)
        {
            if (connections.TryRemove(connection, out _))
            {
                Interlocked.Increment(ref cuts);
                connection.Dispose();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await accepting;
        Cut();
        stop.Dispose();
    }

    async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                _ = PassAsync(await listener.AcceptTcpClientAsync(stop.Token));
            }
            catch (Exception fault) when (fault is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    async Task PassAsync(TcpClient near)
    {
        using var far = new TcpClient();
        connections[near] = true;
        try
        {
            await far.ConnectAsync(target.Host, target.Port);
            await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream()), far.GetStream().CopyToAsync(near.GetStream()));
        }
        catch (Exception fault) when (fault is SocketException or IOException or InvalidOperationException)
        {
            // One of the two is gone, and so is the other.
        }

        connections.TryRemove(near, out _);
        near.Dispose();
    }
}
