namespace AdmissionLas.Tests.Placement;

/// <summary>
/// What the preferred node affinity of the pod's author does beside ours: the scheduler adds the weights of all terms up
/// (https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity-weight).
/// </summary>
public sealed class OwnPreferencesTests
{
    static readonly NodeFacts[] Three =
    [
        Nodes.At("1", "near").Labelled("tier", "edge"), Nodes.At("10", "far-1").Labelled("tier", "edge"), Nodes.At("20", "far-2").Labelled("tier", "cloud"),
    ];

    [Fact]
    public void Where_a_preference_competes_with_ours_the_decision_says_that_it_may_win()
    {
        var (decision, winner) = Schedule(Preferring("cloud", 100, HostPort));

        Assert.Equal(("near", "far-2"), (decision.Chosen!.Name, winner));
        Assert.Equal(SchedulerConstraint.NodeAffinity, decision.YieldsTo);
    }

    [Theory]
    // It speaks for the chosen node, for a node that the pod may not run on, for none, or weighs nothing.
    [InlineData("edge", 100)]
    [InlineData("closed", 100)]
    [InlineData("gone", 100)]
    public void What_speaks_for_no_other_node_that_could_run_the_pod_is_not_spoken_of(string tier, int weight)
    {
        NodeFacts[] nodes = [.. Three, Nodes.At("5", "closed", taints: new Taint("dedicated", "", TaintEffect.NoSchedule)).Labelled("tier", "closed")];

        Assert.Null(Schedule(Preferring(tier, weight, HostPort), nodes).Decision.YieldsTo);
    }

    [Fact]
    public void Inside_the_nodes_of_a_pin_a_preference_may_decide_and_outside_them_it_cannot()
    {
        var pinned = Nodes.At("1.5", "near-2").Labelled("tier", "lab");
        NodeFacts[] nodes = [.. Three, pinned];

        Assert.Equal(SchedulerConstraint.NodeAffinity, Schedule(Preferring("lab", 100, mode: "required"), nodes).Decision.YieldsTo);
        Assert.Null(Schedule(Preferring("cloud", 100, mode: "required"), nodes).Decision.YieldsTo);
        Assert.Null(Schedule(Preferring("lab", 100, mode: "required"), Three).Decision.YieldsTo);
    }

    // The node may be cordoned before the pod is scheduled: without us it would then run on another.
    [Fact]
    public void A_pod_whose_own_preference_leaves_no_standby_is_merely_preferred_and_runs_when_the_nearest_is_cordoned()
    {
        NodeFacts[] two = [Three[0], Three[2]];
        var reviewed = WebhookCall.Review(Preferring("cloud", 100), Nodes.View(two));

        Assert.Equal((PlacementMode.Preferred, SofteningCause.OwnPreferences), (reviewed.Decision!.Mode, reviewed.Decision.Softened?.Cause));
        Assert.Equal(SchedulerConstraint.NodeAffinity, reviewed.Decision.YieldsTo);
        Assert.Empty(reviewed.Decision.Warnings);
        Assert.Contains(two, n => DefaultScheduler.CanRun(reviewed.Pod, n with { IsCordoned = n.Name == "near" }));
    }

    [Fact]
    public void A_node_that_the_author_prefers_is_no_standby_and_the_nearest_wins_among_those_that_are()
    {
        var (decision, winner) = Schedule(Preferring("cloud", 100));

        Assert.Equal(["near", "far-1"], decision.Required!.Names);
        Assert.Equal("near", winner);
        Assert.Null(decision.YieldsTo);
    }

    [Theory]
    [InlineData("edge", 100)]
    [InlineData("cloud", 20)]
    public void What_speaks_for_the_nearest_or_is_too_light_to_overtake_it_takes_no_standby_away(string tier, int weight)
    {
        var (decision, winner) = Schedule(Preferring(tier, weight));

        Assert.Equal(["near", "far-1", "far-2"], decision.Required!.Names);
        Assert.Equal("near", winner);
        Assert.Null(decision.YieldsTo);
    }

    [Fact]
    public void Without_a_preference_a_nearest_node_that_all_would_beat_is_kept_to_as_before() => Assert.Null(Schedule(Pods.PredictJson()).Decision.Softened);

    // Too many to be compared: anything may be preferred.
    [Fact]
    public void Endless_preferences_count_as_speaking_for_every_other_node()
    {
        var pod = Pods.PredictJson().With(p => p["spec"]!["affinity"] = new JsonObject
        {
            ["nodeAffinity"] = new JsonObject { ["preferredDuringSchedulingIgnoredDuringExecution"] = new JsonArray([.. Enumerable.Range(0, 3000).Select(_ => Term("edge", 100))]) },
        });

        var decision = Schedule(pod).Decision;

        Assert.Equal((PlacementMode.Preferred, SofteningCause.OwnPreferences), (decision.Mode, decision.Softened?.Cause));
        Assert.Equal(SchedulerConstraint.NodeAffinity, decision.YieldsTo);
    }

    const string HostPort = """{ "containers": [ { "name": "main", "image": "step", "ports": [ { "containerPort": 80, "hostPort": 80 } ] } ] }""";

    static JsonObject Preferring(string tier, int weight, string spec = Pods.OneContainer, string mode = "adaptive") =>
        Pods.PredictJson("here", spec, $$"""{ "admissionlas.io/placement": "{{mode}}" }""").With(p => p["spec"]!["affinity"] = new JsonObject
        {
            ["nodeAffinity"] = new JsonObject { ["preferredDuringSchedulingIgnoredDuringExecution"] = new JsonArray(Term(tier, weight)) },
        });

    static JsonObject Term(string tier, int weight) =>
        JsonNode.Parse($$"""{ "weight": {{weight}}, "preference": { "matchExpressions": [ { "key": "tier", "operator": "In", "values": ["{{tier}}"] } ] } }""")!.AsObject();

    static (Decision Decision, string Winner) Schedule(JsonObject pod, NodeFacts[]? nodes = null)
    {
        nodes ??= Three;
        var reviewed = WebhookCall.Review(pod, Nodes.View(nodes));
        var able = nodes.Where(n => DefaultScheduler.CanRun(reviewed.Pod, n)).ToArray();
        var points = DefaultScheduler.AllPoints(reviewed.Pod, able, nodes, ClusterUsage.Unknown, SchedulerRelease.V36);
        return (reviewed.Decision!, Assert.Single(able.Zip(points), n => n.Second == points.Max()).First.Name);
    }
}
