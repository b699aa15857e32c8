namespace AdmissionLas.Tests.Placement;

/// <summary>Replicas: the nearest node wins although the scheduler spreads them, unless somebody wants them spread.</summary>
public sealed class SpreadTests
{
    static readonly ClusterView View = Nodes.View(Nodes.At("10", "a"), Nodes.At("12", "b", "64"), Nodes.At("19", "c"), Nodes.At("50", "far"));

    static readonly PodFacts Step = Pods.Predict("here", Pods.Container(cpu: "1"));

    static readonly PlacementPolicy Near = new() { Spread = SpreadMode.Near };

    [Theory]
    [InlineData(PlacementMode.Adaptive)]
    [InlineData(PlacementMode.Preferred)]
    public void The_schedulers_own_spreading_is_put_out_of_force(PlacementMode mode) =>
        Assert.True(View.Decide(Step, new PlacementPolicy { Mode = mode }).NeutralizesSpread);

    [Fact]
    public void Where_only_one_node_is_left_there_is_nothing_to_spread_over() =>
        Assert.False(View.Decide(Step, new PlacementPolicy { Mode = PlacementMode.Required, NearFactor = 1, NearSlackMs = 0 }).NeutralizesSpread);

    [Fact]
    public void What_the_author_says_of_spreading_stays()
    {
        var decision = View.Decide(Step with { HasSpreadConstraints = true, SoftConstraint = SchedulerConstraint.TopologySpreadConstraints });

        Assert.Equal((false, SchedulerConstraint.TopologySpreadConstraints), (decision.NeutralizesSpread, decision.YieldsTo));
    }

    [Fact]
    public void What_another_scheduler_does_is_its_own_business() => Assert.False(View.Decide(Step with { HasOtherScheduler = true }).NeutralizesSpread);

    [Fact]
    public void Soft_anti_affinity_of_the_author_may_outweigh_us_and_the_decision_says_so()
    {
        var pod = Step with { SoftConstraint = SchedulerConstraint.PodAntiAffinity };

        Assert.Equal(SchedulerConstraint.PodAntiAffinity, View.Decide(pod).YieldsTo);
        Assert.Null(View.Decide(pod, new PlacementPolicy { Mode = PlacementMode.Required, NearFactor = 1, NearSlackMs = 0 }).YieldsTo);
    }

    [Fact]
    public void Near_lets_the_scheduler_choose_among_the_near_nodes_and_no_others()
    {
        var decision = View.Decide(Step, Near);

        Assert.Equal(["a", "b", "c"], decision.Required!.Names.Order());
        Assert.Empty(decision.Preferred);
        Assert.False(decision.NeutralizesSpread);
        // Where it counts: the emptiest, which the scheduler will pick.
        Assert.Equal(("b", 12), (decision.Chosen!.Name, decision.LatencyMs));
        Assert.Equal(
            [("b", CandidateRole.Chosen), ("a", CandidateRole.Near), ("c", CandidateRole.Near)], decision.Candidates.Select(c => (c.Node.Name, c.Role)));
    }

    [Fact]
    public void Near_with_one_near_node_is_nearest()
    {
        var view = Nodes.View(Nodes.At("1", "a"), Nodes.At("50", "far"));

        AssertSame(view.Decide(Step), view.Decide(Step, Near));
    }

    [Fact]
    public void Near_where_all_are_full_prefers_them_in_order()
    {
        var full = new NodeUsage(Amounts.Of("64", "64Gi"), 1);
        var usage = Usages.Of(("a", full), ("b", full), ("c", full), ("far", full));

        AssertSame(View.Decide(Step, usage: usage), View.Decide(Step, Near, usage: usage));
    }

    [Theory]
    [InlineData("near", true)]
    [InlineData("Near", true)]
    [InlineData("nearest", false)]
    public void The_author_may_choose(string word, bool spreads) =>
        Assert.Equal(spreads, View.Decide(Step.Annotated("admissionlas.io/spread", word), spreads ? null : Near).Candidates[1].Role == CandidateRole.Near);

    [Fact]
    public void An_unknown_word_is_warned_of_and_the_policy_holds()
    {
        var decision = View.Decide(Step.Annotated("admissionlas.io/spread", "everywhere"), Near);

        Assert.Equal([new UnknownSpread("everywhere", SpreadMode.Near)], decision.Warnings);
        Assert.Equal(CandidateRole.Near, decision.Candidates[1].Role);
    }

    static void AssertSame(Decision expected, Decision actual)
    {
        Assert.Equal(expected.Candidates, actual.Candidates);
        Assert.Equal(expected.Preferred.Select(p => p.Weight), actual.Preferred.Select(p => p.Weight));
        Assert.Equal((expected.Required?.Names ?? []).AsEnumerable(), actual.Required?.Names ?? []);
        Assert.Equal((expected.NeutralizesSpread, expected.Mode), (actual.NeutralizesSpread, actual.Mode));
    }
}
