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

        var answer = Response(review.ToJsonString()).Parent!;

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

    public static TheoryData<string> Paths => [.. PathsOf(FullPod())];

    [Theory, MemberData(nameof(Paths))]
    public void A_wrong_type_at_a_path_that_is_used_leaves_the_pod_as_it_is_and_names_the_path(string at)
    {
        var path = at.Split(' ');
        var review = Review(FullPod());
        var right = At(review["request"]!["object"]!, path);
        // A quantity may be a number, and a list whose items are not read may hold lists.
        right.ReplaceWith(JsonNode.Parse(right is JsonArray ? "7" : "[[1]]"));

        var (result, response) = WebhookCall.Send(Encoding.UTF8.GetBytes(review.ToJsonString()), Testbed.View, CompiledSettings.Default);

        // A fault in a map names the map, and an item of a wrong type names its list.
        var map = Array.FindIndex(path, p => p is "labels" or "annotations" or "nodeSelector" or "requests" or "limits" or "overhead");
        var named = string.Join('.', map < 0 ? path : path[..(map + 1)]).Replace(".0", "[]", StringComparison.Ordinal).TrimEnd('[', ']');
        Assert.Equal((true, named, null), (result.Review.PodIsUnreadable, result.Review.UnreadablePath, result.Fault));
        Assert.Null(response["patch"]);
        Assert.Contains(named, Assert.Single(response["warnings"]!.AsArray())!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_that_uses_every_path_is_read() => Assert.NotNull(Response(Review(FullPod()).ToJsonString())["patch"]);

    // A pod may have 256 KiB of annotations; https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/.
    [Theory]
    [InlineData(220, "Predict", true, 0)]
    [InlineData(250, "Predict", false, 1)]
    [InlineData(250, "Evaluate", false, 0)]
    public void A_step_whose_annotations_leave_no_room_is_left_as_it_is_with_a_warning(int kilobytes, string type, bool isPatched, int warnings)
    {
        var pod = Pods.PredictJson("HOME-EDGE");
        pod["metadata"]!["labels"]!["typeOfComponent"] = type;
        pod["metadata"]!["annotations"] = new JsonObject { ["notes"] = new string('x', kilobytes << 10) };

        var response = Response(Review(pod).ToJsonString());

        Assert.True(response["allowed"]!.GetValue<bool>());
        Assert.Equal(isPatched, response["patch"] is not null);
        Assert.Equal(warnings, response["warnings"]?.AsArray().Count ?? 0);
    }

    [Fact]
    public void A_list_whose_items_are_not_read_may_hold_anything()
    {
        var review = Review(FullPod());
        At(review["request"]!["object"]!, ["spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution"])
            .ReplaceWith(JsonNode.Parse("""[[1, [2]], {"a": [3]}, null]"""));

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
            Assert.Throws<NotAReviewException>(() => WebhookCall.Send(body.AsSpan(0, length), Testbed.View, CompiledSettings.Default));
        }
    }

    [Theory]
    [InlineData(200)]
    [InlineData(900)]
    [InlineData(1_000_000)]
    public void Deep_nesting_in_what_is_not_read_is_stepped_over(int levels)
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

    // https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response: no new line, no more than 256 characters.
    [Theory]
    [InlineData("a\nb\0c\u001b[31m\u0085\"é")]
    [InlineData("😀")]
    public void Whatever_a_hint_holds_its_warning_reaches_the_author(string hostile)
    {
        hostile += string.Concat(Enumerable.Repeat("😀", 2000)) + hostile;
        var annotations = new JsonObject([.. PodHints.Keys.Where(k => k is not (PodHints.DecisionKey or PodHints.RecordKey or PodHints.AssumedKey)).Select(k => KeyValuePair.Create(k, (JsonNode?)hostile))]);
        foreach (var pod in (JsonObject[])[Pods.PredictJson(annotations: annotations.ToJsonString()), Pods.PredictJson().With(p => p["metadata"]!["labels"]!["OurLocation"] = hostile), Pods.TrainingJson(annotations: annotations.ToJsonString())])
        {
            var reviewed = WebhookCall.Review(pod, Testbed.View);

            Assert.NotEmpty(reviewed.Warnings);
            Assert.All(reviewed.Warnings, w => Assert.InRange(w.Length, 1, 256));
            Assert.All(reviewed.Warnings.Append(reviewed.Audit("decision")!), text => Assert.DoesNotContain(text, c => char.IsControl(c)));
        }
    }

    static JsonObject Review(JsonObject pod) => SampleReview.Of(pod, "a-uid");

    static string Text(string location) => Review(Pods.PredictJson(location)).ToJsonString();

    static string Nested(int levels) => Text("HOME-EDGE").Replace(
        "\"spec\":{", $"\"status\":{new string('[', levels)}{new string(']', levels)},\"spec\":{{", StringComparison.Ordinal);

    static JsonObject Response(string body) => WebhookCall.Send(Encoding.UTF8.GetBytes(body), Testbed.View, CompiledSettings.Default).Response;

    /// <summary>The members and items of an object, at any depth, each as the words that lead to it.</summary>
    static IEnumerable<string> PathsOf(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(m => PathsOf(m.Value).Select(p => $"{m.Key} {p}").Prepend(m.Key)),
        JsonArray items => items.SelectMany((item, i) => PathsOf(item).Select(p => $"{i} {p}").Prepend($"{i}")),
        _ => [],
    };

    static JsonNode At(JsonNode root, string[] path) =>
        path.Aggregate(root, (node, part) => (node is JsonArray items ? items[int.Parse(part, CultureInfo.InvariantCulture)] : node[part])!);

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
            "resources": { "requests": { "cpu": "100m" }, "limits": { "cpu": "200m" } },
            "containers": [ {
              "name": "main", "command": ["python3"], "args": ["predict"], "ports": [ { "hostPort": 80 } ],
              "resources": { "requests": { "cpu": "100m" }, "limits": { "memory": "1Gi" } }
            } ],
            "initContainers": [ { "name": "init", "restartPolicy": "Always", "resources": {} } ],
            "tolerations": [ { "key": "a", "operator": "Exists", "value": "", "effect": "NoSchedule" } ],
            "volumes": [ { "persistentVolumeClaim": {}, "ephemeral": {} } ],
            "resourceClaims": [],
            "topologySpreadConstraints": [ { "whenUnsatisfiable": "ScheduleAnyway" } ],
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
