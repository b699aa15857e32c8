using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>What counts against a node, and for how long.</summary>
public sealed class NodeUsageCacheTests
{
    static readonly Resources One = Amounts.Of("1", "1Gi");

    static readonly PodUsage Waiting = new("pod", "near", One, IsUnschedulable: false, "elsewhere");

    readonly FakeTimeProvider time = new();
    readonly NodeUsageCache usageCache;

    public NodeUsageCacheTests() => usageCache = Usages.UsageCache(time: time);

    [Fact]
    public void A_pod_that_was_just_placed_counts_at_once()
    {
        Assert.True(usageCache.TryAssume("review", "near", One, usageCache.Current));

        Assert.Equal((One, 1), (usageCache.Current.On("near").Requested, usageCache.Current.On("near").Pods));
    }

    [Fact]
    public void A_decision_that_did_not_see_the_last_pod_is_refused_and_one_about_another_node_is_not()
    {
        var before = usageCache.Current;
        usageCache.TryAssume("first", "near", One, before);

        Assert.False(usageCache.TryAssume("second", "near", One, before));
        Assert.True(usageCache.TryAssume("third", "far", One, before));
        Assert.True(usageCache.TryAssume("second", "near", One, usageCache.Current));
        Assert.True(usageCache.TryAssume("fourth", "near", One, seen: null));
        Assert.Equal(3, usageCache.Current.On("near").Pods);
    }

    [Fact]
    public void The_same_review_again_counts_once()
    {
        usageCache.TryAssume("review", "near", One, usageCache.Current);
        usageCache.TryAssume("review", "far", One, usageCache.Current);

        Assert.Equal(["near"], usageCache.Current.ByNode.Keys);
    }

    [Fact]
    public void What_never_comes_to_be_is_forgotten_after_a_minute()
    {
        usageCache.TryAssume("review", "near", One, usageCache.Current);

        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(1, usageCache.Current.On("near").Pods);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Empty(usageCache.Current.ByNode);
        Assert.Equal(0, usageCache.Count);
    }

    [Fact]
    public void What_the_watch_shows_takes_the_place_of_what_was_assumed()
    {
        usageCache.TryAssume("review", "near", One, usageCache.Current);

        usageCache.Set("pod", new PodUsage("pod", "near", One, IsUnschedulable: false, "review"));
        Assert.Equal(1, usageCache.Current.On("near").Pods);
        usageCache.Set("pod", new PodUsage("pod", "far", One, IsUnschedulable: false, "review"));
        time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(["far"], usageCache.Current.ByNode.Keys);
    }

    [Fact]
    public void A_waiting_pod_counts_for_as_long_as_the_scheduler_has_not_looked_at_it()
    {
        usageCache.Set("pod", Waiting);
        time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(1, usageCache.Current.On("near").Pods);
    }

    [Fact]
    public void A_pod_for_which_the_scheduler_found_no_node_counts_for_a_minute_more_however_often_the_watch_shows_it()
    {
        usageCache.Set("pod", Waiting);
        time.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 6; i++)
        {
            usageCache.Set("pod", Waiting with { IsUnschedulable = true });
            Assert.Equal(1, usageCache.Current.On("near").Pods);
            time.Advance(TimeSpan.FromSeconds(10));
        }

        usageCache.Set("pod", Waiting with { IsUnschedulable = true });
        Assert.Empty(usageCache.Current.ByNode);
        usageCache.Set("pod", Waiting);
        Assert.Equal(1, usageCache.Current.On("near").Pods);
    }

    [Fact]
    public void While_the_api_server_does_not_answer_nothing_is_forgotten()
    {
        usageCache.TryAssume("review", "near", One, usageCache.Current);
        usageCache.Set("pod", Waiting with { Node = "far", IsUnschedulable = true });
        time.Advance(TimeSpan.FromSeconds(50));

        usageCache.Pause();
        time.Advance(TimeSpan.FromMinutes(2));
        usageCache.Pause();
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(["far", "near"], usageCache.Current.ByNode.Keys.Order());
        usageCache.Resume();
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(["far", "near"], usageCache.Current.ByNode.Keys.Order());
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Empty(usageCache.Current.ByNode);
    }

    [Fact]
    public void What_is_assumed_is_forgotten_in_the_end_even_if_the_api_server_never_answers_again()
    {
        usageCache.Pause();
        usageCache.TryAssume("review", "near", One, usageCache.Current);

        time.Advance(TimeSpan.FromMinutes(6) - TimeSpan.FromSeconds(1));
        Assert.Equal(1, usageCache.Current.On("near").Pods);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Empty(usageCache.Current.ByNode);
    }

    [Fact]
    public void A_copied_pod_with_the_annotation_of_another_counts_for_itself()
    {
        usageCache.Set("original", new PodUsage("original", "near", One, IsUnschedulable: false, "review"));
        usageCache.Set("copy", new PodUsage("copy", "near", One, IsUnschedulable: false, "review"));
        usageCache.Set("original", null);

        Assert.Equal(1, usageCache.Current.On("near").Pods);
    }

    [Fact]
    public void What_is_not_on_a_new_list_is_gone_and_what_is_only_assumed_stays()
    {
        var usageCache = Usages.UsageCache(Usages.On("near", "2", pods: 3), time);
        usageCache.TryAssume("review", "far", One, usageCache.Current);

        usageCache.BeginList();
        usageCache.Set("near-0", new PodUsage("near-0", "near", One, IsUnschedulable: false, null));
        Assert.Equal(3, usageCache.Current.On("near").Pods);
        usageCache.EndList();

        Assert.Equal((One, 1), (usageCache.Current.On("near").Requested, usageCache.Current.On("near").Pods));
        Assert.Equal(1, usageCache.Current.On("far").Pods);
    }

    [Fact]
    public void Where_pods_cannot_be_followed_nothing_counts_and_nothing_is_assumed()
    {
        var usageCache = Usages.UsageCache(Usages.On("near", "2"), time);
        usageCache.TryAssume("review", "near", One, usageCache.Current);

        usageCache.Forget();
        Assert.True(usageCache.TryAssume("another", "near", One, usageCache.Current));

        Assert.False(usageCache.IsFollowed);
        Assert.Empty(usageCache.Current.ByNode);
    }

    [Fact]
    public void Before_the_first_list_nothing_is_assumed()
    {
        var usageCache = new NodeUsageCache(time, TimeSpan.FromMinutes(1));

        Assert.True(usageCache.TryAssume("review", "near", One, usageCache.Current));

        Assert.Empty(usageCache.Current.ByNode);
    }

    [Fact]
    public void A_heartbeat_of_a_pod_makes_no_new_usage()
    {
        var usage = new PodUsage("pod", "near", Amounts.Of("1", "1Gi", (Nodes.Gpu, 1)), IsUnschedulable: false, null);
        usageCache.Set("pod", usage);
        var before = usageCache.Current;

        usageCache.Set("pod", usage with { Request = Amounts.Of("1", "1Gi", (Nodes.Gpu, 1)) });

        Assert.Same(before, usageCache.Current);
    }

    [Fact]
    public void What_a_flood_of_reviews_makes_us_remember_is_bounded()
    {
        for (var i = 0; i < 150_000; i++)
        {
            usageCache.TryAssume($"review-{i}", "near", One, seen: null);
        }

        Assert.Equal(100_000, usageCache.Count);
    }
}
