using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>What counts against a node in cases apart; <see cref="NodeUsageCacheProperties"/> has what counts and for how long, in any history.</summary>
public sealed class NodeUsageCacheTests
{
    static readonly Resources One = Amounts.Of("1", "1Gi");

    readonly FakeTimeProvider time = new();
    readonly NodeUsageCache usageCache;

    public NodeUsageCacheTests() => usageCache = Usages.UsageCache(time: time);

    [Fact]
    public void A_decision_that_did_not_see_the_last_pod_is_refused_and_one_about_another_node_is_not()
    {
        var before = usageCache.For("team");
        usageCache.TryAssume("first", "team", "near", One, One, before);

        Assert.False(usageCache.TryAssume("second", "team", "near", One, One, before));
        Assert.True(usageCache.TryAssume("third", "team", "far", One, One, before));
        Assert.True(usageCache.TryAssume("second", "team", "near", One, One, usageCache.For("team")));
        Assert.True(usageCache.TryAssume("fourth", "team", "near", One, One, seen: null));
        Assert.Equal(3, usageCache.For("team").On("near").Pods);
    }

    [Fact]
    public void A_pod_that_is_refused_after_its_review_takes_no_room_from_other_namespaces()
    {
        usageCache.Set("running", new PodUsage("running", "near", One));
        usageCache.TryAssume("refused", "team", "near", One, One, usageCache.For("team"));
        usageCache.TryAssume("created", "another", "near", One, One, usageCache.For("another"));

        Assert.Equal([2, 2, 1], ((string[])["team", "another", "third"]).Select(n => usageCache.For(n).On("near").Pods));
        usageCache.Set("pod", new PodUsage("pod", "near", One, time.GetUtcNow(), "created"));
        Assert.Equal([3, 2, 2], ((string[])["team", "another", "third"]).Select(n => usageCache.For(n).On("near").Pods));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([1, 1, 1], ((string[])["team", "another", "third"]).Select(n => usageCache.For(n).On("near").Pods));
        Assert.Equal(0, usageCache.AssumedCount);
    }

    [Fact]
    public void A_copied_pod_with_the_annotation_of_another_counts_for_itself()
    {
        usageCache.Set("original", new PodUsage("original", "near", One, Review: "review"));
        usageCache.Set("copy", new PodUsage("copy", "near", One, Review: "review"));
        usageCache.Set("original", null);

        Assert.Equal(1, usageCache.For("team").On("near").Pods);
    }

    [Theory]
    [InlineData(0, 60)]
    [InlineData(40, 20)]
    [InlineData(90, 0)]
    // The API server's clock is ahead of ours.
    [InlineData(-5, 65)]
    public void A_pod_that_waits_counts_for_a_minute_from_its_creation(int ageSeconds, int countsSeconds)
    {
        var waiting = new PodUsage("pod", "near", One, time.GetUtcNow() - TimeSpan.FromSeconds(ageSeconds), "review");

        usageCache.Set("pod", waiting);
        Assert.Equal(countsSeconds > 0 ? 1 : 0, usageCache.For("team").On("near").Pods);
        time.Advance(TimeSpan.FromSeconds(countsSeconds));
        // The scheduler tries it again and again, and each attempt is an event.
        usageCache.Set("pod", waiting);
        Assert.Equal(0, usageCache.For("team").On("near").Pods);

        usageCache.Set("pod", waiting with { WaitingSince = null });
        Assert.Equal(1, usageCache.For("team").On("near").Pods);
    }

    [Fact]
    public void Where_pods_cannot_be_followed_nothing_counts_and_nothing_is_assumed()
    {
        var usageCache = Usages.UsageCache(Usages.On("near", "2"), time);
        usageCache.TryAssume("review", "team", "near", One, One, usageCache.For("team"));

        usageCache.Forget();
        Assert.True(usageCache.TryAssume("another", "team", "near", One, One, usageCache.For("team")));

        Assert.False(usageCache.IsFollowed);
        Assert.Empty(usageCache.For("team").ByNode);
    }

    [Fact]
    public void Before_the_first_list_nothing_is_assumed()
    {
        var usageCache = new NodeUsageCache(time, TimeSpan.FromMinutes(1));

        Assert.True(usageCache.TryAssume("review", "team", "near", One, One, usageCache.For("team")));

        Assert.Empty(usageCache.For("team").ByNode);
    }

    [Fact]
    public void A_heartbeat_of_a_pod_makes_no_new_usage()
    {
        var usage = new PodUsage("pod", "near", Amounts.Of("1", "1Gi", (Nodes.Gpu, 1)));
        usageCache.Set("pod", usage);
        var before = usageCache.For("team");

        usageCache.Set("pod", usage with { Request = Amounts.Of("1", "1Gi", (Nodes.Gpu, 1)) });

        Assert.Same(before, usageCache.For("team"));
    }

    // What never has a pod costs other namespaces nothing, and afterwards it is what the same pods cost.
    [Fact]
    public void A_flood_of_reviews_does_nothing_to_other_namespaces()
    {
        Flood("hostile");

        Assert.Equal(5_000, usageCache.AssumedCount);
        Assert.Empty(usageCache.For("team").ByNode);
        Assert.True(usageCache.TryAssume("review", "team", "near", One, One, usageCache.For("team")));
        Assert.Equal(1, usageCache.For("team").On("near").Pods);

        usageCache.Set("created", new PodUsage("created", "near", One, time.GetUtcNow(), "hostile-0"));
        Assert.Equal(2, usageCache.For("team").On("near").Pods);
        Assert.Equal(5_000, usageCache.For("hostile").On("near").Pods);
    }

    [Fact]
    public void Floods_in_all_other_namespaces_leave_a_namespace_its_share()
    {
        string[] hostile = [.. Enumerable.Range(0, 99).Select(i => $"hostile-{i}")];
        usageCache.SetNamespaces(hostile.Append("team").ToDictionary(n => n, _ => (IReadOnlyDictionary<string, string>?)null));
        Array.ForEach(hostile, Flood);

        Assert.InRange(usageCache.AssumedCount, 30_000, 50_000);
        Flood("team");
        Assert.Equal(200, usageCache.For("team").On("near").Pods);
    }

    [Fact]
    public void Where_namespaces_are_not_known_floods_have_a_bound()
    {
        for (var i = 0; i < 100; i++)
        {
            Flood($"hostile-{i}");
        }

        Assert.InRange(usageCache.AssumedCount, 20_000, 30_000);
    }

    [Fact]
    public void What_a_flood_has_taken_is_free_again_when_it_has_expired()
    {
        Flood("team");
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(0, usageCache.Count);
        usageCache.TryAssume("review", "team", "near", One, One, seen: null);
        Assert.Equal(1, usageCache.AssumedCount);
    }

    [Fact]
    public void In_a_namespace_that_has_not_opted_in_no_pod_is_assumed()
    {
        usageCache.SetNamespaces(new Dictionary<string, IReadOnlyDictionary<string, string>?> { ["team"] = null });
        Assert.True(usageCache.TryAssume("first", "another", "near", One, One, seen: null));
        Assert.True(usageCache.TryAssume("second", "team", "near", One, One, seen: null));
        Assert.Equal((0L, 1L), (usageCache.For("another").On("near").Pods, usageCache.For("team").On("near").Pods));

        // Where namespaces cannot be followed.
        usageCache.SetNamespaces(null);
        Assert.True(usageCache.TryAssume("first", "another", "near", One, One, seen: null));
        Assert.Equal(1, usageCache.For("another").On("near").Pods);
    }

    [Theory]
    [InlineData(4, true)]
    [InlineData(5, false)]
    public void A_pod_that_the_watch_passes_over_for_seconds_was_never_created(int createdAfterSeconds, bool counts)
    {
        var reviewedAt = time.GetUtcNow();
        usageCache.TryAssume("review", "team", "near", One, One, seen: null);
        // However late the watch shows it.
        time.Advance(TimeSpan.FromSeconds(50));

        usageCache.Reached(reviewedAt + TimeSpan.FromSeconds(createdAfterSeconds));

        Assert.Equal(counts ? 1 : 0, usageCache.For("team").On("near").Pods);
    }

    [Fact]
    public void A_clock_of_the_API_server_that_is_ahead_ends_nothing_at_once()
    {
        usageCache.TryAssume("review", "team", "near", One, One, seen: null);

        usageCache.Reached(time.GetUtcNow() + TimeSpan.FromMinutes(10));
        Assert.Equal(1, usageCache.AssumedCount);
        time.Advance(TimeSpan.FromSeconds(5));
        usageCache.Reached(time.GetUtcNow() + TimeSpan.FromMinutes(10));
        Assert.Equal(0, usageCache.AssumedCount);
    }

    [Fact]
    public void A_pod_that_is_reviewed_again_and_again_counts_from_its_last_review()
    {
        for (var i = 0; i < 1_000; i++)
        {
            usageCache.TryAssume("review", "team", "near", One, One, seen: null);
            time.Advance(TimeSpan.FromSeconds(1));
            Assert.True(usageCache.Release("review"));
        }

        usageCache.TryAssume("review", "team", "near", One, One, seen: null);
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(1, usageCache.AssumedCount);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, usageCache.AssumedCount);
    }

    void Flood(string @namespace)
    {
        for (var i = 0; i < 6_000; i++)
        {
            usageCache.TryAssume($"{@namespace}-{i}", @namespace, "near", One, One, seen: null);
        }
    }
}
