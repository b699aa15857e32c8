using System.Collections.Concurrent;
using System.Net.Sockets;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>Passes each new connection on to an address, and can cut all of them: what a load balancer does to a watch.</summary>
sealed class Forwarder : IAsyncDisposable
{
    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly ConcurrentDictionary<TcpClient, TcpClient> connections = new();
    readonly CancellationTokenSource stop = new();
    readonly Func<IPEndPoint?> next;
    readonly Action<string> note;
    readonly Task accepting;
    long cuts;

    /// <param name="next">Where the next connection goes; <see langword="null"/> to end it.</param>
    /// <param name="note">Gets each connection that could not be made.</param>
    internal Forwarder(Func<IPEndPoint?> next, Action<string>? note = null)
    {
        (this.next, this.note) = (next, note ?? (_ => { }));
        listener.Start();
        accepting = AcceptAsync();
    }

    internal int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    internal Uri Address => new($"https://127.0.0.1:{Port}");

    /// <summary>How many connections were cut.</summary>
    internal long Cuts => Interlocked.Read(ref cuts);

    /// <summary>Ends every connection there is.</summary>
    internal void Cut()
    {
        foreach (var caller in connections.Keys)
        {
            if (connections.TryRemove(caller, out var server))
            {
                Interlocked.Increment(ref cuts);
                caller.Dispose();
                server.Dispose();
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
        using var server = new TcpClient();
        using (caller)
        {
            if (next() is not { } target)
            {
                return;
            }

            try
            {
                await server.ConnectAsync(target, stop.Token);
                connections[caller] = server;
                caller.NoDelay = server.NoDelay = true;
                var up = PassAsync(caller, server);
                // What a server says last must arrive: without a forwarder it would.
                await PassAsync(server, caller);
                await up.WaitAsync(TimeSpan.FromSeconds(1), stop.Token);
            }
            catch (SocketException fault)
            {
                note($"{target}: {fault.Message}");
            }
            catch (Exception fault) when (fault is OperationCanceledException or TimeoutException or ObjectDisposedException)
            {
                // The caller sees its connection end.
            }

            connections.TryRemove(caller, out _);
        }
    }

    async Task PassAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await from.GetStream().CopyToAsync(to.GetStream(), stop.Token);
            to.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception fault) when (fault is SocketException or IOException or InvalidOperationException)
        {
            // One of the two is gone.
        }
    }
}
