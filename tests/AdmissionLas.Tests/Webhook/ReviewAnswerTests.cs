using System.Buffers;

namespace AdmissionLas.Tests.Webhook;

/// <summary>The answer to a review, and to everything that can be wrong with one.</summary>
public sealed class ReviewAnswerTests
{
    [Theory]
    [InlineData("admission.k8s.io/v1")]
    [InlineData("admission.k8s.io/v1beta1")]
    public void A_review_is_answered_in_its_own_version_with_its_own_uid(string apiVersion)
    {
        var review = Review(Pods.PredictJson("HOME-EDGE"));
        review["apiVersion"] = apiVersion;
        review["request"]!["uid"] = "705ab4f5-6393-11e8-b7cc-42010a800002";

        var answer = Answer(review.ToJsonString());

        Assert.Equal(apiVersion, answer["apiVersion"]!.ToString());
        Assert.Equal("AdmissionReview", answer["kind"]!.ToString());
        Assert.Equal("705ab4f5-6393-11e8-b7cc-42010a800002", answer["response"]!["uid"]!.ToString());
        Assert.True(answer["response"]!["allowed"]!.GetValue<bool>());
        Assert.Equal("JSONPatch", answer["response"]!["patchType"]!.ToString());
    }

    [Fact]
    public void Escapes_in_keys_and_values_are_read()
    {
        var text = Text("HOME-EDGE")
            .Replace("typeOfComponent", "\\u0074ypeOfComponent", StringComparison.Ordinal)
            .Replace("HOME-EDGE", "HOME\\u002dEDGE", StringComparison.Ordinal);

        Assert.Equal("home-edge-node", Response(text)["auditAnnotations"]!["node"]!.ToString());
    }

    [Fact]
    public void A_pod_without_a_namespace_has_the_requests()
    {
        var rules = new StepRules(defaultLocations: new Dictionary<string, string> { ["team-a"] = "NITLAB-EDGE" });

        var reviewed = WebhookCall.Review(Pods.Json("""{"typeOfComponent":"Predict"}"""), Testbed.View, rules: rules, @namespace: "team-a");

        Assert.Equal("nitlab-edge-node", reviewed.Audit("node"));
    }

    [Theory]
    [InlineData("\"operation\":\"CREATE\"", "\"operation\":\"UPDATE\"")]
    [InlineData("\"operation\":\"CREATE\"", "\"operation\":\"CONNECT\"")]
    [InlineData("\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"}", "\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Binding\"}")]
    [InlineData("\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"}", "\"kind\":{\"group\":\"apps\",\"version\":\"v1\",\"kind\":\"Pod\"}")]
    [InlineData("\"kind\":{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"}", "\"kind\":null")]
    public void A_review_of_what_we_do_not_handle_is_allowed_without_a_patch_or_a_word(string from, string to)
    {
        var response = Response(Text("HOME-EDGE").Replace(from, to, StringComparison.Ordinal));

        Assert.True(response["allowed"]!.GetValue<bool>());
        Assert.Null(response["patch"]);
        Assert.Null(response["warnings"]);
    }

    [Theory]
    [InlineData("metadata")]
    [InlineData("metadata.name")]
    [InlineData("metadata.generateName")]
    [InlineData("metadata.namespace")]
    [InlineData("metadata.labels")]
    [InlineData("metadata.labels.typeOfComponent")]
    [InlineData("metadata.labels.OurLocation")]
    [InlineData("metadata.annotations")]
    [InlineData("metadata.annotations.admissionlas%io/placement")]
    [InlineData("spec")]
    [InlineData("spec.nodeName")]
    [InlineData("spec.nodeSelector")]
    [InlineData("spec.nodeSelector.disk")]
    [InlineData("spec.hostNetwork")]
    [InlineData("spec.overhead")]
    [InlineData("spec.overhead.cpu")]
    [InlineData("spec.resources")]
    [InlineData("spec.resources.requests")]
    [InlineData("spec.containers")]
    [InlineData("spec.containers.0")]
    [InlineData("spec.containers.0.name")]
    [InlineData("spec.containers.0.command")]
    [InlineData("spec.containers.0.command.0")]
    [InlineData("spec.containers.0.args")]
    [InlineData("spec.containers.0.ports")]
    [InlineData("spec.containers.0.ports.0")]
    [InlineData("spec.containers.0.resources")]
    [InlineData("spec.containers.0.resources.requests")]
    [InlineData("spec.containers.0.resources.requests.cpu")]
    [InlineData("spec.containers.0.resources.limits")]
    [InlineData("spec.containers.0.resources.limits.memory")]
    [InlineData("spec.initContainers")]
    [InlineData("spec.initContainers.0")]
    [InlineData("spec.initContainers.0.restartPolicy")]
    [InlineData("spec.tolerations")]
    [InlineData("spec.tolerations.0")]
    [InlineData("spec.tolerations.0.key")]
    [InlineData("spec.tolerations.0.effect")]
    [InlineData("spec.volumes")]
    [InlineData("spec.volumes.0")]
    [InlineData("spec.topologySpreadConstraints")]
    [InlineData("spec.topologySpreadConstraints.0.whenUnsatisfiable")]
    [InlineData("spec.affinity")]
    [InlineData("spec.affinity.nodeAffinity")]
    [InlineData("spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution")]
    [InlineData("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution")]
    [InlineData("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms")]
    [InlineData("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0")]
    [InlineData("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions")]
    [InlineData("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.key")]
    [InlineData("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.operator")]
    [InlineData("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms.0.matchExpressions.0.values")]
    [InlineData("spec.affinity.podAffinity")]
    [InlineData("spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution")]
    public void A_wrong_type_at_a_path_that_is_used_leaves_the_pod_as_it_is_and_names_the_path(string path)
    {
        // A quantity may be a number, and a list whose items nobody reads may hold lists.
        var wrong = JsonNode.Parse(path.EndsWith("DuringExecution", StringComparison.Ordinal) ? "7" : "[[1]]");
        var review = Review(FullPod());
        Assert.NotNull(Response(review.ToJsonString())["patch"]);
        Replace(review["request"]!["object"]!, path.Split('.'), wrong!);

        var response = Response(review.ToJsonString());

        Assert.True(response["allowed"]!.GetValue<bool>());
        Assert.Null(response["patch"]);
        var named = string.Join('.', path.Split('.').TakeWhile(p => p is not ("typeOfComponent" or "OurLocation" or "disk" or "cpu" or "memory") && !p.StartsWith("admissionlas", StringComparison.Ordinal)));
        var warning = Assert.Single(response["warnings"]!.AsArray())!.ToString();
        Assert.Contains(named.Replace(".0", "[]", StringComparison.Ordinal).TrimEnd('[', ']'), warning, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_whose_items_nobody_reads_may_hold_anything()
    {
        var review = Review(FullPod());
        Replace(review["request"]!["object"]!, "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution".Split('.'), JsonNode.Parse("""[[1, [2]], {"a": [3]}, null]""")!);

        Assert.NotNull(Response(review.ToJsonString())["patch"]);
    }

    [Fact]
    public void Null_counts_as_absent_wherever_it_stands()
    {
        var review = Review(FullPod());
        var pod = review["request"]!["object"]!.AsObject();
        pod["spec"]!.AsObject().ToList().ForEach(member => pod["spec"]![member.Key] = null);
        pod["metadata"]!["annotations"] = null;

        Assert.NotNull(Response(review.ToJsonString())["patch"]);
    }

    [Fact]
    public void A_body_cut_off_anywhere_is_not_a_review()
    {
        var body = Encoding.UTF8.GetBytes(Text("HOME-EDGE"));
        for (var length = 0; length < body.Length; length++)
        {
            NotAReview(body.AsSpan(0, length));
        }
    }

    [Theory]
    [InlineData(200)]
    [InlineData(900)]
    [InlineData(1_000_000)]
    public void Deep_nesting_where_nobody_looks_is_stepped_over(int levels)
    {
        var response = Response(Nested(levels));

        Assert.Equal("home-edge-node", response["auditAnnotations"]!["node"]!.ToString());
    }

    [Fact]
    public void A_label_value_of_ten_thousand_characters_is_answered_in_a_few_words()
    {
        var response = Response(Text(new string('x', 10_000)));

        Assert.All(response["warnings"]!.AsArray(), w => Assert.InRange(w!.ToString().Length, 1, 256));
        Assert.InRange(response.ToJsonString().Length, 1, 4096);
    }

    [Fact]
    public void An_unknown_location_is_told_with_the_closest_known_one()
    {
        var response = Response(Text("HOME-EGDE"));

        Assert.Contains("did you mean HOME-EDGE?", response["warnings"]![0]!.ToString(), StringComparison.Ordinal);
        Assert.Equal("UnknownLocation", response["auditAnnotations"]!["outcome"]!.ToString());
    }

    [Fact]
    public void Without_nodes_or_latencies_the_author_is_told_what_is_missing()
    {
        Assert.Contains("an admin of the cluster can label them", Response(Text("HOME-EDGE"), ClusterView.Empty)["warnings"]![0]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("an admin of the cluster can label them", Response(Text("HOME-EDGE"), new ClusterView([new NodeFacts { Name = "bare", IsReady = true }]))["warnings"]![0]!.ToString(), StringComparison.Ordinal);
    }

    static JsonObject Review(JsonObject pod) => SampleReview.Of(pod, "a-uid");

    static string Text(string location) => Review(Pods.PredictJson(location)).ToJsonString();

    static string Nested(int levels) => Text("HOME-EDGE").Replace(
        "\"spec\":{", $"\"status\":{new string('[', levels)}{new string(']', levels)},\"spec\":{{", StringComparison.Ordinal);

    static JsonObject Response(string body, ClusterView? view = null) => Answer(body, view)["response"]!.AsObject();

    static JsonObject Answer(string body, ClusterView? view = null)
    {
        var state = new ClusterState(TimeProvider.System);
        state.Publish(view ?? Testbed.View);
        var answer = new AnswerBuffer();
        new ReviewHandler(new Settings(CompiledSettings.Default), state, Usages.UsageCache(), EnglishDecisionText.Instance).Handle(Encoding.UTF8.GetBytes(body), answer);
        return JsonNode.Parse(answer.Answer.Written.Span)!.AsObject();
    }

    static string NotAReview(ReadOnlySpan<byte> body)
    {
        var state = new ClusterState(TimeProvider.System);
        state.Publish(Testbed.View);
        var answer = new AnswerBuffer();
        try
        {
            new ReviewHandler(new Settings(CompiledSettings.Default), state, Usages.UsageCache(), EnglishDecisionText.Instance).Handle(body, answer);
        }
        catch (NotAReviewException refused)
        {
            Assert.Equal(0, answer.Answer.Written.Length);
            return refused.Message;
        }

        throw new InvalidOperationException($"answered: {Encoding.UTF8.GetString(answer.Answer.Written.Span)}");
    }

    static void Replace(JsonNode root, string[] path, JsonNode value)
    {
        path = [.. path.Select(p => p.Replace('%', '.'))];
        var parent = path[..^1].Aggregate(root, (node, part) => (node is JsonArray array ? array[int.Parse(part, null)] : node[part])!);
        if (parent is JsonArray list)
        {
            list[int.Parse(path[^1], null)] = value;
        }
        else
        {
            parent[path[^1]] = value;
        }
    }

    // Every path that the reader uses, each with a value of the right type.
    static JsonObject FullPod() => JsonNode.Parse("""
        {
          "metadata": {
            "name": "step-1", "generateName": "step-", "namespace": "kubeflow",
            "labels": { "typeOfComponent": "Predict", "OurLocation": "HOME-EDGE" },
            "annotations": { "admissionlas.io/placement": "preferred" }
          },
          "spec": {
            "nodeName": "", "nodeSelector": { "disk": "ssd" }, "hostNetwork": false,
            "overhead": { "cpu": "10m" },
            "resources": { "requests": { "cpu": "100m" } },
            "containers": [ {
              "name": "main", "command": ["python3"], "args": ["--function_to_execute", "predict"], "ports": [ { "containerPort": 80 } ],
              "resources": { "requests": { "cpu": "100m" }, "limits": { "memory": "1Gi" } }
            } ],
            "initContainers": [ { "name": "init", "restartPolicy": "Always" } ],
            "tolerations": [ { "key": "a", "operator": "Exists", "effect": "NoSchedule" } ],
            "volumes": [ { "name": "v", "emptyDir": {} } ],
            "topologySpreadConstraints": [ { "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway" } ],
            "affinity": {
              "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [],
                "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [ { "matchExpressions": [ { "key": "k", "operator": "In", "values": ["v"] } ] } ] }
              },
              "podAffinity": {}, "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [] }
            }
          }
        }
        """)!.AsObject();
}
