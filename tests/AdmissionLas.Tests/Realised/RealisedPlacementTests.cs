using AdmissionLas.Realised;

namespace AdmissionLas.Tests.Realised;

/// <summary>What is said of a step once it is bound: the decision on its pod beside the node where it runs.</summary>
public sealed class RealisedPlacementTests
{
    static readonly ClusterView View = Nodes.View(
        Nodes.At("1", "near"), Nodes.At("4", "standby"), Nodes.At("30", "far"), Nodes.Named("unmeasured"),
        Nodes.At("8", "renamed").Labelled(NodeSelectorTerm.HostnameKey, "other-name"));

    static string Record(string type = "Predict", string outcome = "Placed", string more = "") =>
        $$"""{ "version": 1, "type": "{{type}}", "outcome": "{{outcome}}", "mode": "Adaptive", "node": "near", "location": "here", "required": ["near", "standby"] {{more}} }""";

    [Theory]
    [InlineData("near", "AsDecided", 0.0)]
    [InlineData("standby", "Standby", 3.0)]
    [InlineData("far", "Elsewhere", 29.0)]
    public void A_prediction_step_runs_as_decided_on_a_standby_or_elsewhere_and_so_much_further_away(string node, string result, double regretMs) =>
        Assert.Equal((result, regretMs), (Of(Record(), node).Result.ToString(), Of(Record(), node).RegretMs));

    [Theory]
    [InlineData("unmeasured")]
    [InlineData("gone")]
    public void A_node_without_a_latency_is_somewhere_but_not_so_much_further(string node) =>
        Assert.Equal((PlacementResult.Elsewhere, (double?)null), (Of(Record(), node).Result, Of(Record(), node).RegretMs));

    [Fact]
    public void A_node_that_is_nearer_by_now_is_no_gain() =>
        Assert.Equal(0, RealisedPlacement.Of(Read(Record()), "standby", Nodes.View(Nodes.At("9", "near"), Nodes.At("4", "standby")))!.Value.RegretMs);

    [Fact]
    public void What_is_required_are_host_names_which_are_not_always_the_names_of_nodes()
    {
        var record = Record().Replace("standby", "other-name", StringComparison.Ordinal);

        Assert.Equal(PlacementResult.Standby, Of(record, "renamed").Result);
        Assert.Equal(PlacementResult.Elsewhere, Of(Record().Replace("standby", "renamed", StringComparison.Ordinal), "renamed").Result);
    }

    [Theory]
    [InlineData(""", "preferred": { "far": 7 } """, "far", "Standby")]
    [InlineData(""", "preferred": { "far": 7 } """, "unmeasured", "Elsewhere")]
    [InlineData(""", "preferredTerms": [{ "weight": 3, "preference": { "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["far"] }] } }] """, "far", "Standby")]
    public void A_node_that_is_preferred_is_a_standby_too(string preferred, string node, string result) =>
        Assert.Equal(result, Of(Record(more: preferred), node).Result.ToString());

    [Fact]
    public void A_standby_that_is_gone_already_is_known_by_its_name() =>
        Assert.Equal(PlacementResult.Standby, RealisedPlacement.Of(Read(Record()), "standby", ClusterView.Empty)!.Value.Result);

    [Fact]
    public void A_training_step_has_no_regret_and_may_run_on_any_cloud_node()
    {
        var view = Nodes.View(Nodes.Named("big", labels: [("tier", "cloud")]), Nodes.Named("small", labels: [("tier", "cloud")]), Nodes.Named("edge"));
        var record = Read("""
            {
              "version": 1, "type": "Training", "outcome": "Placed", "mode": "Adaptive", "node": "big",
              "preferredTerms": [{ "weight": 100, "preference": { "matchExpressions": [{ "key": "tier", "operator": "In", "values": ["cloud"] }] } }]
            }
            """);

        Assert.Equal([PlacementResult.AsDecided, PlacementResult.Standby, PlacementResult.Elsewhere],
            ((string[])["big", "small", "edge"]).Select(n => RealisedPlacement.Of(record, n, view)!.Value.Result));
        Assert.Null(RealisedPlacement.Of(record, "big", view)!.Value.RegretMs);
    }

    [Theory]
    [InlineData("Predict", "NoCandidate")]
    [InlineData("AnythingElse", "Placed")]
    public void Nothing_is_said_of_what_was_not_placed_or_is_no_step_of_ours(string type, string outcome) =>
        Assert.Null(RealisedPlacement.Of(Read(Record(type, outcome)), "near", View));

    static PlacementRecord Read(string record) => PlacementRecord.TryRead(record)!;

    static RealisedPlacement Of(string record, string node) => RealisedPlacement.Of(Read(record), node, View)!.Value;
}
