namespace AdmissionLas.Tests.Placement;

/// <summary>Which nodes the adaptive mode keeps a pod to.</summary>
public sealed class StandbySelectionTests
{
    static readonly PlacementPolicy Adaptive = new() { Mode = PlacementMode.Adaptive };

    /// <summary>On a scheduler before Kubernetes 1.23.</summary>
    static readonly PlacementPolicy Older = Adaptive with { NodeAffinityWeight = 1 };

    static readonly PodFacts Pod = Pods.Predict("here", Pods.Container(cpu: "1", memory: "1Gi"));

    [Fact]
    public void The_nearest_node_and_two_standbys_are_required_and_ranked_and_those_that_lose_anyway_are_let_in()
    {
        var decision = Nodes.View(Nodes.At("1", "near", "8"), Nodes.At("2", "next", "8"), Nodes.At("3", "third", "8"), Nodes.At("4", "fourth", "8")).Decide(Pod, Adaptive);

        AssertKept(["near", "next", "third", "fourth"], decision);
        Assert.Equal([100, 6, 1], decision.Preferred.Select(p => p.Weight));
        Assert.Equal(
            [("near", 1, CandidateRole.Chosen), ("next", 2, CandidateRole.Standby), ("third", 3, CandidateRole.Standby), ("fourth", 4, CandidateRole.Standby)],
            decision.Candidates.Select(c => (c.Node.Name, c.LatencyMs, c.Role)));
    }

    [Fact]
    public void Where_standbys_have_room_for_few_such_pods_more_of_them_are_ranked_and_all_that_the_patch_may_name_are_let_in()
    {
        var view = Nodes.View([.. Enumerable.Range(1, 9).Select(i => Nodes.At($"{i}", $"n{i}", "2"))]);
        var decision = view.Decide(Pod, Adaptive with { NamedNodes = 7 });

        AssertKept(["n1", "n2", "n3", "n4", "n5", "n6", "n7"], decision);
        Assert.Equal(5, decision.Preferred.Count);
    }

    // Two images of 500 MB are worth 100 points until Kubernetes 1.20 and 49 since: on all nodes, so they decide nothing.
    [Fact]
    public void Nodes_are_compared_as_one_release_counts_them()
    {
        var image = ImageId.Of("registry.example/model");
        var container = Pods.Container(cpu: "500m", memory: "250Mi") with { Image = image };
        var images = NodeImages.Of([(image, 500L << 20)]);
        var view = Nodes.View(Nodes.At("1", "near", "64") with { Images = images }, Nodes.At("2", "next", "64") with { Images = images });

        Assert.Equal([100, 6], view.Decide(Pods.Predict("here", container, container), Older).Preferred.Select(p => p.Weight));
    }

    // Since Kubernetes 1.30: its image draws the pod, as a container's does.
    [Fact]
    public void The_image_of_an_init_container_counts()
    {
        var image = ImageId.Of("registry.example/model");
        var pod = Pods.Predict("here", Pods.Container(cpu: "100m", memory: "100Mi")) with { InitContainers = [Pods.Container() with { Image = image }] };
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "has-it") with { Images = NodeImages.Of([(image, 6000L << 20)]) }, Nodes.At("3", "next"));

        AssertKept(["near", "next"], view.Decide(pod, Older));
    }

    [Fact]
    public void Nodes_as_near_as_the_nearest_are_its_best_standbys_whatever_they_score()
    {
        var view = Nodes.View(Nodes.At("1", "a"), Nodes.At("1", "b"), Nodes.At("1", "c", "64"), Nodes.At("2", "far"));
        var usage = Usages.Of(("a", new(Amounts.Of("3", "1Gi"), 1)), ("b", new(Amounts.Of("2", "15Gi"), 1)));

        AssertKept(["c", "b", "a", "far"], view.Decide(Pod, Older, usage: usage));
        var decision = view.Decide(Pod, Adaptive, usage: usage);
        AssertKept(["c", "b", "a", "far"], decision);
        Assert.Equal([100, 99, 99, 6], decision.Preferred.Select(p => p.Weight));
    }

    [Fact]
    public void A_node_that_the_scheduler_would_pick_before_the_nearest_is_left_out()
    {
        // 94 points for being nearest, against an empty node's 100 for being empty and 40 for being balanced.
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "empty", "64"), Nodes.At("3", "as-full"));
        var usage = Usages.Of(("near", new(Amounts.Of("3", "6Gi"), 3)), ("as-full", new(Amounts.Of("3", "6Gi"), 3)));

        AssertKept(["near", "as-full"], view.Decide(Pod, Older, usage: usage));
        AssertKept(["near", "empty", "as-full"], view.Decide(Pod, Adaptive, usage: usage));
    }

    [Fact]
    public void A_node_that_would_win_once_the_rest_of_a_burst_has_gone_to_the_nearest_is_left_out()
    {
        var pod = Pods.Predict("here", Pods.Container(cpu: "250m", memory: "500Mi"));
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "empty", "64"), Nodes.At("3", "busy"));
        var usage = Usages.Of(("busy", new(Amounts.Of("2", "4Gi"), 3)));

        AssertKept(["near", "busy"], view.Decide(pod, Older, usage: usage));
    }

    [Theory]
    [InlineData("empty", 0, 100, 6, 1)]
    [InlineData("empty", 30, 100, 1, 6)]
    [InlineData("near", 30, 100, 6, 1)]
    public void What_the_author_prefers_counts_for_or_against_the_lead_of_the_nearest(string preferred, int weight, params int[] weights)
    {
        var view = Nodes.View([.. new[] { Nodes.At("1", "near"), Nodes.At("2", "empty", "64"), Nodes.At("3", "busy") }
            .Select(n => n.Name == preferred ? n.Labelled("tier", "edge") : n)]);
        var usage = Usages.Of(("busy", new(Amounts.Of("2", "8Gi"), 3)));

        var pod = Pod with { PreferredTerms = [new PreferredTerm(weight, Pods.Term("tier", SelectorOperator.In, "edge"))] };

        var decision = view.Decide(pod, Adaptive, usage: usage);

        AssertKept(["near", "empty", "busy"], decision);
        Assert.Equal(weights, decision.Preferred.Select(p => p.Weight));
    }

    // https://kubernetes.io/docs/concepts/scheduling-eviction/resource-bin-packing/: the fullest node gets most.
    [Theory]
    [InlineData(ScoringStrategy.LeastAllocated, "near", "busy")]
    [InlineData(ScoringStrategy.MostAllocated, "near", "empty", "busy")]
    public void The_schedulers_strategy_decides_who_can_stand_by(ScoringStrategy strategy, params string[] kept)
    {
        var view = Nodes.View(Nodes.At("1", "near", "32"), Nodes.At("2", "empty", "512"), Nodes.At("3", "busy", "32"));
        var usage = Usages.Of(("busy", new(Amounts.Of("20", "2Gi"), 3)));

        AssertKept(kept, view.Decide(Pod, Older with { ScoringStrategy = strategy }, usage: usage));
    }

    [Theory]
    [InlineData(ScoringStrategy.Unknown)]
    [InlineData(ScoringStrategy.RequestedToCapacityRatio)]
    public void Where_the_strategy_is_not_known_only_nodes_that_lose_under_any_stand_by(ScoringStrategy strategy)
    {
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "next"), Nodes.At("3", "has-the-image") with { Images = NodeImages.Of([(Situations.Image, 4L << 30)]) });
        var pod = Pod with { Containers = [Pods.Container(cpu: "1", memory: "1Gi") with { Image = Situations.Image }] };

        // 100 points for load, 81 for balance and 100 for the image, against a lead of 188.
        AssertKept(["near", "next"], view.Decide(pod, new PlacementPolicy { ScoringStrategy = strategy }));
    }

    // Until the scheduler has counted them: 100m and 200Mi for each container that states nothing.
    [Fact]
    public void Neighbours_without_requests_count_for_scores()
    {
        var view = Nodes.View(Nodes.At("1", "near", "2"), Nodes.At("2", "next", "2"));
        var busy = new NodeUsage(Amounts.Of("0", "0"), 12) { Scored = Amounts.Of("1200m", "2400Mi") };

        // Weight 6 for one that loses whatever comes in between, 1 for one that loses as things are.
        Assert.Equal([100, 6], view.Decide(Pod, Older).Preferred.Select(p => p.Weight));
        Assert.Equal([100, 1], view.Decide(Pod, Older, usage: Usages.Of(("near", busy))).Preferred.Select(p => p.Weight));
    }

    [Fact]
    public void A_lopsided_nearest_node_counts_for_what_it_is_now_although_more_such_pods_would_balance_it()
    {
        var pod = Pods.Predict("here", Pods.Container(cpu: "100m", memory: "3Gi"));
        var view = Nodes.View(Nodes.At("1", "lopsided", "8"), Nodes.At("2", "empty", "64"), Nodes.At("3", "as-lopsided", "8"), Nodes.At("4", "also", "8"));
        var usage = new NodeUsage(Amounts.Of("7200m", "0"), 1);

        AssertKept(["lopsided", "as-lopsided", "also"], view.Decide(pod, Older, usage: Usages.Of(("lopsided", usage), ("as-lopsided", usage), ("also", usage))));
    }

    [Fact]
    public void A_node_that_has_the_pods_image_draws_it_and_is_left_out_where_that_outweighs_the_latency()
    {
        var pod = Pods.Predict("here", Pods.Container(cpu: "100m", memory: "100Mi") with { Image = ImageId.Of("registry.example/model") });
        var images = NodeImages.Of([(ImageId.Of("registry.example/model:latest"), 3000L << 20)]);
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "has-it") with { Images = images }, Nodes.At("3", "next"));

        AssertKept(["near", "next"], view.Decide(pod, Older));
        AssertKept(["near", "has-it", "next"], view.Decide(pod, Adaptive));
        AssertKept(["near", "has-it", "next"], view.Decide(Pods.Predict("here", Pods.Container(cpu: "100m", memory: "100Mi")), Older));
    }

    [Fact]
    public void Where_no_standby_would_lose_to_the_nearest_it_stands_alone_and_nothing_is_preferred()
    {
        var decision = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "empty", "64")).Decide(Pod, Older, usage: Usages.On("near", "3", "6Gi"));

        AssertKept(["near"], decision);
        Assert.Empty(decision.Preferred);
    }

    [Fact]
    public void Where_no_other_could_stand_by_the_nearest_is_merely_preferred()
    {
        var decision = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "full")).Decide(Pod, Adaptive, usage: Usages.On("full", "4"));

        AssertPreferred(["near"], new Softening(SofteningCause.NoStandby), decision);
    }

    // 13 of 16 cores are taken: with this pod and two more the node is full, which costs it all points for balance.
    [Fact]
    public void A_standby_loses_also_when_the_nearest_is_filled_by_pods_that_come_later()
    {
        var view = Nodes.View(Nodes.At("1", "near", "16"), Nodes.At("2", "half-full", "16"), Nodes.At("3", "fuller", "16"));
        var usage = Usages.Of(
            ("near", new(Amounts.Of("13", "13Gi"), 13)), ("half-full", new(Amounts.Of("8", "8Gi"), 8)), ("fuller", new(Amounts.Of("13", "8Gi"), 13)));

        Assert.Equal([100, 1, 1], view.Decide(Pod, Older, usage: usage).Preferred.Select(p => p.Weight));
        Assert.Equal([100, 6, 1], view.Decide(Pod, Adaptive, usage: usage).Preferred.Select(p => p.Weight));
    }

    [Fact]
    public void Where_none_is_sure_to_lose_whatever_comes_those_that_lose_now_are_better_than_none()
    {
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "second"), Nodes.At("3", "weakest"));
        var usage = Usages.Of(("near", new(Amounts.Of("2", "8Gi"), 2)), ("second", new(Amounts.Of("0", "0"), 1)), ("weakest", new(Amounts.Of("1", "4Gi"), 1)));

        AssertKept(["near", "second", "weakest"], view.Decide(Pod, Older, usage: usage));
    }

    [Fact]
    public void A_node_that_is_full_is_passed_over_and_the_next_is_the_nearest()
    {
        var view = Nodes.View(Nodes.At("1", "full"), Nodes.At("2", "next"), Nodes.At("3", "third"));

        AssertKept(["next", "third"], view.Decide(Pod, Adaptive, usage: Usages.On("full", cpu: "4")));
    }

    [Fact]
    public void Where_nothing_near_has_room_the_nodes_are_merely_preferred()
    {
        var decision = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "next"))
            .Decide(Pod, Adaptive, usage: Usages.Of(("near", new(Amounts.Of("4"), 1)), ("next", new(Amounts.Of("4"), 1))));

        AssertPreferred(["near", "next"], new Softening(SofteningCause.NoRoomNow), decision);
        Assert.Equal([CandidateRole.Chosen, CandidateRole.NextNearest], decision.Candidates.Select(c => c.Role));
        Assert.False(decision.HasRoom);
    }

    [Fact]
    public void A_pod_that_only_the_scheduler_can_judge_is_merely_steered_and_its_author_is_not_warned()
    {
        var decision = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "next")).Decide(Pod with { SchedulerOnlyConstraint = SchedulerConstraint.HostPorts }, Adaptive);

        AssertPreferred(["near", "next"], new Softening(SofteningCause.SchedulerOnlyConstraint, SchedulerConstraint.HostPorts), decision);
    }

    [Fact]
    public void A_nearest_node_without_a_host_name_of_its_own_is_merely_preferred()
    {
        var decision = Nodes.View(Nodes.At("1", "near").Without(NodeSelectorTerm.HostnameKey), Nodes.At("2", "next")).Decide(Pod, Adaptive);

        AssertPreferred(["near", "next"], new Softening(SofteningCause.NoOwnHostname, NodeName: "near"), decision);
    }

    [Fact]
    public void A_standby_without_a_host_name_of_its_own_is_left_out()
    {
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "nameless").Without(NodeSelectorTerm.HostnameKey), Nodes.At("3", "third"));

        AssertKept(["near", "third"], view.Decide(Pod, Adaptive));
    }

    [Fact]
    public void A_nearest_node_that_the_scheduler_avoids_has_no_standby_that_it_avoids_less()
    {
        var slow = new Taint("slow", "", TaintEffect.PreferNoSchedule);
        var slower = new Taint("slower", "", TaintEffect.PreferNoSchedule);
        var view = Nodes.View(Nodes.At("1", "near", taints: [slow, slower]), Nodes.At("2", "less", taints: slow), Nodes.At("3", "more", taints: [slow, slower]));

        AssertKept(["near", "more"], view.Decide(Pod, Adaptive));
        AssertKept(["near"], Nodes.View([.. view.Nodes.Where(n => n.Name != "more")]).Decide(Pod, Adaptive));
        AssertKept(["plain", "near", "less", "more"], Nodes.View([.. view.Nodes, Nodes.At("9", "plain")]).Decide(Pod, Adaptive));
    }

    static void AssertKept(string[] nodes, Decision decision)
    {
        Assert.Equal((Outcome.Placed, PlacementMode.Adaptive, nodes[0]), (decision.Outcome, decision.Mode, decision.Chosen?.Name));
        Assert.False(decision.Required?.IsByName);
        Assert.Equal(nodes, decision.Required!.Names);
        Assert.Empty(decision.Warnings);
    }

    static void AssertPreferred(string[] nodes, Softening why, Decision decision)
    {
        Assert.Equal((PlacementMode.Preferred, why), (decision.Mode, decision.Softened));
        Assert.Null(decision.Required);
        Assert.Equal(nodes, decision.Preferred.Select(p => Assert.Single(p.Preference.MatchExpressions.Concat(p.Preference.MatchFields)).Values[0]));
        Assert.Empty(decision.Warnings);
    }
}
