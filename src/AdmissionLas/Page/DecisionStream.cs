using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using AdmissionLas.Observers;

namespace AdmissionLas.Page;

/// <summary>
/// GET /api/decisions: the recent decisions and then each new one, and where its pod runs once that is known, as server-sent events
/// (https://html.spec.whatwg.org/multipage/server-sent-events.html). Between them a pulse says that the server is alive and how old its view of
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
            await PageEndpoint.TextAsync(http, StatusCodes.Status503ServiceUnavailable, "too many viewers (page.viewers); try again later").ConfigureAwait(false);
            return;
        }

        using var follower = viewer;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await TypedResults.ServerSentEvents(EventsAsync(viewer, ending.Token)).ExecuteAsync(http).ConfigureAwait(false);
        }
        catch (Exception ended) when (ended is OperationCanceledException or IOException)
        {
            // The viewer is gone, or the server stops.
        }
    }

    async IAsyncEnumerable<SseItem<string>> EventsAsync(RecentDecisions.Viewer viewer, [EnumeratorCancellation] CancellationToken stop)
    {
        yield return Pulse() with { ReconnectionInterval = TimeSpan.FromSeconds(2) };
        foreach (var decision in viewer.Missed)
        {
            yield return Item(decision);
        }

        foreach (var decision in viewer.Bound)
        {
            yield return Bound(decision, decision.RunsOn!.Value);
        }

        // The page has all earlier decisions now, be it none.
        yield return new SseItem<string>("{}", "caughtUp");

        Task<bool>? coming = null;
        while (!stop.IsCancellationRequested)
        {
            coming ??= viewer.Reader.WaitToReadAsync(stop).AsTask();
            using var pulse = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var first = await Task.WhenAny(coming, Task.Delay(BetweenPulses, time, pulse.Token)).ConfigureAwait(false);
            await pulse.CancelAsync().ConfigureAwait(false);
            if (first != coming)
            {
                yield return Pulse();
                continue;
            }

            await coming.ConfigureAwait(false);
            coming = null;
            while (viewer.Reader.TryRead(out var decision))
            {
                yield return decision.RunsOn is { } runsOn ? Bound(decision, runsOn) : Item(decision);
            }

            if (viewer.TakeSkipped() is var skipped and > 0)
            {
                yield return new SseItem<string>(skipped.ToString(CultureInfo.InvariantCulture), "skipped");
            }
        }
    }

    SseItem<string> Item(RecentDecision decision) => new(Encoding.UTF8.GetString(decision.Summary)) { EventId = decisions.IdOf(decision) };

    // Without an id: to the browser the last one says which decisions it has seen.
    SseItem<string> Bound(RecentDecision decision, RunsOn runsOn) => new(
        new JsonObject { ["id"] = decisions.IdOf(decision), ["node"] = runsOn.Node, ["result"] = DecisionLabels.Result(runsOn.Result) }.ToJsonString(), "bound");

    SseItem<string> Pulse() =>
        new(string.Create(CultureInfo.InvariantCulture, $"{{\"viewAgeSeconds\":{state.Age?.TotalSeconds ?? -1:0.#}}}"), "pulse");
}
