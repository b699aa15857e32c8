using AdmissionLas.Explain;

namespace AdmissionLas.Tests.Explain;

/// <summary>A pod of the cluster is turned back into what its author wrote.</summary>
public sealed class LivePodTests
{
    const string Required = """{ "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [ { "matchExpressions": [ { "key": "zone", "operator": "In", "values": ["a"] } ] } ] } }""";

    [Theory]
    [InlineData(PlacementMode.Adaptive, null)]
    [InlineData(PlacementMode.Required, null)]
    [InlineData(PlacementMode.Preferred, null)]
    [InlineData(PlacementMode.Adaptive, Required)]
    [InlineData(PlacementMode.Required, Required)]
    [InlineData(PlacementMode.Adaptive, Required, true)]
    [InlineData(PlacementMode.Required, Required, true)]
    [InlineData(PlacementMode.Preferred, null, true)]
    public void What_the_webhook_added_is_taken_out_again_and_nothing_else_also_where_an_earlier_version_left_no_record(
        PlacementMode mode, string? nodeAffinity, bool isWithoutRecord = false)
    {
        var written = Pods.PredictJson();
        if (nodeAffinity is not null)
        {
            written["spec"]!["affinity"] = new JsonObject { ["nodeAffinity"] = JsonNode.Parse(nodeAffinity) };
        }

        var view = Nodes.View(Nodes.At("1", "near").Labelled("zone", "a"), Nodes.At("2", "next").Labelled("zone", "a"));
        var reviewed = WebhookCall.Review(written, view, new PlacementPolicy { Mode = mode });
        if (isWithoutRecord)
        {
            reviewed.Pod["metadata"]!["annotations"]!.AsObject().Remove(PodHints.RecordKey);
        }

        var back = LivePod.AsReviewed(reviewed.Pod).Pod;

        Assert.Equal(mode, reviewed.Decision?.Mode);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(nodeAffinity ?? "{}"), back["spec"]!["affinity"]?["nodeAffinity"] ?? new JsonObject()), back.ToJsonString());
        Assert.Empty(back["metadata"]!["annotations"]!.AsObject());
    }

    [Fact]
    public void Requests_that_the_webhook_added_are_taken_out_and_the_authors_stay()
    {
        var written = Pods.TrainingJson(spec: """{ "containers": [ { "name": "main", "resources": { "requests": { "cpu": "3" } } }, { "name": "other" } ] }""");

        var back = LivePod.AsReviewed(WebhookCall.Review(written, Nodes.View(Nodes.Named("a", "64", "256Gi"))).Pod).Pod;

        Assert.Equal("""{"requests":{"cpu":"3"}}""", back["spec"]!["containers"]![0]!["resources"]!.ToJsonString());
        Assert.Empty(back["spec"]!["containers"]![1]!["resources"]!["requests"]!.AsObject());
    }

    [Fact]
    public void A_request_in_the_form_that_the_API_server_gives_it_is_still_ours()
    {
        var written = Pods.TrainingJson(annotations: """{ "admissionlas.io/request-cpu": "0.5", "admissionlas.io/request-memory": "5000000000" }""");
        var pod = WebhookCall.Review(written, Nodes.View(Nodes.Named("a", "64", "256Gi"))).Pod;
        var requests = pod["spec"]!["containers"]![0]!["resources"]!["requests"]!.AsObject();
        Assert.Equal(("500m", "5000000000"), (requests["cpu"]!.ToString(), requests["memory"]!.ToString()));
        requests["memory"] = "5G";

        Assert.Empty(LivePod.AsReviewed(pod).Pod["spec"]!["containers"]![0]!["resources"]!["requests"]!.AsObject());
    }

    [Fact]
    public void What_another_program_changed_since_is_not_ours_to_take_out()
    {
        var pod = WebhookCall.Review(Pods.TrainingJson(), Nodes.View(Nodes.Named("a", "64", "256Gi"))).Pod;
        pod["spec"]!["containers"]![0]!["resources"]!["requests"]!["cpu"] = "1";

        var back = LivePod.AsReviewed(pod).Pod;

        Assert.Equal("""{"requests":{"cpu":"1"}}""", back["spec"]!["containers"]![0]!["resources"]!.ToJsonString());
    }
}
