using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static AdmissionLas.Tests.Support.FakeApiServer;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>How the nodes become views; <see cref="ReflectorTests"/> has the requests.</summary>
public sealed class NodeInformerTests
{
    [Fact]
    public async Task The_pages_of_a_list_make_one_view_the_watch_changes_it_and_odd_nodes_do_not()
    {
        var listed = new TaskCompletionSource();
        await using var server = (await StartAsync())
            .OnList(List("10", "more", Node("a", "1"), [], new() { ["metadata"] = "none" }, new() { ["metadata"] = new JsonObject { ["name"] = new JsonArray() } }))
            .OnList(List("10", null, Node("b", "2")))
            .OnWatch(After(listed.Task, Watch(staysOpen: true,
                Line("MODIFIED", []), Line("DELETED", []), Line("ADDED", Node("c", "11")), Line("DELETED", Node("a", "12")), Line("MODIFIED", Node("b", "13", "5ms")))));
        await using var informer = new RunningNodes(server);

        await informer.KnowsAsync("a", "b");
        Assert.Equal(1, informer.Views);
        listed.SetResult();

        await informer.KnowsAsync("b", "c");
        await Eventually.IsTrueAsync("the change is in force", () => Task.FromResult(informer.State.Current!.NearestTo("HERE")[^1].LatencyMs == 5));
    }

    [Fact]
    public async Task A_heartbeat_makes_no_new_view()
    {
        var known = new TaskCompletionSource();
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(After(known.Task, Watch(staysOpen: false, [.. Enumerable.Range(11, 50).Select(v => Line("MODIFIED", Node("a", $"{v}"))), Bookmark("70")])))
            .OnWatch(Watch(staysOpen: true));
        await using var informer = new RunningNodes(server);
        await informer.KnowsAsync("a");
        var before = informer.State.Current;
        known.SetResult();
        await Eventually.IsTrueAsync("the lines were read", () => Task.FromResult(server.Watches.LastOrDefault() == "70"));

        // Longer than a view takes to come; a slow machine can only make this pass.
        await Task.Delay(500);

        Assert.Same(before, informer.State.Current);
        Assert.Equal(1, informer.Views);
    }

    [Fact]
    public async Task A_burst_of_changes_makes_few_views_and_ends_exact()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Watch(staysOpen: true, [.. Enumerable.Range(11, 1000).Select(v => Line("MODIFIED", Node("a", $"{v}", $"{v}ms")))]));
        await using var informer = new RunningNodes(server);

        await Eventually.IsTrueAsync("the last change is in force", () => Task.FromResult(informer.State.Current?.NearestTo("HERE")[0].LatencyMs == 1010));

        Assert.InRange(informer.Views, 1, 900);
    }

    [Fact]
    public async Task While_a_new_list_fails_the_old_view_stays_in_force_and_its_age_grows()
    {
        var repaired = new TaskCompletionSource();
        var ages = new ConcurrentQueue<TimeSpan?>();
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(Watch(staysOpen: false, Error(410)))
            .OnList(List("20", "more", Node("b", "2")))
            .OnList(Status(500))
            .OnList(After(repaired.Task, List("30", null, Node("c", "3"))))
            .OnWatch(Watch(staysOpen: true));
        await using var informer = new RunningNodes(server);

        await informer.KnowsAsync("a");
        var before = informer.State.Current;
        await Eventually.IsTrueAsync("a list has failed between its pages", () =>
        {
            ages.Enqueue(informer.State.Age);
            return Task.FromResult(server.Lists.Count >= 4);
        });
        ages.Enqueue(informer.State.Age);
        Assert.Same(before, informer.State.Current);
        Assert.Equal(ages.Order(), ages);

        repaired.SetResult();
        await informer.KnowsAsync("c");
    }

    [Fact]
    public async Task A_subscriber_that_fails_does_not_end_the_views()
    {
        var failures = 0;
        await using var server = (await StartAsync())
            .OnList(List("10", null, Node("a", "1")))
            .OnWatch(async http =>
            {
                await Eventually.IsTrueAsync("the subscriber has failed", () => Task.FromResult(Volatile.Read(ref failures) > 0));
                await Watch(staysOpen: true, Line("ADDED", Node("b", "11")))(http);
            });
        await using var informer = new RunningNodes(server, subscriber: _ =>
        {
            Interlocked.Increment(ref failures);
            throw new InvalidOperationException("a subscriber's own fault");
        });

        await informer.KnowsAsync("a", "b");
    }

    [Fact]
    public void The_age_of_the_view_is_the_time_since_the_api_server_last_answered()
    {
        var time = new FakeTimeProvider();
        var state = new ClusterState(time);
        Assert.Null(state.Age);

        time.Advance(TimeSpan.FromSeconds(1));
        state.NoteContact();
        time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(TimeSpan.FromSeconds(5), state.Age);
    }

    sealed class RunningNodes : RunningInformer
    {
        int views;

        internal RunningNodes(FakeApiServer server, Action<ClusterView>? subscriber = null) : base(server.Client(TimeProvider.System))
        {
            State.Published += subscriber;
            State.Published += _ => Interlocked.Increment(ref views);
            Start(new NodeInformer(Api, State, LatencyLabels.All, TimeProvider.System, NullLogger<NodeInformer>.Instance).RunAsync);
        }

        internal ClusterState State { get; } = new(TimeProvider.System);

        internal int Views => Volatile.Read(ref views);

        internal Task KnowsAsync(params string[] names) => Eventually.IsTrueAsync(
            $"the nodes are {string.Join(", ", names)}",
            () => Task.FromResult(State.Current?.Nodes.Select(n => n.Name).SequenceEqual(names) == true));
    }
}
