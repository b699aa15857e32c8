namespace AdmissionLas.Tests.Webhook;

/// <summary>Pods that carry an earlier decision: called again after another webhook, copied, or made from a template of a decided pod.</summary>
public sealed class EarlierAdditionsTests
{
    static readonly ClusterView View = new(
    [
        Nodes.Named("a", latencies: [("here", "1"), ("there", "9")]), Nodes.Named("b", latencies: [("here", "2"), ("there", "5")]),
        Nodes.Named("c", latencies: [("here", "7"), ("there", "1")]),
    ]);

    [Fact]
    public void A_copy_that_belongs_elsewhere_loses_the_old_place_and_gets_the_new_one()
    {
        var copy = WebhookCall.Review(Pods.PredictJson("here"), View).Pod;
        copy["metadata"]!["labels"]!["OurLocation"] = "there";

        var reviewed = WebhookCall.Review(copy, View);

        Assert.Equal("c", reviewed.Decision!.Chosen!.Name);
        AssertSame(WebhookCall.Review(Pods.PredictJson("there"), View).Pod, reviewed.Pod);
    }

    [Fact]
    public void A_copy_whose_author_opts_out_loses_all_that_is_ours()
    {
        var copy = WebhookCall.Review(Pods.PredictJson(annotations: """{ "mine": "kept" }"""), View).Pod;
        copy["metadata"]!["annotations"]![PodHints.PlacementKey] = "off";

        var reviewed = WebhookCall.Review(copy, View);

        Assert.Equal(Outcome.OptedOut, reviewed.Decision!.Outcome);
        Assert.Equal(["mine", PodHints.PlacementKey], reviewed.Pod["metadata"]!["annotations"]!.AsObject().Select(a => a.Key));
        Assert.Empty(reviewed.Pod["spec"]!["affinity"]!["nodeAffinity"]!.AsObject());
    }

    [Fact]
    public void Requests_of_an_earlier_decision_are_not_the_authors()
    {
        var small = Nodes.View(Nodes.Named("small", "1", "1Gi"));
        var copy = WebhookCall.Review(Pods.TrainingJson(), small).Pod;

        var reviewed = WebhookCall.Review(copy, Nodes.View(Nodes.Named("large", "16", "64Gi")));

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{ "cpu": "2", "memory": "4Gi" }"""), reviewed.Pod["spec"]!["containers"]![0]!["resources"]!["requests"]));
    }

    [Fact]
    public void What_another_webhook_or_the_author_has_added_since_stays()
    {
        var pod = WebhookCall.Review(Pods.PredictJson(spec: """
            {
              "containers": [ { "name": "main" } ],
              "affinity": { "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [ { "matchExpressions": [ { "key": "tier", "operator": "NotIn", "values": ["x"] } ] } ] },
                "preferredDuringSchedulingIgnoredDuringExecution": [ { "weight": 3, "preference": { "matchExpressions": [ { "key": "own", "operator": "Exists" } ] } } ]
              } }
            }
            """), View).Pod;
        var affinity = pod["spec"]!["affinity"]!["nodeAffinity"]!;
        affinity["requiredDuringSchedulingIgnoredDuringExecution"]!["nodeSelectorTerms"]!.AsArray().Add(
            JsonNode.Parse("""{ "matchExpressions": [ { "key": "injected", "operator": "Exists" } ] }"""));
        affinity["preferredDuringSchedulingIgnoredDuringExecution"]!.AsArray().Insert(0, JsonNode.Parse("""{ "weight": 7, "preference": { "matchExpressions": [ { "key": "injected", "operator": "Exists" } ] } }"""));
        pod["metadata"]!["annotations"]![PodHints.PlacementKey] = "off";

        var left = WebhookCall.Review(pod, View).Pod["spec"]!["affinity"]!["nodeAffinity"]!;

        AssertSame("""
            {
              "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
                { "matchExpressions": [ { "key": "tier", "operator": "NotIn", "values": ["x"] } ] }, { "matchExpressions": [ { "key": "injected", "operator": "Exists" } ] } ] },
              "preferredDuringSchedulingIgnoredDuringExecution": [
                { "weight": 7, "preference": { "matchExpressions": [ { "key": "injected", "operator": "Exists" } ] } },
                { "weight": 3, "preference": { "matchExpressions": [ { "key": "own", "operator": "Exists" } ] } } ]
            }
            """, left);
    }

    [Theory]
    [InlineData(NodeTermForm.Hostnames, "matchExpressions", """{ "key": "kubernetes.io/hostname", "operator": "In", "values": ["c"] }""", "c")]
    [InlineData(NodeTermForm.Names, "matchFields", """{ "key": "metadata.name", "operator": "NotIn", "values": ["a"] }""", "b")]
    public void What_another_webhook_has_added_behind_ours_does_not_make_ours_the_authors(NodeTermForm form, string list, string added, string chosen)
    {
        var policy = new PlacementPolicy { NodeTerms = form };
        var pod = WebhookCall.Review(Pods.PredictJson(), View, policy).Pod;
        foreach (var term in Terms(pod))
        {
            term![list]!.AsArray().Add(JsonNode.Parse(added));
        }

        var reviewed = WebhookCall.Review(pod, View, policy);

        // The nearest that the other webhook allows.
        Assert.Equal(chosen, reviewed.Decision!.Chosen!.Name);
        Assert.True(DefaultScheduler.CanRun(reviewed.Pod, View.Find(chosen)!));
    }

    [Fact]
    public void A_term_beside_ours_alone_makes_ours_go_as_a_whole()
    {
        var pod = WebhookCall.Review(Pods.PredictJson(), View).Pod;
        pod["spec"]!["affinity"]!["nodeAffinity"]!["requiredDuringSchedulingIgnoredDuringExecution"]!["nodeSelectorTerms"]!.AsArray().Add(
            JsonNode.Parse("""{ "matchExpressions": [ { "key": "kubernetes.io/hostname", "operator": "In", "values": ["b"] } ] }"""));

        var reviewed = WebhookCall.Review(pod, View);

        // The only node that the remaining term allows.
        Assert.Equal("b", reviewed.Decision!.Chosen!.Name);
        Assert.Equal(["b"], Terms(reviewed.Pod).SelectMany(t => t!["matchExpressions"]!.AsArray()).SelectMany(e => e!["values"]!.AsArray()).Select(v => $"{v}").Distinct());
    }

    [Fact]
    public void What_no_longer_stands_as_recorded_is_the_authors()
    {
        var pod = WebhookCall.Review(Pods.TrainingJson(), Nodes.View(Nodes.Named("large", "16", "64Gi"))).Pod;
        pod["spec"]!["containers"]![0]!["resources"]!["requests"]!["cpu"] = "3";

        var reviewed = WebhookCall.Review(pod, Nodes.View(Nodes.Named("large", "16", "64Gi")));

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{ "cpu": "3", "memory": "4Gi" }"""), reviewed.Pod["spec"]!["containers"]![0]!["resources"]!["requests"]));
    }

    [Fact]
    public void A_record_that_an_author_made_up_takes_nothing_out_that_it_does_not_describe()
    {
        var pod = Pods.PredictJson(
            annotations: """{ "admissionlas.io/record": "{\"version\":1,\"type\":\"Predict\",\"outcome\":\"Placed\",\"mode\":\"Adaptive\",\"required\":[\"b\"],\"requests\":{\"main\":{\"cpu\":\"2\"}}}" }""",
            spec: """{ "nodeSelector": { "kubernetes.io/hostname": "b" }, "containers": [ { "name": "main", "resources": { "requests": { "cpu": "1" } } } ] }""");

        var reviewed = WebhookCall.Review(pod, View);

        Assert.Equal(("b", "1"), (reviewed.Decision!.Chosen!.Name, reviewed.Pod["spec"]!["containers"]![0]!["resources"]!["requests"]!["cpu"]!.GetValue<string>()));
    }

    [Fact]
    public void The_audit_log_has_the_second_decision_under_a_key_of_its_own_because_the_first_cannot_be_written_over()
    {
        var pod = WebhookCall.Review(Pods.PredictJson("here"), View).Pod;
        pod["metadata"]!["labels"]!["OurLocation"] = "there";

        var reviewed = WebhookCall.Review(pod, View);

        Assert.Null(reviewed.Audit("decision"));
        Assert.StartsWith("predict at there: c", reviewed.Audit("revised"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_spread_constraint_of_ours_goes_where_it_is_no_longer_wanted_and_the_authors_stay()
    {
        var pod = WebhookCall.Review(Pods.PredictJson(), View).Pod;
        Assert.Single(pod["spec"]!["topologySpreadConstraints"]!.AsArray());
        var optedOut = pod.DeepClone().AsObject();
        optedOut["metadata"]!["annotations"]![PodHints.PlacementKey] = "off";
        Assert.Null(WebhookCall.Review(optedOut, View).Pod["spec"]!["topologySpreadConstraints"]);

        // Another webhook has added one since: now the scheduler adds none of its own anyway.
        const string added = """{ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": { "matchLabels": { "app": "x" } } }""";
        pod["spec"]!["topologySpreadConstraints"]!.AsArray().Add(JsonNode.Parse(added));
        AssertSame($"[{added}]", WebhookCall.Review(pod, View).Pod["spec"]!["topologySpreadConstraints"]!);
    }

    static JsonArray Terms(JsonObject pod) =>
        pod["spec"]!["affinity"]!["nodeAffinity"]!["requiredDuringSchedulingIgnoredDuringExecution"]!["nodeSelectorTerms"]!.AsArray();

    static void AssertSame(string expected, JsonNode actual) => AssertSame(JsonNode.Parse(expected)!, actual);

    static void AssertSame(JsonNode expected, JsonNode actual) => Assert.True(JsonNode.DeepEquals(expected, actual), $"{expected}\n{actual}");
}
