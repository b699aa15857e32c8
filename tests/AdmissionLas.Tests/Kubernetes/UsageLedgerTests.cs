using AdmissionLas.Kubernetes;
using AdmissionLas.Placement;
using AdmissionLas.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>What counts against a node, and for how long.</summary>
public sealed class UsageLedgerTests
{
    static readonly Resources One = Amounts.Of("1", "1Gi");

    static readonly PodClaim Waiting = new("pod", "near", One, IsUnschedulable: false, "elsewhere");

    readonly FakeTimeProvider time = new();

    [Fact]
    public void A_pod_that_was_just_placed_counts_at_once()
    {
        var ledger = Usages.Ledger(time: time);

        Assert.True(ledger.TryAssume("review", "near", One, ledger.Current));

        Assert.Equal((One, 1), (ledger.Current.On("near").Requested, ledger.Current.On("near").Pods));
    }

    [Fact]
    public void A_decision_that_did_not_see_the_last_pod_is_refused_and_one_about_another_node_is_not()
    {
        var ledger = Usages.Ledger(time: time);
        var before = ledger.Current;
        ledger.TryAssume("first", "near", One, before);

        Assert.False(ledger.TryAssume("second", "near", One, before));
        Assert.True(ledger.TryAssume("third", "far", One, before));
        Assert.True(ledger.TryAssume("second", "near", One, ledger.Current));
        Assert.True(ledger.TryAssume("fourth", "near", One, seen: null));
        Assert.Equal(3, ledger.Current.On("near").Pods);
    }

    [Fact]
    public void The_same_review_again_counts_once()
    {
        var ledger = Usages.Ledger(time: time);

        ledger.TryAssume("review", "near", One, ledger.Current);
        ledger.TryAssume("review", "far", One, ledger.Current);

        Assert.Equal(["near"], ledger.Current.ByNode.Keys);
    }

    [Fact]
    public void What_never_comes_to_be_is_forgotten_after_a_minute()
    {
        var ledger = Usages.Ledger(time: time);
        ledger.TryAssume("review", "near", One, ledger.Current);

        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(1, ledger.Current.On("near").Pods);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Empty(ledger.Current.ByNode);
        Assert.Equal(0, ledger.Count);
    }

    [Fact]
    public void What_the_watch_shows_takes_the_place_of_what_was_assumed()
    {
        var ledger = Usages.Ledger(time: time);
        ledger.TryAssume("review", "near", One, ledger.Current);

        ledger.Set("pod", new PodClaim("pod", "near", One, IsUnschedulable: false, "review"));
        Assert.Equal(1, ledger.Current.On("near").Pods);
        ledger.Set("pod", new PodClaim("pod", "far", One, IsUnschedulable: false, "review"));
        time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(["far"], ledger.Current.ByNode.Keys);
    }

    [Fact]
    public void A_waiting_pod_counts_for_as_long_as_the_scheduler_has_not_looked_at_it()
    {
        var ledger = Usages.Ledger(time: time);

        ledger.Set("pod", Waiting);
        time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(1, ledger.Current.On("near").Pods);
    }

    [Fact]
    public void A_pod_for_which_the_scheduler_found_no_node_counts_for_a_minute_more_however_often_it_is_told_of()
    {
        var ledger = Usages.Ledger(time: time);
        ledger.Set("pod", Waiting);
        time.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 6; i++)
        {
            ledger.Set("pod", Waiting with { IsUnschedulable = true });
            Assert.Equal(1, ledger.Current.On("near").Pods);
            time.Advance(TimeSpan.FromSeconds(10));
        }

        ledger.Set("pod", Waiting with { IsUnschedulable = true });
        Assert.Empty(ledger.Current.ByNode);
        ledger.Set("pod", Waiting);
        Assert.Equal(1, ledger.Current.On("near").Pods);
    }

    [Fact]
    public void While_the_api_server_cannot_be_heard_nothing_is_forgotten()
    {
        var ledger = Usages.Ledger(time: time);
        ledger.TryAssume("review", "near", One, ledger.Current);
        ledger.Set("pod", Waiting with { Node = "far", IsUnschedulable = true });
        time.Advance(TimeSpan.FromSeconds(50));

        ledger.Interrupted();
        time.Advance(TimeSpan.FromMinutes(2));
        ledger.Interrupted();
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(["far", "near"], ledger.Current.ByNode.Keys.Order());
        ledger.Heard();
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(["far", "near"], ledger.Current.ByNode.Keys.Order());
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Empty(ledger.Current.ByNode);
    }

    [Fact]
    public void What_is_assumed_is_forgotten_in_the_end_even_if_the_api_server_is_never_heard_again()
    {
        var ledger = Usages.Ledger(time: time);
        ledger.Interrupted();
        ledger.TryAssume("review", "near", One, ledger.Current);

        time.Advance(TimeSpan.FromMinutes(6) - TimeSpan.FromSeconds(1));
        Assert.Equal(1, ledger.Current.On("near").Pods);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Empty(ledger.Current.ByNode);
    }

    [Fact]
    public void A_copied_pod_with_somebody_elses_annotation_counts_for_itself()
    {
        var ledger = Usages.Ledger(time: time);

        ledger.Set("original", new PodClaim("original", "near", One, IsUnschedulable: false, "review"));
        ledger.Set("copy", new PodClaim("copy", "near", One, IsUnschedulable: false, "review"));
        ledger.Set("original", null);

        Assert.Equal(1, ledger.Current.On("near").Pods);
    }

    [Fact]
    public void What_is_not_on_a_new_list_is_gone_and_what_is_only_assumed_stays()
    {
        var ledger = Usages.Ledger(Usages.On("near", "2", pods: 3), time);
        ledger.TryAssume("review", "far", One, ledger.Current);

        ledger.BeginList();
        ledger.Set("near-0", new PodClaim("near-0", "near", One, IsUnschedulable: false, null));
        Assert.Equal(3, ledger.Current.On("near").Pods);
        ledger.EndList();

        Assert.Equal((One, 1), (ledger.Current.On("near").Requested, ledger.Current.On("near").Pods));
        Assert.Equal(1, ledger.Current.On("far").Pods);
    }

    [Fact]
    public void Where_pods_cannot_be_followed_nothing_counts_and_nothing_is_assumed()
    {
        var ledger = Usages.Ledger(Usages.On("near", "2"), time);
        ledger.TryAssume("review", "near", One, ledger.Current);

        ledger.Forget();
        Assert.True(ledger.TryAssume("another", "near", One, ledger.Current));

        Assert.False(ledger.IsFollowed);
        Assert.Empty(ledger.Current.ByNode);
    }

    [Fact]
    public void Before_the_first_list_nothing_is_assumed()
    {
        var ledger = new UsageLedger(time, TimeSpan.FromMinutes(1));

        Assert.True(ledger.TryAssume("review", "near", One, ledger.Current));

        Assert.Empty(ledger.Current.ByNode);
    }

    [Fact]
    public void A_heartbeat_of_a_pod_makes_no_new_usage()
    {
        var ledger = Usages.Ledger(time: time);
        var claim = new PodClaim("pod", "near", Amounts.Of("1", "1Gi", (Nodes.Gpu, 1)), IsUnschedulable: false, null);
        ledger.Set("pod", claim);
        var before = ledger.Current;

        ledger.Set("pod", claim with { Request = Amounts.Of("1", "1Gi", (Nodes.Gpu, 1)) });

        Assert.Same(before, ledger.Current);
    }

    [Fact]
    public void What_a_flood_of_reviews_makes_us_remember_is_bounded()
    {
        var ledger = Usages.Ledger(time: time);

        for (var i = 0; i < 150_000; i++)
        {
            ledger.TryAssume($"review-{i}", "near", One, seen: null);
        }

        Assert.Equal(100_000, ledger.Count);
    }
}
