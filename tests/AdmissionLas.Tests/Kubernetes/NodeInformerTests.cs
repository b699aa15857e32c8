using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using AdmissionLas.Kubernetes;
using AdmissionLas.Placement;
using AdmissionLas.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static AdmissionLas.Tests.Support.FakeApiServer;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>How the nodes are followed, whatever the API server does.</summary>
public sealed class NodeInformerTests
{
    [Fact]
    public async Task The_pages_of_a_list_make_one_view()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", "more", Node("a", "1")))
            .OnList(List("10", null, Node("b", "2")))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);

        await feed.KnowsAsync("a", "b");

        Assert.Contains("continue=more", server.Lists.Last(), StringComparison.Ordinal);
        Assert.Equal(1, feed.Views);
    }

    [Fact]
    public async Task The_watch_goes_on_from_the_lists_version_not_from_an_items()
    {
        await using var server = (await StartAsync()).OnList(List("10", null, Node("a", "99"))).OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);

        await Eventually.IsTrueAsync("a watch is opened", () => Task.FromResult(!server.Watches.IsEmpty));

        Assert.Equal("10", server.Watches.First());
    }

    [Fact]
    public async Task A_watch_that_ends_is_resumed_from_the_last_version_seen()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Watch(staysOpen: false, Line("ADDED", Node("b", "11"))))
            .OnWatch(Watch(staysOpen: false, Bookmark("20")))
            .OnWatch(CutOff(Line("ADDED", Node("c", "21")), "{\"type\":\"ADDED\",\"obj"))
            .OnWatch(Watch(staysOpen: true, Line("DELETED", Node("a", "22"))));
        await using var feed = new RunningFeed(server);

        await feed.KnowsAsync("b", "c");

        Assert.Equal(["10", "11", "20", "21"], server.Watches);
        Assert.Single(server.Lists);
        Assert.Equal(3, feed.Feed.Restarts);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_expired_version_makes_a_new_list_whether_told_on_opening_or_in_the_stream(bool onOpening)
    {
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnList(List("30", null, Node("b", "2")))
            .OnWatch(onOpening ? Status(410) : Watch(staysOpen: false, Error(410)))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);

        await feed.KnowsAsync("b");
        await Eventually.IsTrueAsync("the watch goes on", () => Task.FromResult(server.Watches.Count == 2));

        Assert.Equal(["10", "30"], server.Watches);
    }

    [Fact]
    public async Task Streams_that_expire_again_and_again_are_listed_ever_more_seldom_even_if_each_says_something()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Watch(staysOpen: false, Line("ADDED", Node("b", "11")), Error(410)));
        await using var feed = new RunningFeed(server);

        await feed.KnowsAsync("a");
        // A slow machine makes fewer lists; without growing pauses there would be a list every 150 ms.
        await Task.Delay(3_000);

        Assert.InRange(server.Lists.Count, 2, 13);
    }

    [Fact]
    public async Task An_expired_page_token_makes_a_new_list_from_the_start()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", "more", Node("a", "1")))
            .OnList(Status(410))
            .OnList(List("12", null, Node("b", "2")))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);

        await feed.KnowsAsync("b");

        Assert.DoesNotContain("continue", server.Lists.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Faults_of_every_kind_are_outlived_and_the_old_view_stays_in_force_meanwhile()
    {
        await using var server = (await StartAsync())
            .OnList(Status(500))
            .OnList(http => throw new InvalidOperationException("down"))
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Status(503))
            .OnWatch(Watch(staysOpen: false, "this is no JSON\n"))
            .OnWatch(Watch(staysOpen: false, Error(500)))
            .OnWatch(Watch(staysOpen: true, Line("ADDED", Node("b", "11"))));
        await using var feed = new RunningFeed(server);

        await feed.KnowsAsync("a");
        var before = feed.State.Current;
        await Eventually.IsTrueAsync("some faults have passed", () => Task.FromResult(server.Watches.Count >= 2));
        Assert.Same(before, feed.State.Current);
        await feed.KnowsAsync("a", "b");

        Assert.All(server.Watches, version => Assert.Equal("10", version));
    }

    [Fact]
    public async Task Lines_of_the_watch_may_come_in_pieces_be_large_and_end_with_the_stream()
    {
        var large = Node("b", "11");
        large["status"] = new JsonObject { ["padding"] = new string('x', 300_000) };
        var line = Line("ADDED", large);
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Watch(staysOpen: false, line[..10], line[10..100_000], line[100_000..], "\n", Line("ADDED", Node("c", "12")) + Line("ADDED", Node("d", "13")).TrimEnd('\n')))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);

        await feed.KnowsAsync("a", "b", "c", "d");

        Assert.Single(server.Lists);
    }

    [Fact]
    public async Task A_heartbeat_makes_no_new_view()
    {
        var known = new TaskCompletionSource();
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(After(known.Task, Watch(staysOpen: false, [.. Enumerable.Range(11, 50).Select(v => Line("MODIFIED", Node("a", $"{v}"))), Bookmark("70")])))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);
        await feed.KnowsAsync("a");
        var before = feed.State.Current;
        known.SetResult();
        await Eventually.IsTrueAsync("the lines were read", () => Task.FromResult(server.Watches.LastOrDefault() == "70"));

        // Longer than a view takes to come; a slow machine can only make this pass.
        await Task.Delay(500);

        Assert.Same(before, feed.State.Current);
        Assert.Equal(1, feed.Views);
    }

    [Fact]
    public async Task A_burst_of_changes_makes_few_views_and_ends_exact()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Watch(staysOpen: true, [.. Enumerable.Range(11, 1000).Select(v => Line("MODIFIED", Node("a", $"{v}", $"{v}ms")))]));
        await using var feed = new RunningFeed(server);

        await Eventually.IsTrueAsync("the last change is in force", () => Task.FromResult(feed.State.Current?.NearestTo("HERE")[0].LatencyMs == 1010));

        Assert.InRange(feed.Views, 1, 900);
    }

    [Fact]
    public async Task Odd_nodes_do_not_stop_the_feed()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1"), [], new() { ["metadata"] = "none" }, new() { ["metadata"] = new JsonObject { ["name"] = 7, ["labels"] = new JsonArray() } }))
            .OnWatch(Watch(staysOpen: true, Line("MODIFIED", []), Line("DELETED", []), Line("UNHEARD-OF", []), "{}\n", Line("ADDED", Node("b", "11"))));
        await using var feed = new RunningFeed(server);

        await Eventually.IsTrueAsync("the good nodes are known", () => Task.FromResult(
            feed.State.Current?.Nodes.Select(n => n.Name).Intersect(["a", "b"]).Count() == 2));
    }

    [Fact]
    public async Task While_a_new_list_fails_the_old_view_stays_in_force_and_its_age_grows()
    {
        var repaired = new TaskCompletionSource();
        var ages = new ConcurrentQueue<TimeSpan?>();
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Watch(staysOpen: false, Error(410)))
            .OnList(Status(500))
            .OnList(Status(500))
            .OnList(List("20", "more", Node("b", "2")))
            .OnList(Status(500))
            .OnList(After(repaired.Task, List("30", null, Node("c", "3"))))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);

        await feed.KnowsAsync("a");
        var before = feed.State.Current;
        await Eventually.IsTrueAsync("lists have failed, one between its pages", () =>
        {
            ages.Enqueue(feed.State.Age);
            return Task.FromResult(server.Lists.Count >= 6);
        });
        ages.Enqueue(feed.State.Age);
        Assert.Same(before, feed.State.Current);
        Assert.Equal(ages.Order(), ages);

        repaired.SetResult();
        await feed.KnowsAsync("c");
    }

    [Fact]
    public async Task The_watch_goes_on_from_the_first_page_so_that_no_change_between_pages_is_missed()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", "more", Node("a", "1")))
            .OnList(List("12", null, Node("b", "2")))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);

        await Eventually.IsTrueAsync("a watch is opened", () => Task.FromResult(!server.Watches.IsEmpty));

        Assert.Equal("10", server.Watches.First());
    }

    [Fact]
    public async Task A_line_without_a_version_leaves_the_last_one_seen()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Watch(staysOpen: false, Bookmark("11"), Bookmark(""), Line("ADDED", Node("b", "")), Line("BOOKMARK", [])))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);

        await Eventually.IsTrueAsync("the watch goes on", () => Task.FromResult(server.Watches.Count == 2));

        Assert.Equal(["10", "11"], server.Watches);
        Assert.Single(server.Lists);
    }

    [Fact]
    public async Task A_list_without_a_version_is_a_fault_and_not_a_place_to_watch_from()
    {
        await using var server = (await StartAsync())
            .OnList(List("", null, Node("a", "1")))
            .OnList(List("10", null, Node("b", "1")))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);

        await feed.KnowsAsync("b");
        await Eventually.IsTrueAsync("a watch is opened", () => Task.FromResult(!server.Watches.IsEmpty));

        Assert.Equal("10", server.Watches.First());
    }

    [Fact]
    public async Task A_follower_that_fails_does_not_end_the_views()
    {
        var failures = 0;
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(async http =>
            {
                await Eventually.IsTrueAsync("the follower has failed", () => Task.FromResult(Volatile.Read(ref failures) > 0));
                await Watch(staysOpen: true, Line("ADDED", Node("b", "11")))(http);
            });
        await using var feed = new RunningFeed(server, follower: _ =>
        {
            Interlocked.Increment(ref failures);
            throw new InvalidOperationException("a follower's own fault");
        });

        await feed.KnowsAsync("a", "b");
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"kind\":\"NodeList\",\"items\":[]}\n")]
    public async Task Watches_that_end_at_once_with_nothing_said_are_opened_less_and_less_often(string nothing)
    {
        await using var server = (await StartAsync()).OnList(List("10", null, Node("a", "1"))).OnWatch(Watch(staysOpen: false, nothing));
        var time = new HurriedTime();
        await using var feed = new RunningFeed(server, time);

        await Eventually.IsTrueAsync("a long delay was asked for", () => Task.FromResult(time.Delays.Any(d => d > TimeSpan.FromSeconds(5))));

        Assert.All(time.Delays, d => Assert.InRange(d, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task Where_nobody_answers_the_feed_asks_every_few_seconds_however_long_that_lasts()
    {
        var server = (await StartAsync()).OnList(List("10", null, Node("a", "1"))).OnWatch(Watch(staysOpen: true));
        var time = new HurriedTime();
        await using var feed = new RunningFeed(server, time);
        await feed.KnowsAsync("a");
        time.Delays.Clear();

        await server.DisposeAsync();

        await Eventually.IsTrueAsync("it has asked again and again", () => Task.FromResult(time.Delays.Count >= 40));
        Assert.All(time.Delays, d => Assert.InRange(d, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(3)));
    }

    [Fact]
    public async Task A_watch_that_fails_again_and_again_from_one_version_makes_a_new_list()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnList(List("20", null, Node("b", "2")))
            .OnWatch(http => http.Request.Query["resourceVersion"] == "10" ? Status(400)(http) : Watch(staysOpen: true)(http));
        await using var feed = new RunningFeed(server, new HurriedTime());

        await feed.KnowsAsync("b");

        Assert.Equal(2, server.Lists.Count);
    }

    [Fact]
    public async Task A_watch_that_says_nothing_for_its_whole_life_makes_a_new_list()
    {
        var time = new FakeTimeProvider();
        var ended = new TaskCompletionSource();
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnList(List("5", null, Node("b", "2")))
            .OnWatch(async http =>
            {
                await http.Response.StartAsync();
                await ended.Task;
            })
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server, time);
        await feed.KnowsAsync("a");
        await Eventually.IsTrueAsync("a watch is opened", () => Task.FromResult(!server.Watches.IsEmpty));
        time.Advance(TimeSpan.FromSeconds(299));
        ended.SetResult();

        await Eventually.IsTrueAsync("the new list is in force", () =>
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            return Task.FromResult(feed.State.Current!.Nodes[0].Name == "b");
        });

        await Eventually.IsTrueAsync("the watch goes on", () => Task.FromResult(server.Watches.Count == 2));
        Assert.Equal(["10", "5"], server.Watches);
    }

    [Fact]
    public async Task A_watch_that_neither_speaks_nor_ends_is_given_up()
    {
        var time = new FakeTimeProvider();
        var known = new TaskCompletionSource();
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(After(known.Task, Watch(staysOpen: true, Bookmark("11"))));
        await using var feed = new RunningFeed(server, time);
        await feed.KnowsAsync("a");
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.FromSeconds(1), feed.State.Age);
        known.SetResult();
        await Eventually.IsTrueAsync("the bookmark was heard", () => Task.FromResult(feed.State.Age == TimeSpan.Zero));

        await Eventually.IsTrueAsync("another watch is opened", () =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return Task.FromResult(server.Watches.Count >= 2);
        });

        Assert.Equal(["10", "11"], server.Watches.Take(2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_list_that_never_ends_is_given_up(bool inTheBody)
    {
        var time = new FakeTimeProvider();
        await using var server = (await StartAsync())
            .OnList(inTheBody
                ? Watch(staysOpen: true, """{"kind":"NodeList","items":[""")
                : http => Task.Delay(Timeout.Infinite, http.RequestAborted).WaitAsync(http.RequestAborted))
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server, clientTime: time);
        await Eventually.IsTrueAsync("a list is asked for", () => Task.FromResult(!server.Lists.IsEmpty));

        // By half seconds, so that even a slow machine answers the second list in time.
        await Eventually.IsTrueAsync("the second list is in force", () =>
        {
            if (server.Lists.Count < 2)
            {
                time.Advance(TimeSpan.FromSeconds(0.5));
            }

            return Task.FromResult(feed.State.Current is not null);
        });
    }

    [Fact]
    public async Task Restarts_count_the_watches_opened_again_and_nothing_else()
    {
        await using var server = (await StartAsync())
            .OnList(Status(500))
            .OnList(Status(500))
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Watch(staysOpen: false, Bookmark("11")))
            .OnWatch(Watch(staysOpen: true));
        await using var feed = new RunningFeed(server);

        await Eventually.IsTrueAsync("the second watch is opened", () => Task.FromResult(server.Watches.Count == 2));

        Assert.Equal(1, feed.Feed.Restarts);
    }

    [Theory]
    [InlineData("list")]
    [InlineData("watch")]
    [InlineData("delay")]
    public async Task Stopping_ends_it_whatever_it_is_waiting_for(string wait)
    {
        var never = new TaskCompletionSource();
        await using var server = (await StartAsync())
            .OnList(wait switch
            {
                "list" => After(never.Task, Status(500)),
                "delay" => Status(500),
                _ => List("10", null, Node("a", "1")),
            })
            .OnWatch(After(never.Task, Status(500)));
        // This clock stands still, so that a delay never ends by itself.
        var feed = new RunningFeed(server, new FakeTimeProvider());
        await Eventually.IsTrueAsync("it waits", () => Task.FromResult(!(wait == "watch" ? server.Watches : server.Lists).IsEmpty));

        await feed.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>Waits of half a minute and less are over at once; how long they should have been is kept.</summary>
    sealed class HurriedTime : TimeProvider
    {
        internal ConcurrentQueue<TimeSpan> Delays { get; } = new();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime < TimeSpan.Zero || dueTime > TimeSpan.FromSeconds(30))
            {
                return base.CreateTimer(callback, state, dueTime, period);
            }

            Delays.Enqueue(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.FromMilliseconds(1), period);
        }
    }

    sealed class RunningFeed : IAsyncDisposable
    {
        readonly CancellationTokenSource stop = new();
        readonly KubeApi api;
        readonly Task running;
        int views;

        internal RunningFeed(FakeApiServer server, TimeProvider? time = null, Action<ClusterView>? follower = null, TimeProvider? clientTime = null)
        {
            time ??= TimeProvider.System;
            api = server.Client(clientTime ?? TimeProvider.System);
            State = new ClusterState(time);
            Feed = new NodeInformer(api, State, time, NullLogger<NodeInformer>.Instance);
            State.Published += follower;
            State.Published += _ => Interlocked.Increment(ref views);
            running = Feed.RunAsync(stop.Token);
        }

        internal NodeInformer Feed { get; }

        internal ClusterState State { get; }

        internal int Views => Volatile.Read(ref views);

        internal Task KnowsAsync(params string[] names) => Eventually.IsTrueAsync(
            $"the nodes are {string.Join(", ", names)}",
            () => Task.FromResult(State.Current?.Nodes.Select(n => n.Name).SequenceEqual(names) == true));

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await running;
            api.Dispose();
            stop.Dispose();
        }
    }
}
