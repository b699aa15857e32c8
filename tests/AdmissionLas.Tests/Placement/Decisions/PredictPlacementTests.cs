namespace AdmissionLas.Tests.Placement;

/// <summary>Cases of predict steps; what holds of all of them, such as the order of the nodes, is in <see cref="PlacementProperties"/>.</summary>
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
            Assert.Empty(decision.Warnings);
        }
    }

    [Fact]
    public void Of_very_many_nodes_at_the_same_latency_the_largest_are_compared()
    {
        var view = Nodes.View([.. Enumerable.Range(0, 1000).Select(i => Nodes.At("1", $"n{i:000}", cpu: i == 999 ? "64" : "4")), Nodes.At("2", "far")]);

        Assert.Equal("n999", view.Decide(Pods.Predict(), Preferred).Chosen!.Name);
        Assert.Equal("n000", view.Decide(Pods.Predict(), Preferred, usage: Usages.On("n999", cpu: "61")).Chosen!.Name);
    }

    // As Kueue's flavours do: which value will be asked for is not known yet.
    [Fact]
    public void For_a_gated_pod_the_nearest_node_of_each_further_kind_is_named_too()
    {
        var view = new ClusterView(Enumerable.Range(1, 40).Select(i => Nodes.At($"{i}", $"n{i:00}").Labelled("pool", i < 20 ? "edge" : i < 30 ? "cloud" : "spot").Labelled("serial", $"{i}")));

        var gated = view.Decide(Pods.Predict() with { IsGated = true });

        AssertNamed([.. Enumerable.Range(1, 8).Select(i => $"n{i:00}"), "n20", "n30"], gated);
        Assert.Equal(8, view.Decide(Pods.Predict(), Preferred).Preferred.Count);
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
    public void Required_mode_pins_to_the_nodes_that_are_near()
    {
        var view = Nodes.View(Nodes.At("10", "a"), Nodes.At("20", "twice-as-far"), Nodes.At("20.1", "beyond"));

        AssertPinned(["a", "twice-as-far"], view.Decide(Pods.Predict(), Required));
        AssertNamed(["a", "twice-as-far", "beyond"], view.Decide(Pods.Predict(), Required));
        AssertPinned(["a"], view.Decide(Pods.Predict(), Required with { NearFactor = 1, NearSlackMs = 0 }));
        AssertPinned(["a", "twice-as-far", "beyond"], view.Decide(Pods.Predict(), Required with { NearFactor = 3 }));
    }

    [Fact]
    public void Below_the_slack_no_user_feels_a_difference()
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

        AssertNamed(["near"], decision);
        AssertSoftened(new Softening(SofteningCause.SchedulerOnlyConstraint, SchedulerConstraint.HostPorts), decision);
    }

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

            Assert.Equal("near", decision.Chosen?.Name);
            Assert.Equal(["near"], Assert.Single(decision.Preferred[0].Preference.MatchFields).Values);
            AssertSoftened(new Softening(SofteningCause.NoOwnHostname, NodeName: "near"), decision);
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
    public void A_pod_without_a_location_is_left_to_the_scheduler() =>
        AssertUnplaced(Outcome.NoLocation, new LocationMissing(Testbed.View.Locations), Testbed.View.Decide(Pods.Predict(null)));

    [Theory]
    [InlineData("HOME-EGDE", true, "HOME-EDGE")]
    [InlineData("MARS-BASE", true, null)]
    [InlineData("HOME EDGE", false, "HOME-EDGE")]
    public void A_pod_for_an_unknown_location_is_left_to_the_scheduler_with_the_closest_known_one(string location, bool isValidName, string? closest)
    {
        var reason = new LocationUnknown(location, isValidName, closest, Testbed.View.Locations);

        AssertUnplaced(Outcome.UnknownLocation, reason, Testbed.View.Decide(Pods.Predict(location)));
    }

    [Fact]
    public void Where_no_node_has_any_latency_no_location_is_known()
    {
        foreach (var view in (ClusterView[])[ClusterView.Empty, Nodes.View(Nodes.Named("n"))])
        {
            Assert.Empty(view.Locations);
            AssertUnplaced(Outcome.UnknownLocation, new LocationUnknown("HOME", IsValidName: true, null, view.Locations), view.Decide(Pods.Predict("HOME")));
        }
    }

    [Fact]
    public void Where_no_measured_node_can_run_the_pod_each_says_why_not()
    {
        var view = Nodes.View(
            Nodes.At("1", "a"), Nodes.At("2", "b"), Nodes.At("3", "c") with { IsReady = false }, Nodes.At("4", "d") with { IsCordoned = true },
            Nodes.At("5", "e", taints: new Taint("x", "", TaintEffect.NoExecute)), Nodes.Named("unmeasured", cpu: "64"));

        var decision = view.Decide(Pods.Predict("here", Pods.Container(cpu: "5")));

        var reason = Assert.IsType<NoNodeFits>(decision.Reason);
        AssertUnplaced(Outcome.NoCandidate, reason, decision);
        Assert.Equal("here", reason.Location);
        Assert.Equal([FilterResult.Cpu, FilterResult.Cpu, FilterResult.NotReady, FilterResult.Cordoned, FilterResult.Tainted], reason.Results);
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
        Assert.False(decision.Required?.IsByName);
        Assert.Equal(hostnames, decision.Required!.Names);
    }

    static void AssertSoftened(Softening softening, Decision decision)
    {
        Assert.Equal((Outcome.Placed, PlacementMode.Preferred, softening), (decision.Outcome, decision.Mode, decision.Softened));
        Assert.Null(decision.Required);
        Assert.Equal([new RequiredSoftened(softening)], decision.Warnings);
    }

    static void AssertUnplaced(Outcome outcome, Reason reason, Decision decision)
    {
        Assert.Equal((outcome, reason), (decision.Outcome, decision.Reason));
        Assert.Null(decision.Chosen);
        Assert.Null(decision.Required);
        Assert.Empty(decision.Preferred);
        Assert.Equal([new NotPlaced(reason)], decision.Warnings);
    }
}
