using System.Diagnostics;

namespace AdmissionLas.Tests.Webhook;

public sealed class ReviewReaderTests
{
    const string PodKind = """{ "group": "", "version": "v1", "kind": "Pod" }""";
    const string Pod = """{ "metadata": { "labels": { "typeOfComponent": "Predict", "OurLocation": "here" } }, "spec": { "containers": [] } }""";

    static readonly ClusterView View = Nodes.View(Nodes.At("1", "near"));

    [Fact]
    public void A_review_is_read_whatever_the_order_of_its_members()
    {
        Assert.NotNull(Send($$"""{ "request": { "object": {{Pod}}, "operation": "CREATE", "kind": {{PodKind}}, "uid": "u" }, "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview" }""").Decision);
        Assert.NotNull(Send(Review($$"""{ "uid": "u", "kind": {{PodKind}}, "operation": "CREATE", "object": {{Pod}} }""")).Decision);
    }

    [Fact]
    public void Of_a_key_that_stands_twice_the_last_counts()
    {
        var result = Send(Review($$"""
            {
              "uid": "first", "uid": "last", "operation": "DELETE", "operation": "CREATE", "kind": {{PodKind}},
              "object": { "metadata": 7 },
              "object": {
                "metadata": { "labels": { "typeOfComponent": "Training", "typeOfComponent": "Predict", "OurLocation": "there" }, "labels": { "typeOfComponent": "Predict", "OurLocation": "here" } },
                "spec": { "containers": [ { "name": "a" } ], "containers": [] }
              }
            }
            """));

        Assert.Equal(("last", Outcome.Placed), (result.Review.Uid, result.Decision?.Outcome));
        Assert.Empty(result.Review.Pod!.Facts.Containers);
    }

    [Theory]
    [InlineData("""{ "uid": "u", "kind": { "group": "apps", "version": "v1", "kind": "Deployment" }, "operation": "CREATE", "object": {} }""", "the object is not a pod")]
    [InlineData("""{ "uid": "u", "kind": { "group": "x", "version": "v1", "kind": "Pod" }, "operation": "CREATE", "object": {} }""", "the object is not a pod")]
    [InlineData("""{ "uid": "u", "kind": { "group": "", "version": "v1", "kind": "Binding" }, "operation": "CREATE", "object": {} }""", "the object is not a pod")]
    [InlineData("""{ "uid": "u", "kind": null, "operation": "CREATE", "object": {} }""", "the object is not a pod")]
    [InlineData("""{ "uid": "u", "operation": "CREATE", "object": {} }""", "the object is not a pod")]
    [InlineData($$"""{ "uid": "u", "kind": {{PodKind}}, "operation": "UPDATE", "object": {} }""", "the operation is not CREATE")]
    [InlineData($$"""{ "uid": "u", "kind": {{PodKind}}, "object": {} }""", "the operation is not CREATE")]
    [InlineData($$"""{ "uid": "u", "kind": {{PodKind}}, "operation": "CREATE" }""", "there is no object")]
    [InlineData($$"""{ "uid": "u", "kind": {{PodKind}}, "operation": "CREATE", "object": null }""", "there is no object")]
    public void What_is_no_creation_of_a_pod_is_allowed_as_it_is_without_a_word(string request, string because)
    {
        var (result, response) = WebhookCall.Send(Encoding.UTF8.GetBytes(Review(request)), View, CompiledSettings.Default);

        Assert.Null(result.Decision);
        Assert.Equal((null, null), (response["patch"], response["warnings"]));
        Assert.Equal((because, false), (result.Review.SkipReason, result.Review.PodIsUnreadable));
    }

    [Theory]
    [InlineData("", "the body is not JSON")]
    [InlineData("{", "the body is not JSON")]
    [InlineData("kind: AdmissionReview", "the body is not JSON")]
    [InlineData("null", "the body is null")]
    [InlineData("[]", "the body is not an object")]
    [InlineData("{}", "kind is not AdmissionReview")]
    [InlineData("""{ "kind": "AdmissionReview" }""", "apiVersion is neither")]
    [InlineData("""{ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v2", "request": { "uid": "u" } }""", "apiVersion is neither")]
    [InlineData("""{ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1" }""", "there is no request")]
    [InlineData("""{ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": [] }""", "request is not an object")]
    [InlineData("""{ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {} }""", "request.uid is missing")]
    [InlineData(
        """{ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": { "namespace": "a-namespace-of-sixty-four-characters-which-is-one-more-than-it-may-have" } }""",
        "request.namespace is longer than 63 characters")]
    [InlineData("""{ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": { "uid": 7 } }""", "request.uid is not a string")]
    [InlineData("""{ "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": { "uid": "u" } } {}""", "the body is not JSON")]
    [InlineData("""{ "\ud800kind": 1, "kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": { "uid": "u" } }""", "a name in the body is not valid Unicode")]
    public void What_is_no_review_is_refused_with_the_reason(string body, string reason) =>
        Assert.Contains(reason, Assert.Throws<NotAReviewException>(() => Send(body)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_uid_that_is_longer_than_any_makes_no_review()
    {
        Assert.Equal(128, Of(128).Review.Uid.Length);
        Assert.Contains("request.uid is longer than 128 characters", Assert.Throws<NotAReviewException>(() => Of(129)).Message, StringComparison.Ordinal);
        Assert.Throws<NotAReviewException>(() => Of(8 << 20));

        static ReviewResult Of(int length) => Send(Review($$"""{ "uid": "{{new string('u', length)}}" }"""));
    }

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_no_review() =>
        Assert.Throws<NotAReviewException>(() => WebhookCall.Send([.. "{\"kind\":\""u8, 0xC3, 0x28, .. "\"}"u8], View, CompiledSettings.Default));

    // JSON can escape half of a surrogate pair; the parser throws as soon as such a name is looked at.
    [Theory]
    [InlineData("""{ "\ud800": 1 }""")]
    [InlineData("""{ "\ud800metadata": {}, "metadata": {}, "spec": {} }""")]
    [InlineData("""{ "metadata": { "\udc00labels": {} }, "spec": {} }""")]
    [InlineData("""{ "metadata": { "labels": { "\ud800ypeOfComponent": "Predict" } }, "spec": {} }""")]
    [InlineData("""{ "metadata": { "labels": { "typeOfComponent": "\ud800" } }, "spec": {} }""")]
    [InlineData("""{ "metadata": {}, "spec": { "\ud800containers": [] } }""")]
    [InlineData("""{ "metadata": {}, "spec": { "containers": [ { "command": [ "\ud800driver" ] } ] } }""")]
    [InlineData("""{ "metadata": {}, "spec": { "containers": [ { "resources": { "limits": { "\ud800": "1" } } } ] } }""")]
    public void Text_that_is_no_Unicode_makes_an_unreadable_pod_and_no_fault(string pod)
    {
        var result = Send(Review($$"""{ "kind": {{PodKind}}, "operation": "CREATE", "object": {{pod}}, "uid": "u" }"""));

        Assert.Null(result.Fault);
        Assert.Equal(("u", true), (result.Review.Uid, result.Review.PodIsUnreadable));
        Assert.Contains("not valid Unicode", result.Review.SkipReason, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Masses => new()
    {
        { "empty required terms", $$$"""{ "containers": [], "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [ {{{Many(100_000, _ => "{}")}}} ] } } } }""" },
        { "resources by name", $$$"""{ "containers": [ { "name": "a", "resources": { "requests": { {{{Many(100_000, i => $"\"r{i}\":\"1\"")}}} } } } ] }""" },
        { "containers", $$$"""{ "containers": [ {{{Many(100_000, _ => "{}")}}} ] }""" },
        { "init containers", $$$"""{ "containers": [], "initContainers": [ {{{Many(100_000, _ => "{}")}}} ] }""" },
    };

    // Webhooks that change pods see them before anything has validated them, so sizes that no honest pod has can arrive. Terms are
    // compared node by node, and names one with another, unless there is a bound; the time leaves room for a busy machine.
    [Theory, MemberData(nameof(Masses))]
    public void A_pod_that_states_masses_is_left_to_the_default_scheduler_in_no_time(string what, string spec)
    {
        var view = Nodes.View([.. Enumerable.Range(0, 1000).Select(i => Nodes.At("1", $"node-{i}"))]);
        foreach (var type in new[] { "Predict", "Training" })
        {
            var body = Encoding.UTF8.GetBytes(Review($$"""
                { "uid": "u", "kind": {{PodKind}}, "operation": "CREATE", "object": { "metadata": { "labels": { "typeOfComponent": "{{type}}", "OurLocation": "here" } }, "spec": {{spec}} } }
                """));
            var startedAt = Stopwatch.GetTimestamp();

            var (result, response) = WebhookCall.Send(body, view, CompiledSettings.Default);

            Assert.True(Stopwatch.GetElapsedTime(startedAt) < TimeSpan.FromSeconds(5), $"{what}: {Stopwatch.GetElapsedTime(startedAt)}");
            Assert.Equal(Outcome.TooComplex, result.Decision?.Outcome);
            Assert.Contains("it states more than", Assert.Single(response["warnings"]!.AsArray())!.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(20)]
    public void Of_a_resource_that_stands_twice_the_last_counts_however_many_there_are(int names)
    {
        var pod = Send(Review($$$"""
            { "uid": "u", "kind": {{{PodKind}}}, "operation": "CREATE", "object": { "metadata": {}, "spec": { "containers": [ { "resources": { "limits": { {{{Many(names, i => $"\"r{i}\":1")}}}, "r1": 7, "r{{{names - 1}}}": 9 } } } ] } } }
            """)).Review.Pod!;

        var limits = pod.Facts.Containers[0].Limits;
        Assert.Equal((names, 1, 7, 9), (limits.Other!.Count, limits.AmountOf("r0"), limits.AmountOf("r1"), limits.AmountOf($"r{names - 1}")));
    }

    [Theory]
    [InlineData("""{ "containers": [ { "command": ["driver", "--type", "DAG"] } ], "containers": [ {} ] }""")]
    [InlineData("""{ "containers": [ { "command": ["driver"], "args": ["--type", "DAG"], "args": ["--function_to_execute", "f"], "args": [] } ] }""")]
    public void Of_a_command_line_that_stands_twice_the_last_counts(string spec)
    {
        var facts = Send(Creation(spec)).Review.Pod!.Facts;

        Assert.Equal((false, null), (facts.IsPipelineDriver, facts.FunctionToExecute));
    }

    [Fact]
    public void An_escaped_quantity_is_a_quantity() => Assert.Equal(
        1000, Send(Creation("""{ "containers": [ { "resources": { "requests": { "cpu": "\u0031" } } } ] }""")).Review.Pod!.Facts.Containers[0].Requests.CpuMilli);

    [Theory]
    [InlineData("\"kind\": \"AdmissionReview\"", "\"kind\": 7", "kind is not a string")]
    [InlineData("\"apiVersion\": \"admission.k8s.io/v1\"", "\"apiVersion\": {}", "apiVersion is not a string")]
    [InlineData("\"operation\": \"CREATE\"", "\"operation\": []", "request.operation is not a string")]
    [InlineData("\"namespace\": \"\"", "\"namespace\": false", "request.namespace is not a string")]
    [InlineData("\"kind\": { \"group\"", "\"kind\": 1, \"x\": { \"group\"", "request.kind is not an object")]
    [InlineData("\"version\": \"v1\"", "\"version\": 1", "request.kind.version is not a string")]
    public void A_wrong_type_in_the_envelope_is_no_review(string right, string wrong, string reason)
    {
        var review = Creation("""{ "containers": [] }""");
        Assert.Contains(right, review, StringComparison.Ordinal);

        var refused = Assert.Throws<NotAReviewException>(() => Send(review.Replace(right, wrong, StringComparison.Ordinal)));

        Assert.Equal(reason, refused.Message);
    }

    [Fact]
    public void Of_objects_that_stand_twice_the_last_counts_and_two_that_cannot_be_read_are_no_review()
    {
        const string good = """{ "metadata": { "name": "p" }, "spec": { "containers": [] } }""";

        Assert.Equal("p", Send(Objects("""{ "metadata": 1 }""", good)).Review.Pod!.Name);
        Assert.Equal("metadata", Send(Objects(good, """{ "metadata": 1 }""")).Review.UnreadablePath);
        Assert.Equal("metadata is not an object", Assert.Throws<NotAReviewException>(() => Send(Objects("""{ "metadata": 1 }""", """{ "metadata": 1 }"""))).Message);

        static string Objects(string first, string second) =>
            Review($$"""{ "uid": "u", "kind": {{PodKind}}, "operation": "CREATE", "object": {{first}}, "object": {{second}} }""");
    }

    // Go's decoder refuses a byte order mark too; white space at the end is JSON.
    [Fact]
    public void A_byte_order_mark_is_refused_and_white_space_at_the_end_is_not()
    {
        var review = Creation("""{ "containers": [] }""");

        Assert.StartsWith("the body is not JSON", Assert.Throws<NotAReviewException>(() => Send('\uFEFF' + review)).Message, StringComparison.Ordinal);
        Assert.StartsWith("the body is not JSON", Assert.Throws<NotAReviewException>(() => Send(review + '\0')).Message, StringComparison.Ordinal);
        Assert.Equal("u", Send(review + " \r\n\t").Review.Uid);
    }

    [Theory]
    [InlineData("""{ "generateName": "step-" }""", "step-")]
    [InlineData("""{ "name": "", "generateName": "step-" }""", "step-")]
    [InlineData("""{ "name": "step-1", "generateName": "step-" }""", "step-1")]
    [InlineData("""{ "name": null }""", "")]
    public void A_pod_without_a_name_goes_by_what_its_name_is_made_from(string metadata, string name) =>
        Assert.Equal(name, Send(Creation("""{ "containers": [] }""", metadata)).Review.Pod!.Name);

    static string Creation(string spec, string metadata = "{}") =>
        Review($$"""{ "uid": "u", "kind": {{PodKind}}, "operation": "CREATE", "namespace": "", "object": { "metadata": {{metadata}}, "spec": {{spec}} } }""");

    static string Many(int count, Func<int, string> item) => string.Join(',', Enumerable.Range(0, count).Select(item));

    static string Review(string request, string version = "admission.k8s.io/v1") =>
        $$"""{ "kind": "AdmissionReview", "apiVersion": "{{version}}", "request": {{request}} }""";

    static ReviewResult Send(string body) => WebhookCall.Send(Encoding.UTF8.GetBytes(body), View, CompiledSettings.Default).ReviewResult;
}
