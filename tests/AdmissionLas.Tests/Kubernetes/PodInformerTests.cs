using System.Collections.Concurrent;
using System.Text.Json;
using AdmissionLas.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using static AdmissionLas.Tests.Support.FakeApiServer;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>What becomes of the pods that a reflector reports, and what the webhook says of them; <see cref="ReflectorTests"/> has the requests.</summary>
public sealed class PodInformerTests : IDisposable
{
    readonly FakeTimeProvider time = new();
    readonly NodeUsageCache usageCache;
    readonly KubeApi api = new(new() { Host = "http://127.0.0.1:1" }, TimeProvider.System);
    readonly IResourceEventHandler informer;

    public PodInformerTests()
    {
        usageCache = new NodeUsageCache(time, TimeSpan.FromMinutes(1));
        informer = new PodInformer(api, usageCache, (_, usage) => usage.Review != "stranger", time, NullLogger<PodInformer>.Instance);
        HasListed(Pod("a", "near"), Pod("b", "far", cpu: "500m"), Pod("c", "near", review: "elsewhere"));
    }

    public void Dispose() => api.Dispose();

    [Fact]
    public void Listed_pods_are_counted()
    {
        Assert.Equal([("far", 500), ("near", 2000)], Sums());
        Assert.True(usageCache.IsFollowed);
    }

    [Fact]
    public void What_the_watch_shows_is_counted_as_it_comes()
    {
        informer.OnAddOrUpdate(Element(Pod("d", "far", review: "elsewhere")));
        informer.OnDelete(Element(Pod("a", "near")));
        informer.OnAddOrUpdate(Element(Pod("d", "near")));
        informer.OnAddOrUpdate(Element(Pod("b", "far", cpu: "250m")));
        informer.OnAddOrUpdate(Element([]));
        informer.OnDelete(Element([]));

        Assert.Equal([("far", 250), ("near", 2000)], Sums());
    }

    [Fact]
    public void A_pod_that_nobody_should_trust_counts_once_it_is_bound()
    {
        informer.OnAddOrUpdate(Element(Pod("d", "far", review: "stranger")));
        Assert.Equal([("far", 500), ("near", 2000)], Sums());

        informer.OnAddOrUpdate(Element(Pod("d", "far")));
        Assert.Equal([("far", 1500), ("near", 2000)], Sums());
    }

    [Fact]
    public void A_new_list_makes_up_for_what_was_missed()
    {
        HasListed(Pod("b", "far"), Pod("d", "far"));

        Assert.Equal([("far", 2000)], Sums());
    }

    // It is still there, and its size does not say that it uses less.
    [Fact]
    public void A_pod_that_has_become_too_large_to_be_read_counts_as_before()
    {
        informer.OnListStarted();
        informer.OnSkipped(Element(Pod("a", "near")));
        informer.OnSkipped(Element(Pod("unknown", "near")));
        informer.OnSkipped(Element([]));
        informer.OnListCompleted();

        Assert.Equal([("near", 1000)], Sums());
    }

    [Fact]
    public void A_right_that_is_taken_away_ends_the_count()
    {
        informer.OnForbidden();

        Assert.True(usageCache is { IsFollowed: false, Count: 0 });
    }

    [Fact]
    public void What_was_assumed_before_an_outage_counts_until_the_api_server_answers_again()
    {
        usageCache.TryAssume("review", "team", "far", Amounts.Of("1", "1Gi"), Amounts.Of("1", "1Gi"), seen: null);
        informer.OnInterrupted();
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(4, informer.Count);

        informer.OnContact();
        time.Advance(TimeSpan.FromMinutes(1));

        // The two that are bound.
        Assert.Equal(2, informer.Count);
    }

    // A fake clock starts when these pods were created.
    [Fact]
    public void A_watch_that_is_behind_ends_nothing_and_one_that_has_come_to_later_pods_does()
    {
        usageCache.TryAssume("refused", "team", "far", Amounts.Of("1", "1Gi"), Amounts.Of("1", "1Gi"), seen: null);
        time.Advance(TimeSpan.FromSeconds(30));

        informer.OnAdded(Element(Pod("d", "near")));
        HasListed(Pod("d", "near"), CreatedAt("e", "2000-01-01T00:00:30Z"));
        Assert.Equal(1, usageCache.AssumedCount);

        informer.OnAdded(Element(CreatedAt("f", "2000-01-01T00:00:05Z")));
        Assert.Equal(0, usageCache.AssumedCount);

        static JsonObject CreatedAt(string uid, string time) => Pod(uid, "near").With(p => p["metadata"]!["creationTimestamp"] = time);
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
    public async Task A_webhook_that_follows_pods_says_how_many_and_asks_for_no_finished_ones()
    {
        await using var server = (await StartAsync()).OnList(List("10", null, Node("near", "1"))).OnWatch(Watch(staysOpen: true));
        var selectors = new ConcurrentBag<string?>();
        server.Pods = http =>
        {
            selectors.Add(http.Request.Query["fieldSelector"]);
            return (http.Request.Query.ContainsKey("watch") ? Watch(staysOpen: true) : List("10", null, Pod("a", "near"), Pod("b", "near")))(http);
        };
        await using var webhook = await RunningWebhook.StartAsync(source: new ClusterSource.ApiServer(server.Configuration));

        await Eventually.IsTrueAsync("it has counted", async () =>
        {
            using var ready = await webhook.Client.GetAsync(webhook.Health("/readyz"));
            return (await ready.Content.ReadAsStringAsync()).EndsWith("; 2 pods counted\n", StringComparison.Ordinal);
        });
        Assert.Equal(["status.phase!=Succeeded,status.phase!=Failed"], selectors.Distinct());
    }

    // Which of a pod's resources count is known from the nodes.
    [Fact]
    public async Task A_webhook_asks_for_pods_once_it_knows_the_nodes()
    {
        var nodesAreListed = new TaskCompletionSource();
        var asked = new ConcurrentBag<bool>();
        await using var server = (await StartAsync()).OnList(After(nodesAreListed.Task, List("10", null, Node("near", "1")))).OnWatch(Watch(staysOpen: true));
        server.Namespaces = http =>
        {
            nodesAreListed.TrySetResult();
            return (http.Request.Query.ContainsKey("watch") ? Watch(staysOpen: true) : List("1", null))(http);
        };
        server.Pods = http =>
        {
            asked.Add(nodesAreListed.Task.IsCompleted);
            return (http.Request.Query.ContainsKey("watch") ? Watch(staysOpen: true) : List("10", null))(http);
        };
        await using var webhook = await RunningWebhook.StartAsync(source: new ClusterSource.ApiServer(server.Configuration));

        await Eventually.IsTrueAsync("pods are asked for", () => Task.FromResult(!asked.IsEmpty));

        Assert.DoesNotContain(false, asked);
    }

    void HasListed(params JsonObject[] pods)
    {
        informer.OnListStarted();
        Array.ForEach(pods, pod => informer.OnListed(Element(pod)));
        informer.OnListCompleted();
    }

    IEnumerable<(string Node, long CpuMilli)> Sums() => usageCache.Current.ByNode.Select(n => (n.Key, n.Value.Requested.CpuMilliOrZero)).Order();

    static JsonElement Element(JsonObject item) => YamlJson.ToElement(item);
}
