namespace AdmissionLas.Tests.Placement;

public sealed class PredictPlacementTests
{
    static readonly PlacementPolicy Preferred = new() { Mode = PlacementMode.Preferred };

    static readonly PlacementPolicy Required = new() { Mode = PlacementMode.Required };

    [Theory]
    [InlineData("NITOS-CLOUD", "nitos-cloud-node", 0.289)]
    [InlineData("NITLAB-EDGE", "nitlab-edge-node", 0.306)]
    [InlineData("HOME-EDGE", "home-edge-node", 9.8)]
    public void On_the_testbed_predict_goes_where_the_thesis_says(string location, string node, double latencyMs)
    {
        foreach (var view in (ClusterView[])[Testbed.View, Testbed.TwoClouds])
        {
            var decision = view.Decide(Pods.Predict(location));

            Assert.Equal((Outcome.Placed, node, latencyMs), (decision.Outcome, decision.Chosen?.Name, decision.LatencyMs));
            Assert.Empty(decision.WarningTexts());
        }
    }

    [Fact]
    public void Predict_pod_goes_to_the_nearest_node_that_fits()
    {
        var view = Nodes.View(Nodes.At("1", "nearest", cpu: "1"), Nodes.At("2", "second"), Nodes.At("3", "third"));

        AssertNamed(["nearest", "second", "third"], view.Decide(Pods.Predict(), Preferred));
        AssertNamed(["second", "third"], view.Decide(Pods.Predict("here", Pods.Container(cpu: "2")), Preferred));
    }

    [Fact]
    public void A_node_that_is_full_by_now_is_passed_over()
    {
        var pod = Pods.Predict("here", Pods.Container(cpu: "2"));

        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "far"));

        AssertNamed(["far"], view.Decide(pod, Preferred, usage: Usages.On("near", cpu: "3")));
        AssertNamed(["near", "far"], view.Decide(pod, Preferred, usage: Usages.On("near", cpu: "2")));
    }

    [Fact]
    public void Where_all_are_full_by_now_the_pod_is_sent_to_the_nearest_for_when_it_has_room_again()
    {
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "far"), Nodes.At("0.1", "small", cpu: "1"));

        var decision = view.Decide(Pods.Predict("here", Pods.Container(cpu: "2")), Preferred, usage: Usages.Of(("near", new(Amounts.Of("3"), 1)), ("far", new(Amounts.Of("4"), 1))));

        AssertNamed(["near", "far"], decision);
        Assert.False(decision.ReservesCapacity);
        Assert.Contains("none of those near has room now", decision.Sentence(), StringComparison.Ordinal);
        Assert.True(view.Decide(Pods.Predict(), Preferred).ReservesCapacity);
    }

    [Fact]
    public void Of_nodes_at_the_very_same_latency_the_freest_comes_first()
    {
        var view = Nodes.View(
            Nodes.At("2", "far", cpu: "32"), Nodes.At("1", "b"), Nodes.At("1", "a"), Nodes.At("1", "big", cpu: "8"), Nodes.At("1", "big-but-busy", cpu: "16"),
            Nodes.At("1", "less-memory"), Nodes.At("0.5", "near", cpu: "1"));

        AssertNamed(
            ["near", "big", "a", "b", "less-memory", "big-but-busy", "far"],
            view.Decide(Pods.Predict(), Preferred, usage: Usages.Of(("big-but-busy", new(Amounts.Of("15"), 3)), ("less-memory", new(Amounts.Of(memory: "1Gi"), 1)))));
    }

    [Fact]
    public void Of_very_many_nodes_at_the_same_latency_the_largest_are_compared()
    {
        var view = Nodes.View([.. Enumerable.Range(0, 1000).Select(i => Nodes.At("1", $"n{i:000}", cpu: i == 999 ? "64" : "4")), Nodes.At("2", "far")]);

        Assert.Equal("n999", view.Decide(Pods.Predict(), Preferred).Chosen!.Name);
        Assert.Equal("n000", view.Decide(Pods.Predict(), Preferred, usage: Usages.On("n999", cpu: "61")).Chosen!.Name);
    }

    [Fact]
    public void Nodes_that_cannot_run_the_pod_are_not_named()
    {
        var view = Nodes.View(
            Nodes.At("1", "not-ready") with { IsReady = false },
            Nodes.At("1", "cordoned") with { IsCordoned = true },
            Nodes.At("1", "tainted", taints: new Taint("dedicated", "", TaintEffect.NoSchedule)),
            Nodes.At("1", "other-tier").Labelled("tier", "cloud"),
            Nodes.At("2", "edge").Labelled("tier", "edge"),
            Nodes.Named("unmeasured").Labelled("tier", "edge"));

        AssertNamed(["edge"], view.Decide(Pods.Predict().Selecting("tier", "edge"), Preferred));
    }

    [Fact]
    public void The_order_is_latency_then_free_capacity_then_name()
    {
        var view = Nodes.View(Nodes.At("2", "c"), Nodes.At("1", "b"), Nodes.At("1", "a"), Nodes.At("1", "z", cpu: "8"));

        var decision = view.Decide(Pods.Predict(), Preferred);

        AssertNamed(["z", "a", "b", "c"], decision);
        Assert.Equal([100, 99, 99, 12], decision.Preferred.Select(p => p.Weight));
    }

    [Fact]
    public void No_more_nodes_are_named_than_the_policy_allows()
    {
        var view = Nodes.View([.. Enumerable.Range(0, 5_000).Select(i => Nodes.At($"{i + 1}", $"n{i:0000}"))]);

        Assert.Equal(8, view.Decide(Pods.Predict(), Preferred).Preferred.Count);
        AssertNamed([.. Enumerable.Range(0, 16).Select(i => $"n{i:0000}")], view.Decide(Pods.Predict(), Preferred with { NamedNodes = PlacementPolicy.NamedNodesLimit }));
        AssertNamed(["n0000"], view.Decide(Pods.Predict(), Preferred with { NamedNodes = 1 }));
    }

    [Fact]
    public void Nodes_that_cannot_run_the_pod_do_not_use_up_the_bound()
    {
        var view = Nodes.View([.. Enumerable.Range(0, 40).Select(i => Nodes.At($"{i + 1}", $"n{i:00}", cpu: i < 30 ? "1" : "4"))]);

        AssertNamed(["n30", "n31"], view.Decide(Pods.Predict("here", Pods.Container(cpu: "2")), Preferred with { NamedNodes = 2 }));
    }

    [Fact]
    public void A_node_that_the_scheduler_avoids_comes_last_because_that_is_where_it_puts_it()
    {
        var slow = new Taint("slow", "", TaintEffect.PreferNoSchedule);
        var view = Nodes.View(Nodes.At("1", "avoided", taints: slow), Nodes.At("2", "near"), Nodes.At("3", "far"));

        var decision = view.Decide(Pods.Predict(), Preferred);

        AssertNamed(["near", "far", "avoided"], decision);
        Assert.Equal([100, 12, 5], decision.Preferred.Select(p => p.Weight));
        AssertNamed(["avoided", "near", "far"], view.Decide(Pods.Predict() with { Tolerations = [new("slow", true, "", null)] }, Preferred));
        AssertNamed(["near", "far"], view.Decide(Pods.Predict(), Preferred with { NamedNodes = 2 }));
    }

    [Fact]
    public void Among_the_avoided_nodes_the_nearer_still_comes_first()
    {
        var slow = new Taint("slow", "", TaintEffect.PreferNoSchedule);
        var view = Nodes.View(Nodes.At("9", "plain"), Nodes.At("1", "a", taints: slow), Nodes.At("2", "b", taints: slow), Nodes.At("2", "c", taints: slow));

        var decision = view.Decide(Pods.Predict(), Preferred);

        AssertNamed(["plain", "a", "b", "c"], decision);
        Assert.Equal([100, 12, 5, 5], decision.Preferred.Select(p => p.Weight));
    }

    [Fact]
    public void Preferred_mode_requires_nothing() => Assert.Null(Nodes.View(Nodes.At("1", "near")).Decide(Pods.Predict(), Preferred).Required);

    [Fact]
    public void Required_mode_pins_to_the_nodes_that_are_near()
    {
        var view = Nodes.View(Nodes.At("10", "a"), Nodes.At("20", "twice-as-far"), Nodes.At("20.1", "beyond"));

        AssertPinned(["a", "twice-as-far"], view.Decide(Pods.Predict(), Required));
        AssertNamed(["a", "twice-as-far", "beyond"], view.Decide(Pods.Predict(), Required));
        AssertPinned(["a"], view.Decide(Pods.Predict(), Required with { NearFactor = 1, NearSlackMs = 0 }));
        AssertPinned(["a", "twice-as-far", "beyond"], view.Decide(Pods.Predict(), Required with { NearFactor = 3 }));
    }

    [Fact]
    public void Below_the_slack_nobody_feels_a_difference()
    {
        var view = Nodes.View(Nodes.At("0.1", "a"), Nodes.At("1.1", "b"), Nodes.At("1.2", "c"));

        AssertPinned(["a", "b"], view.Decide(Pods.Predict(), Required));
        AssertPinned(["a"], view.Decide(Pods.Predict(), Required with { NearSlackMs = 0.5 }));
    }

    [Fact]
    public void Nodes_that_cannot_run_the_pod_are_not_in_the_near_set()
    {
        var view = Nodes.View(Nodes.At("1", "full"), Nodes.At("10", "next"), Nodes.At("40", "far"));

        AssertPinned(["next"], view.Decide(Pods.Predict("here", Pods.Container(cpu: "1")), Required, usage: Usages.On("full", cpu: "4")));
    }

    [Fact]
    public void A_pod_that_only_the_scheduler_can_judge_is_not_pinned()
    {
        var decision = Nodes.View(Nodes.At("1", "near")).Decide(Pods.Predict() with { SchedulerOnlyConstraint = SchedulerConstraint.HostPorts }, Required);

        Assert.Equal((Outcome.Placed, PlacementMode.Preferred), (decision.Outcome, decision.Mode));
        Assert.Null(decision.Required);
        AssertNamed(["near"], decision);
        Assert.Contains("softened to preferred: only the scheduler can judge the pod's host ports", Assert.Single(decision.WarningTexts()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SchedulerConstraint.PodAffinity, "pod affinity")]
    [InlineData(SchedulerConstraint.PodAntiAffinity, "pod anti-affinity")]
    [InlineData(SchedulerConstraint.HostPorts, "host ports")]
    [InlineData(SchedulerConstraint.HostNetwork, "host network")]
    [InlineData(SchedulerConstraint.PersistentVolumeClaims, "persistent volume claims")]
    [InlineData(SchedulerConstraint.TopologySpreadConstraints, "topology spread constraints")]
    [InlineData(SchedulerConstraint.ResourceClaims, "resource claims")]
    public void What_only_the_scheduler_can_judge_is_named(SchedulerConstraint constraint, string words) =>
        Assert.Contains(
            $"(only the scheduler can judge the pod's {words})",
            Nodes.View(Nodes.At("1", "near")).Decide(Pods.Predict() with { SchedulerOnlyConstraint = constraint }, new PlacementPolicy()).Sentence(),
            StringComparison.Ordinal);

    [Fact]
    public void A_nearest_node_without_a_host_name_of_its_own_is_named_by_field_and_not_pinned()
    {
        NodeFacts[][] clusters =
        [
            [Nodes.At("1", "near").Without(NodeSelectorTerm.HostnameKey), Nodes.At("1.5", "far")],
            [Nodes.At("1", "near").Labelled(NodeSelectorTerm.HostnameKey, "twin"), Nodes.At("9", "far").Labelled(NodeSelectorTerm.HostnameKey, "twin")],
        ];
        foreach (var nodes in clusters)
        {
            var decision = Nodes.View(nodes).Decide(Pods.Predict(), Required);

            Assert.Equal((PlacementMode.Preferred, "near"), (decision.Mode, decision.Chosen?.Name));
            Assert.Null(decision.Required);
            Assert.Equal(["near"], Assert.Single(decision.Preferred[0].Preference.MatchFields).Values);
            Assert.Contains("softened to preferred: node near has no kubernetes.io/hostname label of its own", Assert.Single(decision.WarningTexts()), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_node_that_cannot_be_told_by_host_name_is_left_out_of_the_pin_and_still_preferred()
    {
        var decision = Nodes.View(Nodes.At("1", "near"), Nodes.At("1.5", "nameless").Without(NodeSelectorTerm.HostnameKey)).Decide(Pods.Predict(), Required);

        AssertPinned(["near"], decision);
        AssertNamed(["near", "nameless"], decision);
    }

    [Fact]
    public void The_host_name_label_is_what_is_named()
    {
        var decision = Nodes.View(Nodes.At("1", "node-1").Labelled(NodeSelectorTerm.HostnameKey, "ip-10-0-0-1")).Decide(Pods.Predict(), Required);

        AssertPinned(["ip-10-0-0-1"], decision);
        Assert.Equal(["ip-10-0-0-1"], Assert.Single(decision.Preferred[0].Preference.MatchExpressions).Values);
    }

    [Fact]
    public void Without_a_location_the_pod_is_left_to_the_scheduler_and_the_author_told_what_to_set()
    {
        var decision = Testbed.View.Decide(Pods.Predict(null));

        AssertUnplaced(Outcome.NoLocation, decision, "nothing says where its requests come from", "set the label admissionlas.io/location");
    }

    [Fact]
    public void An_unknown_location_is_answered_with_the_closest_known_one() =>
        AssertUnplaced(Outcome.UnknownLocation, Testbed.View.Decide(Pods.Predict("HOME-EGDE")), "no node has a latency to HOME-EGDE", "did you mean HOME-EDGE?");

    [Fact]
    public void An_unknown_location_that_is_close_to_none_is_answered_with_the_known_ones() =>
        AssertUnplaced(
            Outcome.UnknownLocation, Testbed.View.Decide(Pods.Predict("MARS-BASE")),
            "no node has a latency to MARS-BASE", "known locations: HOME-EDGE, NITLAB-EDGE, NITOS-CLOUD");

    [Fact]
    public void A_location_that_is_no_label_name_is_answered_with_why()
    {
        AssertUnplaced(Outcome.UnknownLocation, Testbed.View.Decide(Pods.Predict("HOME EDGE")), "location HOME EDGE is not a valid label name");

        var decision = Testbed.View.Decide(Pods.Predict(new string('x', 10_000)));
        AssertUnplaced(Outcome.UnknownLocation, decision, "is not a valid label name", "(10000 characters)");
        Assert.InRange(decision.Sentence().Length, 1, 500);
    }

    [Fact]
    public void Where_no_node_has_any_latency_the_author_is_told_how_to_label_them()
    {
        AssertUnplaced(Outcome.UnknownLocation, ClusterView.Empty.Decide(Pods.Predict("HOME")), "no node has a latency label", "latency.admissionlas.io/HOME=<milliseconds>");
        AssertUnplaced(Outcome.UnknownLocation, Nodes.View(Nodes.Named("n")).Decide(Pods.Predict("a b")), "latency.admissionlas.io/<location>=<milliseconds>");
    }

    [Fact]
    public void Where_no_measured_node_can_run_the_pod_the_author_is_told_why_not()
    {
        var view = Nodes.View(
            Nodes.At("1", "a"), Nodes.At("2", "b"), Nodes.At("3", "c") with { IsReady = false }, Nodes.At("4", "d") with { IsCordoned = true },
            Nodes.At("5", "e", taints: new Taint("x", "", TaintEffect.NoExecute)), Nodes.Named("unmeasured", cpu: "64"));

        AssertUnplaced(
            Outcome.NoCandidate, view.Decide(Pods.Predict("here", Pods.Container(cpu: "5"))),
            "none of the 5 nodes with a latency to here can run it (2 too little cpu, 1 not ready, 1 cordoned, 1 tainted)");
        AssertUnplaced(
            Outcome.NoCandidate, Nodes.View(Nodes.At("1", "a")).Decide(Pods.Predict().Selecting("tier", "edge")),
            "none of the 1 node with a latency to here can run it (1 excluded by the pod's nodeSelector)");
    }

    [Fact]
    public void A_predict_pod_gets_no_requests() => Assert.Empty(Testbed.View.Decide(Pods.Predict("HOME-EDGE")).Requests);

    [Fact]
    public void The_explanation_names_the_first_four_and_counts_the_rest()
    {
        var view = Nodes.View([.. Enumerable.Range(1, 6).Select(i => Nodes.At($"{i}", $"n{i}"))]);

        Assert.Equal(
            "predict at here: n1 (1 ms) preferred, then n2 (2 ms), n3 (3 ms), n4 (4 ms) and 2 more; by label typeOfComponent, label OurLocation",
            view.Decide(Pods.Predict(), Preferred).Sentence());
        Assert.Equal(
            "predict at here: n1 (1 ms) required, then n2 (2 ms), n3 (3 ms), n4 (4 ms) and 2 more; pinned to n1, n2; by label typeOfComponent, label OurLocation",
            view.Decide(Pods.Predict(), Required).Sentence());
    }

    // Whatever the label is, what we write down is text that JSON can carry.
    [Fact]
    public void A_long_location_is_never_cut_inside_a_character()
    {
        var decision = Testbed.View.Decide(Pods.Predict(string.Concat(Enumerable.Repeat("😀", 100))));

        Assert.DoesNotContain(decision.Sentence().EnumerateRunes(), r => r == System.Text.Rune.ReplacementChar);
    }

    static void AssertNamed(string[] nodes, Decision decision)
    {
        Assert.Equal(Outcome.Placed, decision.Outcome);
        Assert.Equal(nodes[0], decision.Chosen?.Name);
        Assert.Equal(nodes, decision.Preferred.Select(p => Assert.Single(p.Preference.MatchExpressions.Concat(p.Preference.MatchFields)).Values[0]));
    }

    static void AssertPinned(string[] hostnames, Decision decision)
    {
        Assert.Equal((Outcome.Placed, PlacementMode.Required), (decision.Outcome, decision.Mode));
        Assert.Equal((NodeSelectorTerm.HostnameKey, SelectorOperator.In), (decision.Required?.Key, decision.Required?.Operator));
        Assert.Equal(hostnames, decision.Required!.Values);
    }

    static void AssertUnplaced(Outcome outcome, Decision decision, params string[] said)
    {
        Assert.Equal(outcome, decision.Outcome);
        Assert.Null(decision.Chosen);
        Assert.Null(decision.Required);
        Assert.Empty(decision.Preferred);
        // How the author is told is for WarningTests.
        Assert.StartsWith("this prediction step may run far from ", Assert.Single(decision.WarningTexts()), StringComparison.Ordinal);
        Assert.All(said, s => Assert.Contains(s, decision.Sentence(), StringComparison.Ordinal));
    }
}
