using AdmissionLas.Observers;
using System.Globalization;
using System.Text;
using AdmissionLas.Kubernetes;

namespace AdmissionLas.Page;

/// <summary>
/// GET /api/decisions: the recent decisions and then each new one, as server-sent events
/// (https://html.spec.whatwg.org/multipage/server-sent-events.html). Between them a pulse says that the server lives and how old its view of
/// the nodes is.
/// </summary>
sealed class DecisionStream(RecentDecisions decisions, ClusterState state, TimeProvider time, IHostApplicationLifetime lifetime)
{
    static readonly TimeSpan BetweenPulses = TimeSpan.FromSeconds(5);

    internal async Task FollowAsync(HttpContext http)
    {
        if (!decisions.TryFollow(http.Request.Headers["Last-Event-ID"], out var viewer))
        {
            http.Response.Headers.RetryAfter = "10";
            await PageEndpoint.TextAsync(http, StatusCodes.Status503ServiceUnavailable, "as many as may are following already (page.viewers); try again later").ConfigureAwait(false);
            return;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            http.Response.ContentType = "text/event-stream";
            await SendAsync(http, viewer, ending.Token).ConfigureAwait(false);
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException)
        {
            // The viewer has gone, or the server is about to.
        }
        finally
        {
            viewer.Dispose();
        }
    }

    async Task SendAsync(HttpContext http, RecentDecisions.Viewer viewer, CancellationToken stop)
    {
        var to = http.Response.BodyWriter;
        Write("retry: 2000\n");
        WritePulse();
        foreach (var decision in viewer.Missed)
        {
            WriteDecision(decision);
        }

        // What came before is complete from here on: an empty list is one.
        Write("event: caughtUp\ndata: {}\n\n");
        await to.FlushAsync(stop).ConfigureAwait(false);

        Task<bool>? coming = null;
        while (!stop.IsCancellationRequested)
        {
            coming ??= viewer.Reader.WaitToReadAsync(stop).AsTask();
            using var tooLong = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var first = await Task.WhenAny(coming, Task.Delay(BetweenPulses, time, tooLong.Token)).ConfigureAwait(false);
            await tooLong.CancelAsync().ConfigureAwait(false);
            if (first != coming)
            {
                WritePulse();
            }
            else
            {
                await coming.ConfigureAwait(false);
                coming = null;
                while (viewer.Reader.TryRead(out var decision))
                {
                    WriteDecision(decision);
                }

                if (viewer.TakeSkipped() is var skipped and > 0)
                {
                    Write(string.Create(CultureInfo.InvariantCulture, $"event: skipped\ndata: {skipped}\n\n"));
                }
            }

            await to.FlushAsync(stop).ConfigureAwait(false);
        }

        void WritePulse() =>
            Write(string.Create(CultureInfo.InvariantCulture, $"event: pulse\ndata: {{\"viewAgeSeconds\":{state.Age?.TotalSeconds ?? -1:0.#}}}\n\n"));

        void WriteDecision(RecentDecision decision)
        {
            Write($"id: {decisions.IdOf(decision)}\ndata: ");
            WriteBytes(decision.Summary);
            Write("\n\n");
        }

        void Write(string text) => Encoding.UTF8.GetBytes(text, to);

        void WriteBytes(ReadOnlySpan<byte> bytes) => System.Buffers.BuffersExtensions.Write(to, bytes);
    }
}
