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

    static PodFacts Within(string bound) => Step.Annotated("admissionlas.io/max-latency", bound);
}
