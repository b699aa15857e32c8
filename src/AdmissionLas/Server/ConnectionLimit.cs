using Microsoft.AspNetCore.Connections;

namespace AdmissionLas.Server;

/// <summary>
/// How many connections a port has at a time. One more closes the one that was last of use the longest ago: who opens connections and leaves them idle
/// keeps nobody out. A connection that is of no use at first is closed soon; one that was may stay idle as long as Kestrel lets it.
/// </summary>
/// <param name="most">The most connections.</param>
/// <param name="patience">How long a new connection has for its first request.</param>
/// <param name="time">The clock.</param>
sealed class ConnectionLimit(int most, TimeSpan patience, TimeProvider time)
{
    readonly Lock gate = new();
    readonly HashSet<LimitedConnection> open = [];

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
            if (open.Count > most)
            {
                // Only so many have to be looked at, and only when there is one too many.
                var leastUseful = open.MinBy(c => c.LastOfUseAt)!;
                open.Remove(leastUseful);
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
                open.Remove(served);
            }
        }
    }
}

/// <summary>A connection of a port with a limit; a feature of its requests.</summary>
sealed class LimitedConnection(ConnectionContext connection, TimeProvider time)
{
    readonly long openedAt = time.GetTimestamp();
    long usedAt;
    volatile bool hasRequest;

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
