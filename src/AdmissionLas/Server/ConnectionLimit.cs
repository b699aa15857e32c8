using System.Net;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace AdmissionLas.Server;

/// <summary>
/// How many connections a port has at a time. One more closes one of the address that has the most: the oldest that has brought no review, or else the one
/// that brought its last the longest ago. So strangers who open connections displace their own, and not those of an API server. A new connection without a
/// request is closed soon; another may stay idle as long as Kestrel lets it.
/// </summary>
/// <param name="most">The most connections.</param>
/// <param name="patience">How long a new connection has for its first request.</param>
/// <param name="time">The clock.</param>
sealed class ConnectionLimit(int most, TimeSpan patience, TimeProvider time)
{
    readonly Lock gate = new();
    readonly HashSet<LimitedConnection> open = [];
    readonly Dictionary<IPAddress, int> openFrom = [];

    /// <summary>How many connections are open.</summary>
    internal int Count
    {
        get
        {
            lock (gate)
            {
                return open.Count;
            }
        }
    }

    /// <summary>Serves a connection; the middleware of a port, before TLS.</summary>
    internal async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var served = new LimitedConnection(connection, time);
        connection.Features.Set(served);
        lock (gate)
        {
            open.Add(served);
            CollectionsMarshal.GetValueRefOrAddDefault(openFrom, served.From, out _)++;
            if (open.Count > most)
            {
                // Only so many have to be looked at, and only when there is one too many.
                var from = openFrom.MaxBy(a => a.Value).Key;
                var leastUseful = open.Where(c => c != served).MinBy(c => (!c.From.Equals(from), c.HasBroughtReview, c.LastOfUseAt))!;
                Remove(leastUseful);
                leastUseful.Close();
            }
        }

        try
        {
            using var timer = time.CreateTimer(static c => ((LimitedConnection)c!).CloseIfSilent(), served, patience, Timeout.InfiniteTimeSpan);
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            lock (gate)
            {
                Remove(served);
            }
        }
    }

    void Remove(LimitedConnection connection)
    {
        if (open.Remove(connection) && --CollectionsMarshal.GetValueRefOrAddDefault(openFrom, connection.From, out _) == 0)
        {
            openFrom.Remove(connection.From);
        }
    }
}

/// <summary>A connection of a port with a limit; a feature of its requests.</summary>
sealed class LimitedConnection(ConnectionContext connection, TimeProvider time)
{
    readonly long openedAt = time.GetTimestamp();
    long usedAt;
    volatile bool hasRequest;

    /// <summary>The caller's address; of a caller without one, none.</summary>
    internal IPAddress From { get; } = (connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None;

    internal bool HasBroughtReview => Volatile.Read(ref usedAt) != 0;

    /// <summary>When it last brought a whole review, or when it was opened.</summary>
    internal long LastOfUseAt => Volatile.Read(ref usedAt) is not 0 and var used ? used : openedAt;

    /// <summary>It brings a request.</summary>
    internal void Begin() => hasRequest = true;

    /// <summary>It has brought a whole review.</summary>
    internal void Use(long now) => Volatile.Write(ref usedAt, now);

    internal void CloseIfSilent()
    {
        if (!hasRequest)
        {
            Close();
        }
    }

    internal void Close() => connection.Abort();
}
