namespace AdmissionLas.Tests.Webhook;

/// <summary>What the patch makes of a pod, applied by a library that is not ours.</summary>
public sealed class PatchTests
{
    const string Terms = "requiredDuringSchedulingIgnoredDuringExecution";
    const string Preferred = "preferredDuringSchedulingIgnoredDuringExecution";

    static readonly PlacementPolicy PreferredMode = new() { Mode = PlacementMode.Preferred };
    static readonly PlacementPolicy Required = new() { Mode = PlacementMode.Required };
    static readonly ClusterView View = Nodes.View(Nodes.At("1", "near"), Nodes.At("90", "far").Labelled("tier", "edge"));

    [Fact]
    public void A_predict_pod_gets_preferred_terms_the_decision_and_no_spreading_in_three_operations()
    {
        var reviewed = WebhookCall.Review(Pods.PredictJson(), View, PreferredMode);

        Assert.Equal(["/metadata/annotations", "/spec/affinity", "/spec/topologySpreadConstraints"], Paths(reviewed));
        AssertJson("""
            {
              "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                  { "weight": 100, "preference": { "matchExpressions": [ { "key": "kubernetes.io/hostname", "operator": "In", "values": ["near"] } ] } },
                  { "weight": 12, "preference": { "matchExpressions": [ { "key": "kubernetes.io/hostname", "operator": "In", "values": ["far"] } ] } }
                ]
              }
            }
            """, reviewed.Pod["spec"]!["affinity"]);
        var annotations = reviewed.Pod["metadata"]!["annotations"]!.AsObject();
        Assert.Equal(["admissionlas.io/decision", "admissionlas.io/record", "admissionlas.io/assumed"], annotations.Select(a => a.Key));
        Assert.Equal(EnglishDecisionText.Instance.Explain(reviewed.Decision!), $"{annotations[PodHints.DecisionKey]}");
        Assert.Equal("near/uid-1", $"{annotations[PodHints.AssumedKey]}");
    }

    [Fact]
    public void A_pod_that_is_required_to_be_near_gets_a_required_term_too()
    {
        var reviewed = WebhookCall.Review(Pods.PredictJson(), View, Required);

        AssertJson("""
            { "nodeSelectorTerms": [ { "matchExpressions": [ { "key": "kubernetes.io/hostname", "operator": "In", "values": ["near"] } ] } ] }
            """, reviewed.Pod["spec"]!["affinity"]!["nodeAffinity"]![Terms]);
        Assert.Equal(2, reviewed.Pod["spec"]!["affinity"]!["nodeAffinity"]![Preferred]!.AsArray().Count);
    }

    [Fact]
    public void By_name_each_node_is_a_term_of_its_own()
    {
        var reviewed = WebhookCall.Review(Pods.PredictJson(), View, new PlacementPolicy { NodeTerms = NodeTermForm.Names });

        AssertJson("""
            { "nodeSelectorTerms": [
              { "matchFields": [ { "key": "metadata.name", "operator": "In", "values": ["near"] } ] },
              { "matchFields": [ { "key": "metadata.name", "operator": "In", "values": ["far"] } ] } ] }
            """, reviewed.Pod["spec"]!["affinity"]!["nodeAffinity"]![Terms]);
        Assert.Null(WebhookCall.Review(reviewed.Pod.With(p => p["metadata"]!["annotations"]![PodHints.PlacementKey] = "off"), View).Pod["spec"]!["affinity"]!["nodeAffinity"]![Terms]);
    }

    [Fact]
    public void By_name_each_of_the_authors_terms_is_kept_to_each_node_that_it_matches_and_can_be_found_again()
    {
        const string own = """
            [ { "matchExpressions": [ { "key": "kubernetes.io/hostname", "operator": "Exists" } ], "matchFields": [ { "key": "metadata.name", "operator": "NotIn", "values": ["x"] } ] },
              { "matchExpressions": [ { "key": "tier", "operator": "In", "values": ["edge"] } ] } ]
            """;
        var pod = Pods.PredictJson(spec: $$"""
            { "containers": [ { "name": "main" } ], "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": {{own}} } } } }
            """);

        var reviewed = WebhookCall.Review(pod, View, new PlacementPolicy { NodeTerms = NodeTermForm.Names });

        AssertJson("""
            { "nodeSelectorTerms": [
              { "matchExpressions": [ { "key": "kubernetes.io/hostname", "operator": "Exists" } ],
                "matchFields": [ { "key": "metadata.name", "operator": "NotIn", "values": ["x"] }, { "key": "metadata.name", "operator": "In", "values": ["near"] } ] },
              { "matchExpressions": [ { "key": "tier", "operator": "In", "values": ["edge"] } ], "matchFields": [ { "key": "metadata.name", "operator": "In", "values": ["far"] } ] },
              { "matchExpressions": [ { "key": "kubernetes.io/hostname", "operator": "Exists" } ],
                "matchFields": [ { "key": "metadata.name", "operator": "NotIn", "values": ["x"] }, { "key": "metadata.name", "operator": "In", "values": ["far"] } ] } ] }
            """, reviewed.Pod["spec"]!["affinity"]!["nodeAffinity"]![Terms]);
        var without = WebhookCall.Review(reviewed.Pod.With(p => p["metadata"]!["annotations"]![PodHints.PlacementKey] = "off"), View).Pod["spec"]!["affinity"]!["nodeAffinity"]![Terms]!["nodeSelectorTerms"]!;
        AssertJson(own, Trimmed(without));

        // A list that was there for ours alone is left empty.
        static JsonNode Trimmed(JsonNode terms)
        {
            foreach (var term in terms.AsArray().Where(t => t!["matchFields"] is JsonArray { Count: 0 }))
            {
                term!.AsObject().Remove("matchFields");
            }

            return terms;
        }
    }

    [Theory]
    [InlineData("/", "~1")]
    [InlineData("~", "~0")]
    [InlineData("~1", "~01")]
    [InlineData("a/b~c/d", "a~1b~0c~1d")]
    public void A_member_name_is_escaped_as_a_JSON_Pointer(string name, string escaped) => Assert.Equal(escaped, PatchWriter.EscapePointer(name));

    [Theory]
    [InlineData("null", "/spec/affinity")]
    [InlineData("{}", "/spec/affinity/nodeAffinity")]
    [InlineData("""{ "podAffinity": {} }""", "/spec/affinity/nodeAffinity")]
    [InlineData("""{ "nodeAffinity": null }""", "/spec/affinity/nodeAffinity")]
    [InlineData("""{ "nodeAffinity": {} }""", "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution")]
    [InlineData("""{ "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": null } }""", "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution")]
    [InlineData("""{ "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [] } }""", "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/-")]
    public void Whatever_parents_are_there_the_terms_find_their_place(string affinity, string path)
    {
        var reviewed = WebhookCall.Review(WithAffinity(affinity), View, PreferredMode);

        Assert.Equal(path, Paths(reviewed)[1]);
        Assert.Equal(2, reviewed.Pod["spec"]!["affinity"]!["nodeAffinity"]![Preferred]!.AsArray().Count);
    }

    [Fact]
    public void A_requirement_is_ANDed_into_each_of_the_authors_terms()
    {
        var reviewed = WebhookCall.Review(
            WithAffinity($$"""
                {
                  "nodeAffinity": {
                    "{{Terms}}": {
                      "nodeSelectorTerms": [
                        { "matchExpressions": [ { "key": "tier", "operator": "DoesNotExist" } ] },
                        { "matchFields": [ { "key": "metadata.name", "operator": "In", "values": ["near"] } ] },
                        { "matchExpressions": [], "matchFields": [ { "key": "metadata.name", "operator": "NotIn", "values": ["far"] } ] },
                        {},
                        { "matchExpressions": [] }
                      ]
                    }
                  }
                }
                """),
            View, Required);

        AssertJson("""
            [
              { "matchExpressions": [ { "key": "tier", "operator": "DoesNotExist" }, { "key": "kubernetes.io/hostname", "operator": "In", "values": ["near"] } ] },
              {
                "matchFields": [ { "key": "metadata.name", "operator": "In", "values": ["near"] } ],
                "matchExpressions": [ { "key": "kubernetes.io/hostname", "operator": "In", "values": ["near"] } ]
              },
              {
                "matchExpressions": [ { "key": "kubernetes.io/hostname", "operator": "In", "values": ["near"] } ],
                "matchFields": [ { "key": "metadata.name", "operator": "NotIn", "values": ["far"] } ]
              },
              {},
              { "matchExpressions": [] }
            ]
            """, reviewed.Pod["spec"]!["affinity"]!["nodeAffinity"]![Terms]!["nodeSelectorTerms"]);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{ "requiredDuringSchedulingIgnoredDuringExecution": null }""")]
    public void A_requirement_is_the_only_one_where_the_author_has_none(string nodeAffinity)
    {
        var reviewed = WebhookCall.Review(WithAffinity($$"""{ "nodeAffinity": {{nodeAffinity}} }"""), View, Required);

        AssertJson("""
            { "nodeSelectorTerms": [ { "matchExpressions": [ { "key": "kubernetes.io/hostname", "operator": "In", "values": ["near"] } ] } ] }
            """, reviewed.Pod["spec"]!["affinity"]!["nodeAffinity"]![Terms]);
    }

    [Theory]
    [InlineData("""{ "name": "main" }""", """{ "requests": { "cpu": "2", "memory": "4Gi" } }""")]
    [InlineData("""{ "name": "main", "resources": null }""", """{ "requests": { "cpu": "2", "memory": "4Gi" } }""")]
    [InlineData("""{ "name": "main", "resources": {} }""", """{ "requests": { "cpu": "2", "memory": "4Gi" } }""")]
    [InlineData("""{ "name": "main", "resources": { "requests": null } }""", """{ "requests": { "cpu": "2", "memory": "4Gi" } }""")]
    [InlineData("""{ "name": "main", "resources": { "requests": {} } }""", """{ "requests": { "cpu": "2", "memory": "4Gi" } }""")]
    [InlineData("""{ "name": "main", "resources": { "requests": { "cpu": "100m" } } }""", """{ "requests": { "cpu": "100m", "memory": "4Gi" } }""")]
    [InlineData(
        """{ "name": "main", "resources": { "limits": { "memory": "1Gi", "nvidia.com/gpu": "0" }, "requests": { "ephemeral-storage": "0" } } }""",
        """{ "limits": { "memory": "1Gi", "nvidia.com/gpu": "0" }, "requests": { "ephemeral-storage": "0", "cpu": "2", "memory": "1Gi" } }""")]
    public void Whatever_parents_are_there_the_requests_find_their_place(string container, string resources)
    {
        var view = Nodes.View(Nodes.Named("big", "8"), Nodes.Named("small", "1"));
        view = new ClusterView(view.Nodes.Select(n => n with { Allocatable = n.Allocatable with { Other = [new("ephemeral-storage", 1)] } }));

        var reviewed = WebhookCall.Review(Pods.TrainingJson($$"""{ "containers": [ {{container}} ] }"""), view);

        AssertJson(resources, reviewed.Pod["spec"]!["containers"]![0]!["resources"]);
    }

    [Fact]
    public void Each_container_gets_its_own_requests_and_no_others()
    {
        var reviewed = WebhookCall.Review(
            Pods.TrainingJson("""
                {
                  "initContainers": [ { "name": "init" } ],
                  "containers": [
                    { "name": "wait" },
                    { "name": "a", "resources": { "requests": { "memory": "1Gi" } } },
                    { "name": "b", "resources": { "requests": { "cpu": "1", "memory": "1Gi" } } },
                    { "name": "c" }
                  ]
                }
                """),
            Nodes.View(Nodes.Named("big", "64", "256Gi")));

        AssertJson("""
            [
              { "name": "wait" },
              { "name": "a", "resources": { "requests": { "memory": "1Gi", "cpu": "2" } } },
              { "name": "b", "resources": { "requests": { "cpu": "1", "memory": "1Gi" } } },
              { "name": "c", "resources": { "requests": { "cpu": "2", "memory": "4Gi" } } }
            ]
            """, reviewed.Pod["spec"]!["containers"]);
        AssertJson("""[ { "name": "init" } ]""", reviewed.Pod["spec"]!["initContainers"]);
    }

    [Fact]
    public void A_step_that_cannot_be_placed_gets_nothing_but_the_decision()
    {
        var reviewed = WebhookCall.Review(Pods.PredictJson("nowhere"), View);

        Assert.Equal(["/metadata/annotations"], Paths(reviewed));
        Assert.Equal(("UnknownLocation", null), (reviewed.Audit("outcome"), reviewed.Audit("node")));
    }

    [Theory]
    [InlineData("""{ "app": "web" }""")]
    [InlineData("""{ "typeOfComponent": "Evaluation" }""")]
    public void A_pod_that_is_no_step_gets_no_patch_and_no_audit_annotation(string labels)
    {
        var reviewed = WebhookCall.Review(Pods.Json(labels), View);

        Assert.Null(reviewed.Patch);
        Assert.Null(reviewed.Response["auditAnnotations"]);
    }

    [Fact]
    public void The_patch_of_a_training_pod_is_as_short_on_five_thousand_nodes()
    {
        var view = Nodes.View([.. Enumerable.Range(0, 5000).Select(i => Nodes.Named($"n{i}", i % 2 == 0 ? "8" : "2", labels: [("admissionlas.io/tier", i % 2 == 0 ? "cloud" : "edge")]))]);

        Assert.InRange(WebhookCall.Review(Pods.TrainingJson(), view).Patch!.Length, 1, 1024);
    }

    [Fact]
    public void The_patch_of_a_predict_pod_is_a_few_KB_at_most()
    {
        var name = new string('n', 55);
        var view = Nodes.View([.. Enumerable.Range(0, 5000).Select(i => Nodes.At($"{i + 1}", $"{name}-{i:0000}"))]);

        var reviewed = WebhookCall.Review(Pods.PredictJson(), view, Required with { NamedNodes = PlacementPolicy.NamedNodesLimit, NearFactor = 1000 });

        Assert.Equal(16, reviewed.Pod["spec"]!["affinity"]!["nodeAffinity"]![Preferred]!.AsArray().Count);
        Assert.InRange(reviewed.Patch!.Length, 1, 8 * 1024);
    }

    [Fact]
    public void A_pod_without_metadata_or_spec_is_left_as_it_is()
    {
        // Only a rule for a whole namespace speaks of such a pod; a patch to it would have no parent to add to.
        var rules = new StepRules(rules: [new StepRule { Name = "all", Namespace = "*", Kind = StepKinds.Predict, Location = "here" }]);

        foreach (var pod in (string[])["{}", """{ "metadata": {} }""", """{ "metadata": null, "spec": {} }""", """{ "spec": { "containers": [] } }""", """{ "metadata": {}, "spec": null }"""])
        {
            Assert.Null(WebhookCall.Review(JsonNode.Parse(pod)!.AsObject(), View, rules: rules).Patch);
        }
    }

    [Fact]
    public void The_audit_annotations_carry_the_decision()
    {
        var reviewed = WebhookCall.Review(Pods.PredictJson(), View);

        AssertJson($$"""
            {
              "decision": "{{EnglishDecisionText.Instance.Explain(reviewed.Decision!)}}",
              "outcome": "Placed", "type": "Predict", "type-rule": "label typeOfComponent",
              "node": "near", "location": "here", "location-rule": "label OurLocation", "latency-ms": "1"
            }
            """, reviewed.Response["auditAnnotations"]);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("")]
    public void Whatever_the_location_is_the_answer_is_text_that_JSON_can_carry(string first)
    {
        var reviewed = WebhookCall.Review(Pods.PredictJson(first + string.Concat(Enumerable.Repeat("😀", 5_000))), View);

        Assert.All(
            [reviewed.Audit("decision")!, reviewed.Pod["metadata"]!["annotations"]![PodHints.DecisionKey]!.GetValue<string>(), .. reviewed.Warnings],
            text => Assert.DoesNotContain(text.EnumerateRunes(), r => r == Rune.ReplacementChar));
    }

    static string[] Paths(Reviewed reviewed) => [.. reviewed.Operations.Select(o => o!["path"]!.GetValue<string>())];

    static JsonObject WithAffinity(string affinity)
    {
        var pod = Pods.PredictJson();
        pod["spec"]!["affinity"] = JsonNode.Parse(affinity);
        return pod;
    }

    static void AssertJson(string expected, JsonNode? actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), $"expected {JsonNode.Parse(expected)!.ToJsonString()}, got {actual?.ToJsonString()}");
}
