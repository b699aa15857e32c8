using System.Text.Json.Nodes;
using AdmissionLas.Explain;
using AdmissionLas.Placement;
using AdmissionLas.Tests.Support;

namespace AdmissionLas.Tests.Explain;

public sealed class LivePodTests
{
    const string Required = """{ "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [ { "matchExpressions": [ { "key": "zone", "operator": "In", "values": ["a"] } ] } ] } }""";

    [Theory]
    [InlineData(PlacementMode.Adaptive, null)]
    [InlineData(PlacementMode.Required, null)]
    [InlineData(PlacementMode.Preferred, null)]
    [InlineData(PlacementMode.Adaptive, Required)]
    [InlineData(PlacementMode.Required, Required)]
    public void What_the_webhook_added_is_taken_out_again_and_nothing_else(PlacementMode mode, string? nodeAffinity)
    {
        var written = Pods.PredictJson(spec: nodeAffinity is null
            ? """{ "containers": [ { "name": "main" } ] }"""
            : $$"""{ "containers": [ { "name": "main" } ], "affinity": { "nodeAffinity": {{nodeAffinity}} } }""");
        var view = Nodes.View(Nodes.At("1", "near").Labelled("zone", "a"), Nodes.At("2", "next").Labelled("zone", "a"));

        var reviewed = WebhookCall.Review(written, view, new PlacementPolicy { Mode = mode });
        var back = LivePod.AsReviewed(reviewed.Pod).Pod;

        Assert.Equal(mode, reviewed.Decision?.Mode);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(nodeAffinity ?? "{}"), back["spec"]!["affinity"]?["nodeAffinity"] ?? new JsonObject()), back.ToJsonString());
    }
}
