using AdmissionLas.Kubernetes;
using AdmissionLas.Server;
using AdmissionLas.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static AdmissionLas.Tests.Support.FakeApiServer;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>How the pods become usage; <see cref="ReflectorTests"/> has the requests.</summary>
public sealed class PodInformerTests
{
    [Fact]
    public async Task The_pages_of_a_list_are_counted_together_and_finished_pods_are_not_asked_for()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", "more", Pod("a", "near"), Pod("b", "far", cpu: "500m")))
            .OnList(List("10", null, Pod("c", "near", review: "elsewhere")))
            .OnWatch(Watch(staysOpen: true));
        await using var informer = new RunningPods(server);

        await informer.CountsAsync(("near", 2000), ("far", 500));

        Assert.All(server.Lists, query => Assert.Contains("fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed", query, StringComparison.Ordinal));
        Assert.True(informer.UsageCache.IsFollowed);
    }

    [Fact]
    public async Task What_the_watch_shows_is_counted_as_it_comes()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", null, Pod("a", "near"), Pod("b", "near")))
            .OnWatch(Watch(staysOpen: true,
                Line("ADDED", Pod("c", "far", review: "elsewhere")),
                Line("DELETED", Pod("a", "near")),
                Line("MODIFIED", Pod("c", "near")),
                Line("MODIFIED", Pod("b", "near", cpu: "250m")),
                Line("MODIFIED", [])));
        await using var informer = new RunningPods(server);

        await informer.CountsAsync(("near", 1250));
    }

    [Fact]
    public async Task An_expired_version_makes_a_new_list_and_what_was_missed_is_made_good()
    {
        await using var server = (await StartAsync())
            .OnList(List("10", null, Pod("a", "near"), Pod("b", "far")))
            .OnWatch(Watch(staysOpen: false, Error(410)))
            .OnList(List("30", null, Pod("b", "far"), Pod("c", "far")))
            .OnWatch(Watch(staysOpen: true));
        await using var informer = new RunningPods(server);

        await informer.CountsAsync(("far", 2000));
    }

    [Fact]
    public async Task A_right_that_is_taken_away_ends_the_count()
    {
        var counted = new TaskCompletionSource();
        await using var server = (await StartAsync())
            .OnList(List("10", null, Pod("a", "near")))
            .OnList(Status(403))
            .OnWatch(After(counted.Task, Status(403)));
        await using var informer = new RunningPods(server);
        await informer.CountsAsync(("near", 1000));
        counted.SetResult();

        await Eventually.IsTrueAsync("the count is over", () => Task.FromResult(informer.UsageCache is { IsFollowed: false, Count: 0 }));
    }

    [Fact]
    public async Task What_was_assumed_before_an_outage_counts_until_the_api_server_answers_again()
    {
        var time = new FakeTimeProvider();
        var repaired = new TaskCompletionSource();
        await using var server = (await StartAsync())
            .OnList(List("10", null, Pod("a", "near")))
            .OnList(After(repaired.Task, List("20", null, Pod("a", "near"))))
            .OnWatch(Watch(staysOpen: false, Bookmark("11")))
            .OnWatch(Status(403))
            .OnWatch(Watch(staysOpen: true));
        await using var informer = new RunningPods(server, time);
        await informer.CountsAsync(("near", 1000));
        informer.UsageCache.TryAssume("review", "far", Amounts.Of("1", "1Gi"), seen: null);
        await Eventually.IsTrueAsync("the watch has failed, and a list is asked for", () =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return Task.FromResult(server.Lists.Count == 2);
        });

        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(2, informer.UsageCache.Count);
        repaired.SetResult();
        await Eventually.IsTrueAsync("the assumption is over", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(informer.UsageCache.Count == 1);
        });
    }

    [Fact]
    public async Task A_webhook_that_may_not_follow_pods_is_ready_and_says_so()
    {
        await using var server = (await StartAsync()).OnList(List("10", null, Node("near", "1"))).OnWatch(Watch(staysOpen: true));
        server.Pods = Status(403);
        await using var webhook = await RunningWebhook.StartAsync(source: new ClusterSource.ApiServer(server.Configuration));

        await Eventually.IsTrueAsync("it is ready", async () =>
        {
            using var ready = await webhook.Client.GetAsync(webhook.Health("/readyz"));
            return ready.IsSuccessStatusCode;
        });

        Assert.EndsWith(
            "; what runs on them is not known (pods are not listed and watched), so each counts as empty\n", await webhook.Client.GetStringAsync(webhook.Health("/readyz")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhook_that_follows_pods_says_how_many()
    {
        await using var server = (await StartAsync()).OnList(List("10", null, Node("near", "1"))).OnWatch(Watch(staysOpen: true));
        server.Pods = http => (http.Request.Query.ContainsKey("watch") ? Watch(staysOpen: true) : List("10", null, Pod("a", "near"), Pod("b", "near")))(http);
        await using var webhook = await RunningWebhook.StartAsync(source: new ClusterSource.ApiServer(server.Configuration));

        await Eventually.IsTrueAsync("it has counted", async () =>
        {
            using var ready = await webhook.Client.GetAsync(webhook.Health("/readyz"));
            return (await ready.Content.ReadAsStringAsync()).EndsWith("; 2 pods counted\n", StringComparison.Ordinal);
        });
    }

    sealed class RunningPods : RunningInformer
    {
        internal RunningPods(FakeApiServer server, TimeProvider? time = null) : base(server.Client(TimeProvider.System))
        {
            time ??= TimeProvider.System;
            UsageCache = new NodeUsageCache(time, TimeSpan.FromMinutes(1));
            Start(new PodInformer(Api, UsageCache, time, NullLogger<PodInformer>.Instance).RunAsync);
        }

        internal NodeUsageCache UsageCache { get; }

        internal Task CountsAsync(params (string Node, long CpuMilli)[] expected) => Eventually.IsTrueAsync(
            $"the sums are {string.Join(", ", expected)}",
            () => Task.FromResult(UsageCache.Current.ByNode.Select(n => (n.Key, n.Value.Requested.CpuMilliOrZero)).Order().SequenceEqual(expected.Order())));
    }
}
