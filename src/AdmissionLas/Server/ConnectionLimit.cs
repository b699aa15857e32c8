using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace AdmissionLas.Server;

/// <summary>
/// How many connections a port has at a time. One more closes one of the address that has the most: the oldest that has brought no review, or else the one
/// that brought its last the longest ago. So strangers who open connections displace their own, and not those of an API server. Each address has a few
/// handshakes at a time, as they take more processor time than reviews. A new connection without a request is closed soon; another may stay idle as long
/// as Kestrel lets it.
/// </summary>
/// <param name="most">The most connections.</param>
/// <param name="patience">How long a new connection has for its first request.</param>
/// <param name="time">The clock.</param>
sealed class ConnectionLimit(int most, TimeSpan patience, TimeProvider time)
{
    const int HandshakesAtOnce = 8;

    /// <summary>One that waits for its caller for longer takes no processor time meanwhile, and must not hold up others.</summary>
    static readonly TimeSpan HandshakePatience = TimeSpan.FromMilliseconds(100);

    readonly Lock gate = new();
    readonly HashSet<LimitedConnection> open = [];
    readonly Dictionary<IPAddress, Caller> callers = [];

    /// <summary>Serves a connection; the middleware of a port, before TLS.</summary>
    internal async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var served = Admit(connection);
        try
        {
            using var timer = time.CreateTimer(static c => ((LimitedConnection)c!).CloseIfSilent(), served, patience, Timeout.InfiniteTimeSpan);
            await served.Caller.Handshakes.WaitAsync(connection.ConnectionClosed).ConfigureAwait(false);
            served.BeginHandshake();
            using var handshake = time.CreateTimer(static c => ((LimitedConnection)c!).EndHandshake(), served, HandshakePatience, Timeout.InfiniteTimeSpan);
            await next(connection).ConfigureAwait(false);
        }
        // It was closed while it waited for its turn.
        catch (OperationCanceledException) when (connection.ConnectionClosed.IsCancellationRequested)
        {
        }
        finally
        {
            served.EndHandshake();
            lock (gate)
            {
                Remove(served);
            }
        }
    }

    /// <summary>The middleware behind TLS, or where there is none.</summary>
    internal static Task HasShakenHandsAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        connection.Features.Get<LimitedConnection>()!.EndHandshake();
        return next(connection);
    }

    LimitedConnection Admit(ConnectionContext connection)
    {
        var address = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        lock (gate)
        {
            var caller = CollectionsMarshal.GetValueRefOrAddDefault(callers, address, out _) ??= new Caller(address, new SemaphoreSlim(HandshakesAtOnce));
            caller.Open++;
            var served = new LimitedConnection(connection, caller, time.GetTimestamp());
            connection.Features.Set(served);
            open.Add(served);
            if (open.Count > most)
            {
                // Only so many have to be looked at, and only when there is one too many.
                var greediest = callers.Values.MaxBy(c => c.Open);
                var leastUseful = open.Where(c => c != served).MinBy(c => (c.Caller != greediest, c.HasBroughtReview, c.LastOfUseAt))!;
                Remove(leastUseful);
                leastUseful.Close();
            }

            return served;
        }
    }

    void Remove(LimitedConnection connection)
    {
        if (open.Remove(connection) && --connection.Caller.Open == 0)
        {
            callers.Remove(connection.Caller.Address);
        }
    }

    /// <summary>Where connections come from, and how many are open.</summary>
    internal sealed class Caller(IPAddress address, SemaphoreSlim handshakes)
    {
        internal IPAddress Address => address;

        internal SemaphoreSlim Handshakes => handshakes;

        internal int Open { get; set; }
    }
}

/// <summary>A connection of a port with a limit; a feature of its requests.</summary>
sealed class LimitedConnection(ConnectionContext connection, ConnectionLimit.Caller caller, long openedAt)
{
    long usedAt;
    int isShakingHands;
    volatile bool hasRequest;

    internal ConnectionLimit.Caller Caller => caller;

    internal bool HasBroughtReview => Volatile.Read(ref usedAt) != 0;

    /// <summary>When it last brought a whole review, or when it was opened.</summary>
    internal long LastOfUseAt => Volatile.Read(ref usedAt) is not 0 and var used ? used : openedAt;

    /// <summary>It brings a request.</summary>
    internal void Begin() => hasRequest = true;

    /// <summary>It has brought a whole review.</summary>
    internal void Use(long now) => Volatile.Write(ref usedAt, now);

    internal void BeginHandshake() => isShakingHands = 1;

    internal void EndHandshake()
    {
        if (Interlocked.Exchange(ref isShakingHands, 0) == 1)
        {
            caller.Handshakes.Release();
        }
    }

    internal void CloseIfSilent()
    {
        if (!hasRequest)
        {
            Close();
        }
    }

    internal void Close() => connection.Abort();
}
