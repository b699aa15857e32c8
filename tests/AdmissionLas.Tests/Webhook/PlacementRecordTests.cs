namespace AdmissionLas.Tests.Webhook;

/// <summary>The annotation in which programs read what the webhook added to a pod.</summary>
public sealed class PlacementRecordTests
{
    static readonly ClusterView View = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "next"));

    [Fact]
    public void A_predict_pod_carries_what_was_required_and_preferred()
    {
        var record = Written(Pods.PredictJson());

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""
            {
              "version": 1, "type": "Predict", "outcome": "Placed", "mode": "Adaptive", "node": "near", "location": "here",
              "required": ["near", "next"], "preferred": { "near": 100, "next": 6 }, "neutralSpread": true
            }
            """), record), record.ToJsonString());
    }

    [Fact]
    public void A_training_pod_carries_its_requests_by_container_and_terms_that_name_no_host_in_full()
    {
        var cloud = Nodes.View(Nodes.Named("cloud", "16", "64Gi", labels: [("admissionlas.io/tier", "cloud")]), Nodes.Named("edge"));

        var record = Written(Pods.TrainingJson(), cloud);

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""
            {
              "version": 1, "type": "Training", "outcome": "Placed", "mode": "Adaptive", "node": "cloud",
              "preferredTerms": [ { "weight": 100, "preference": { "matchExpressions": [ { "key": "admissionlas.io/tier", "operator": "In", "values": ["cloud"] } ] } } ],
              "requests": { "main": { "cpu": "2", "memory": "4Gi" } }
            }
            """), record), record.ToJsonString());
    }

    [Fact]
    public void A_step_that_is_left_to_the_scheduler_says_so_and_names_no_node()
    {
        var record = PlacementRecord.TryRead(Written(Pods.PredictJson("nowhere")).ToJsonString())!;

        Assert.Equal((false, "UnknownLocation", null), (record.IsPlaced, record.Outcome, record.NodeName));
        Assert.Empty(record.Preferred);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("7")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"version":2,"type":"Predict","outcome":"Placed","mode":"Adaptive"}""")]
    [InlineData("""{"version":"1","type":"Predict","outcome":"Placed","mode":"Adaptive"}""")]
    [InlineData("""{"version":1,"type":7,"outcome":"Placed","mode":"Adaptive"}""")]
    [InlineData("""{"version":1,"version":1,"type":"Predict","outcome":"Placed","mode":"Adaptive"}""")]
    public void What_is_no_record_of_this_version_is_not_read(string? text) => Assert.Null(PlacementRecord.TryRead(text));

    [Theory]
    [InlineData("""{"version":1,"type":"\ud800","outcome":"Placed","mode":"Adaptive"}""")]
    [InlineData("""{"version":1,"type":"Predict","outcome":"Placed","mode":"Adaptive","\ud800":1}""")]
    [InlineData("""{"version":1,"type":"Predict","outcome":"Placed","mode":"Adaptive","requests":{"c":{"cpu":"\ud800"}}}""")]
    public void A_record_with_an_escape_is_not_ours_whose_names_have_none(string text) => Assert.Null(PlacementRecord.TryRead(text));

    [Theory]
    [InlineData("\"preferred\":{", "\"{0}\":1", "}")]
    [InlineData("\"preferredTerms\":[", "{{}}", "]")]
    [InlineData("\"required\":[", "\"{0}\"", "]")]
    public void A_record_of_more_nodes_than_a_patch_may_name_is_not_ours(string start, string item, string end)
    {
        Assert.NotNull(PlacementRecord.TryRead(Naming(PlacementPolicy.NamedNodesLimit)));
        Assert.Null(PlacementRecord.TryRead(Naming(PlacementPolicy.NamedNodesLimit + 1)));

        string Naming(int count) => """{"version":1,"type":"Predict","outcome":"Placed","mode":"Adaptive",""" + start +
            string.Join(',', Enumerable.Range(0, count).Select(i => string.Format(CultureInfo.InvariantCulture, item, i))) + end + "}";
    }

    [Fact]
    public void A_record_longer_than_any_of_ours_is_not_read() =>
        Assert.Null(PlacementRecord.TryRead($$"""{"version":1,"type":"Predict","outcome":"Placed","mode":"Adaptive","node":"{{new string('n', 64 << 10)}}"}"""));

    [Theory]
    [InlineData("""{"version":1,"type":"Predict","outcome":"Placed","mode":"Adaptive","node":[],"location":{},"required":7,"preferred":[1],"preferredTerms":{"a":1},"requests":[]}""")]
    [InlineData("""{"version":1,"type":"Predict","outcome":"Placed","mode":"Adaptive","required":[7,null,{}],"preferred":{"a":"x","b":1.5,"c":null},"preferredTerms":[1,null]}""")]
    public void A_member_of_a_wrong_type_counts_as_absent(string text)
    {
        var record = PlacementRecord.TryRead(text)!;

        Assert.Equal((null, null), (record.NodeName, record.Location));
        Assert.Empty(record.Required);
        Assert.Empty(record.Preferred);
        Assert.Empty(record.Requests);
    }

    [Fact]
    public void A_pod_with_more_containers_than_any_node_runs_gets_a_record_of_bounded_length()
    {
        var containers = string.Join(", ", Enumerable.Range(0, 900).Select(i => $$"""{ "name": "{{new string('c', 55)}}-{{i}}" }"""));

        var record = Written(Pods.TrainingJson(spec: $$"""{ "containers": [ {{containers}} ] }"""), Nodes.View(Nodes.Named("huge", "4000", "8000Gi")));

        Assert.InRange(record.ToJsonString().Length, 1, 64 * 1024);
    }

    [Fact]
    public void A_second_call_for_a_pod_is_known_by_its_record_and_changes_nothing()
    {
        var usageCache = Usages.UsageCache();
        var first = WebhookCall.Review(Pods.PredictJson(), View, usageCache);

        var (second, response) = WebhookCall.Send(Encoding.UTF8.GetBytes(SampleReview.Of(first.Pod, "again").ToJsonString()), View, CompiledSettings.Default, usageCache);

        Assert.Equal((Outcome.AlreadyDecided, "near"), (second.Decision!.Outcome, second.Decision.Chosen!.Name));
        Assert.False(response.ContainsKey("patch"));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    [InlineData("\"{\"")]
    [InlineData("\"{\\\"version\\\":2}\"")]
    public void A_pod_with_an_unreadable_record_alone_has_not_been_decided_on(string record)
    {
        var pod = Pods.PredictJson(annotations: $$"""{ "admissionlas.io/record": {{record}} }""");

        Assert.Equal(Outcome.Placed, WebhookCall.Review(pod, View).Decision!.Outcome);
    }

    [Fact]
    public void A_sentence_without_a_record_is_no_decision_and_gives_way_to_one()
    {
        var reviewed = WebhookCall.Review(Pods.PredictJson(annotations: """{ "admissionlas.io/decision": "predict at elsewhere: far" }"""), View);

        Assert.Equal((Outcome.Placed, "near"), (reviewed.Decision!.Outcome, reviewed.Decision.Chosen!.Name));
        Assert.StartsWith("predict at here: near", reviewed.Pod["metadata"]!["annotations"]![PodHints.DecisionKey]!.GetValue<string>(), StringComparison.Ordinal);
    }

    static JsonObject Written(JsonObject pod, ClusterView? view = null) =>
        JsonNode.Parse(WebhookCall.Review(pod, view ?? View).Pod["metadata"]!["annotations"]![PodHints.RecordKey]!.GetValue<string>())!.AsObject();
}
