namespace AdmissionLas.Tests.Placement;

/// <summary>How far a step may run from its location.</summary>
public sealed class MaxLatencyTests
{
    static readonly ClusterView View = Nodes.View(Nodes.At("10", "a"), Nodes.At("15", "b"), Nodes.At("40", "c"));

    static readonly PodFacts Step = Pods.Predict("here", Pods.Container(cpu: "1"));

    static readonly PlacementPolicy Required = new() { Mode = PlacementMode.Required };

    static readonly NodeUsage Full = new(Amounts.Of("4", "4Gi"), 3);

    [Theory]
    [InlineData("20ms")]
    [InlineData("10")]
    [InlineData("1s")]
    public void Within_the_bound_nothing_changes(string bound)
    {
        var decision = View.Decide(Within(bound));

        Assert.Equal(("a", PlacementMode.Adaptive), (decision.Chosen!.Name, decision.Mode));
        Assert.Empty(decision.Warnings);
    }

    [Fact]
    public void Beyond_the_bound_the_author_is_warned_and_the_pod_runs_on_the_nearest_anyway()
    {
        var decision = View.Decide(Within("20ms"), usage: Usages.Of(("a", Full), ("b", Full)));

        Assert.Equal("c", decision.Chosen!.Name);
        Assert.Equal([new BeyondMaxLatency(40, 20)], decision.Warnings);
    }

    [Fact]
    public void Required_names_every_node_within_the_bound_and_no_farther_one() =>
        Assert.Equal(["a", "b"], View.Decide(Within("16ms"), Required with { NearFactor = 10 }).Required!.Names);

    [Fact]
    public void Required_waits_for_a_node_within_the_bound()
    {
        var decision = View.Decide(Within("20ms"), Required, usage: Usages.Of(("a", Full), ("b", Full)));

        Assert.Equal((false, "a"), (decision.HasRoom, decision.Chosen!.Name));
        Assert.Equal(["a", "b"], decision.Required!.Names);
        Assert.Empty(decision.Warnings);
    }

    [Fact]
    public void Where_no_node_within_the_bound_could_ever_run_it_required_gives_way()
    {
        var decision = View.Decide(Within("5ms"), Required);

        Assert.Equal(("a", SofteningCause.BeyondMaxLatency), (decision.Chosen!.Name, decision.Softened!.Cause));
        Assert.Null(decision.Required);
        Assert.Equal([new BeyondMaxLatency(10, 5)], decision.Warnings);
    }

    [Fact]
    public void Replicas_spread_within_the_bound() =>
        Assert.Equal(["a", "b", "c"], View.Decide(Within("50ms"), new PlacementPolicy { Spread = SpreadMode.Near }).Required!.Names.Order());

    [Theory]
    [InlineData("kubeflow", true)]
    [InlineData("other", false)]
    public void A_namespace_may_have_a_bound_of_its_own(string @namespace, bool isWarned)
    {
        var policy = new PlacementPolicy { MaxLatenciesMs = new Dictionary<string, double> { ["kubeflow"] = 5 } };

        Assert.Equal(isWarned, View.Decide(Step with { Namespace = @namespace }, policy).Warnings.Count > 0);
        Assert.Empty(View.Decide(Within("10ms") with { Namespace = @namespace }, policy).Warnings);
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("-1ms")]
    [InlineData("")]
    public void What_is_no_latency_is_warned_of_and_ignored(string bound)
    {
        var decision = View.Decide(Within(bound));

        Assert.Equal([new UnreadableMaxLatency(bound)], decision.Warnings);
        Assert.Equal("a", decision.Chosen!.Name);
    }

    // TaintToleration counts three times, NodeAffinity twice (https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins).
    [Theory]
    [InlineData("adaptive", "near-1")]
    [InlineData("required", "near-1")]
    [InlineData("preferred", "near-2")]
    public void A_node_within_the_bound_that_the_scheduler_avoids_is_chosen_where_a_requirement_may_take_the_pod_there(string mode, string node)
    {
        var (decision, winners) = Schedule(PodWithin("5ms", mode), Avoided("1", "near-1"), Nodes.At("10", "near-2", "64"));

        Assert.Equal((node, true), (decision.Chosen!.Name, decision.HasRoom));
        Assert.Equal([node], winners);
        Assert.Equal(mode == "preferred" ? [new BeyondMaxLatency(10, 5, AvoidedMs: 1)] : (Notice[])[], decision.Warnings);
    }

    [Theory]
    [InlineData("adaptive")]
    [InlineData("required")]
    public void Where_no_requirement_is_possible_the_avoided_node_comes_last_and_the_author_reads_why(string mode)
    {
        var pod = PodWithin("5ms", mode, """{ "containers": [ { "name": "main", "image": "step", "ports": [ { "containerPort": 80, "hostPort": 80 } ] } ] }""");

        var (decision, winners) = Schedule(pod, Avoided("1", "near-1"), Nodes.At("10", "near-2"));

        Assert.Equal(("near-2", PlacementMode.Preferred), (decision.Chosen!.Name, decision.Mode));
        Assert.Equal(["near-2"], winners);
        Assert.Contains(new BeyondMaxLatency(10, 5, AvoidedMs: 1), decision.Warnings);
        Assert.Equal(new Softening(SofteningCause.SchedulerOnlyConstraint, SchedulerConstraint.HostPorts), decision.Softened);
    }

    [Fact]
    public void A_standby_of_an_avoided_node_within_the_bound_is_avoided_as_much()
    {
        var (decision, winners) = Schedule(PodWithin("5ms", "adaptive"), Avoided("1", "near-1"), Avoided("2", "near-2"), Nodes.At("10", "far-1"), Avoided("20", "far-2"));

        Assert.Equal(["near-1", "near-2", "far-2"], decision.Required!.Names);
        Assert.Equal(["near-1"], winners);
    }

    [Fact]
    public void A_pod_that_may_evict_others_is_not_tied_to_one_avoided_node()
    {
        var pod = PodWithin("5ms", "adaptive", """{ "priority": 100, "containers": [ { "name": "main", "image": "step", "resources": { "requests": { "cpu": "1" } } } ] }""");

        var (decision, winners) = Schedule(pod, Avoided("1", "near-1"), Nodes.At("10", "near-2", "64"));

        Assert.Equal("near-2", decision.Chosen!.Name);
        Assert.Equal(["near-2"], winners);
        Assert.Equal([new BeyondMaxLatency(10, 5, AvoidedMs: 1)], decision.Warnings);
    }

    [Fact]
    public void Required_names_the_avoided_nodes_within_the_bound_too() =>
        Assert.Equal(["b", "a"], Nodes.View(Avoided("1", "a"), Nodes.At("3", "b"), Nodes.At("10", "c")).Decide(Within("5ms"), Required with { NamedNodes = 2 }).Required!.Names);

    [Fact]
    public void Required_waits_for_an_avoided_node_within_the_bound_only_while_that_is_full()
    {
        var view = Nodes.View(Avoided("1", "a"), Nodes.At("10", "b"));

        Assert.True(view.Decide(Within("5ms"), Required).HasRoom);
        Assert.False(view.Decide(Within("5ms"), Required, usage: Usages.Of(("a", Full))).HasRoom);
    }

    // Without room now nothing speaks for waiting: the pod goes to the nearest that has some.
    [Fact]
    public void A_full_avoided_node_within_the_bound_is_no_reason_to_wait_in_adaptive_mode()
    {
        var decision = Nodes.View(Avoided("1", "a"), Nodes.At("10", "b")).Decide(Within("5ms"), usage: Usages.Of(("a", Full)));

        Assert.Equal(("b", true), (decision.Chosen!.Name, decision.HasRoom));
        Assert.Equal([new BeyondMaxLatency(10, 5)], decision.Warnings);
    }

    [Fact]
    public void An_avoided_node_beyond_the_bound_is_spoken_of_too() => Assert.Equal(
        [new BeyondMaxLatency(40, 5, AvoidedMs: 20)],
        Nodes.View(Avoided("20", "a"), Nodes.At("40", "b")).Decide(Within("5ms")).Warnings);

    [Fact]
    public void Replicas_that_spread_go_to_avoided_nodes_last()
    {
        var decision = Nodes.View(Avoided("10", "a"), Nodes.At("11", "b", "2")).Decide(Step, new PlacementPolicy { Spread = SpreadMode.Near });

        Assert.Equal(("b", CandidateRole.Near), (decision.Chosen!.Name, decision.Candidates[1].Role));
    }

    [Fact]
    public void Where_required_gives_way_because_the_nodes_within_the_bound_are_full_the_nearest_with_room_are_named()
    {
        var decision = View.Decide(Within("20ms") with { Priority = 1 }, Required, usage: Usages.Of(("a", Full), ("b", Full)));

        Assert.Equal(("c", true, SofteningCause.CanPreempt), (decision.Chosen!.Name, decision.HasRoom, decision.Softened!.Cause));
        Assert.Equal([new BeyondMaxLatency(40, 20), new RequiredSoftened(new(SofteningCause.CanPreempt))], decision.Warnings);
    }

    static NodeFacts Avoided(string latency, string name) => Nodes.At(latency, name, taints: new Taint("slow", "", TaintEffect.PreferNoSchedule));

    static JsonObject PodWithin(string bound, string mode, string spec = Pods.OneContainer) =>
        Pods.PredictJson("here", spec, $$"""{ "admissionlas.io/max-latency": "{{bound}}", "admissionlas.io/placement": "{{mode}}" }""");

    /// <summary>The decision, and the nodes that get most points by the scheduler's documents.</summary>
    static (Decision Decision, string[] Winners) Schedule(JsonObject pod, params NodeFacts[] nodes)
    {
        var reviewed = WebhookCall.Review(pod, Nodes.View(nodes));
        var able = nodes.Where(n => DefaultScheduler.CanRun(reviewed.Pod, n)).ToArray();
        var points = DefaultScheduler.AllPoints(reviewed.Pod, able, nodes, ClusterUsage.Unknown, SchedulerRelease.V36);
        return (reviewed.Decision!, [.. able.Zip(points).Where(n => n.Second == points.Max()).Select(n => n.First.Name)]);
    }

    static PodFacts Within(string bound) => Step.Annotated("admissionlas.io/max-latency", bound);
}
