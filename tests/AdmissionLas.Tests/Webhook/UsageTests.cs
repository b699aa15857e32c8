using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Webhook;

/// <summary>What one review leaves for the next.</summary>
public sealed class UsageTests
{
    static readonly ClusterView View = Nodes.View(Nodes.At("1", "near", cpu: "4"), Nodes.At("5", "next", cpu: "8"), Nodes.At("50", "far", cpu: "64"));

    const string Namespace = "kubeflow";

    readonly FakeTimeProvider time = new();
    int reviews;

    [Fact]
    public void A_burst_fills_the_nearest_node_and_goes_on_with_the_next()
    {
        var usageCache = Usages.UsageCache(time: time);

        var nodes = Enumerable.Range(0, 14).Select(_ => Review(usageCache)).ToArray();

        Assert.Equal((string?[])[.. Enumerable.Repeat("near", 4), .. Enumerable.Repeat("next", 8), "far", "far"], nodes);
    }

    [Fact]
    public void Reviews_on_many_threads_at_once_never_share_the_last_free_place()
    {
        for (var i = 0; i < 20; i++)
        {
            var usageCache = Usages.UsageCache(time: time);
            var nodes = new ConcurrentBag<string?>();

            Parallel.For(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ => nodes.Add(Review(usageCache)));

            Assert.Equal((4, 8, 28), (nodes.Count(n => n == "near"), nodes.Count(n => n == "next"), nodes.Count(n => n == "far")));
        }
    }

    [Fact]
    public void A_dry_run_gets_the_same_patch_and_does_not_count()
    {
        var usageCache = Usages.UsageCache(time: time);

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("near", Review(usageCache, request => request["dryRun"] = true));
        }

        Assert.Equal(0, usageCache.For(Namespace).On("near").Pods);
    }

    [Fact]
    public void A_pod_that_no_API_server_creates_gets_its_answer_and_does_not_count()
    {
        var usageCache = Usages.UsageCache(time: time);

        Assert.Equal("near", Review(usageCache, request => request["object"]!["metadata"]!["generateName"] = "Step_"));
        Assert.Equal("near", Review(usageCache, request => request["namespace"] = "Team.A"));
        Assert.Equal("near", Review(usageCache, request => request["object"]!["spec"]!["containers"]![0]!["name"] = null));

        Assert.Equal(0, usageCache.AssumedCount);
    }

    // What the node does not have decides nothing there, and an author may invent names.
    [Fact]
    public void Of_a_pod_the_resources_count_that_its_node_has()
    {
        var usageCache = Usages.UsageCache(time: time);

        Assert.NotNull(Review(usageCache, request => request["object"]!["spec"]!["containers"]![0]!["resources"]!["requests"]!["example.com/invented"] = "0"));

        Assert.Null(usageCache.For(Namespace).On("near").Requested.Other);
        Assert.Equal(1, usageCache.For(Namespace).On("near").Pods);
    }

    [Fact]
    public void A_second_call_for_the_same_pod_does_not_count_again()
    {
        var usageCache = Usages.UsageCache(time: time);
        var pod = WebhookCall.Review(OneCpu(), View, usageCache).Pod;

        Assert.Equal("near", Review(usageCache, request => request["object"] = pod.DeepClone()));

        Assert.Equal(1, usageCache.For(Namespace).On("near").Pods);
        Assert.Equal(1, usageCache.AssumedCount);
    }

    [Fact]
    public void A_second_call_takes_the_room_that_the_first_one_reserved()
    {
        var usageCache = Usages.UsageCache(Usages.Of(("near", new(Amounts.Of("3"), 1))), time);
        var pod = WebhookCall.Review(OneCpu(), View, usageCache).Pod;

        Assert.Equal("near", Review(usageCache, request => request["object"] = pod.DeepClone()));
        Assert.Equal("next", Review(usageCache));
    }

    [Fact]
    public void A_second_call_for_a_pod_that_has_grown_gives_the_room_back_and_takes_more_elsewhere()
    {
        var usageCache = Usages.UsageCache(Usages.Of(("near", new(Amounts.Of("3"), 1))), time);
        var pod = WebhookCall.Review(OneCpu(), View, usageCache).Pod;
        pod["spec"]!["containers"]!.AsArray().Add(JsonNode.Parse("""{ "name": "injected", "resources": { "requests": { "cpu": "500m" } } }"""));

        Assert.Equal("next", Review(usageCache, request => request["object"] = pod.DeepClone()));

        Assert.Equal((3000L, 1500L), (usageCache.For(Namespace).On("near").Requested.CpuMilliOrZero, usageCache.For(Namespace).On("next").Requested.CpuMilliOrZero));
    }

    [Fact]
    public void Each_pod_of_a_template_that_was_made_of_a_decided_pod_counts()
    {
        var usageCache = Usages.UsageCache(time: time);
        var template = WebhookCall.Review(OneCpu(), View).Pod;

        var nodes = Enumerable.Range(0, 5).Select(_ => Review(usageCache, request => request["object"] = template.DeepClone()));

        Assert.Equal((IEnumerable<string?>)["near", "near", "near", "near", "next"], nodes);
    }

    [Fact]
    public void Training_counts_with_the_requests_it_gets_from_us()
    {
        var usageCache = Usages.UsageCache(time: time);

        Assert.Equal("far", Review(usageCache, request => request["object"] = Pods.TrainingJson()));

        Assert.Equal(Amounts.Of("2", "4Gi"), usageCache.For(Namespace).On("far").Requested);
    }

    [Fact]
    public void What_is_left_to_the_scheduler_or_has_to_wait_does_not_count()
    {
        var usageCache = Usages.UsageCache(Usages.Of(("near", new(Amounts.Of("4"), 1)), ("next", new(Amounts.Of("8"), 1)), ("far", new(Amounts.Of("64"), 1))), time);
        var before = usageCache.Count;

        Assert.Equal("near", Review(usageCache));
        Assert.Null(Review(usageCache, request => request["object"] = Pods.PredictJson("nowhere")));
        Assert.Null(Review(usageCache, request => request["object"] = Pods.Json("{}")));

        Assert.Equal(before, usageCache.Count);
    }

    static JsonObject OneCpu() => Pods.PredictJson(spec: """{ "containers": [ { "name": "main", "resources": { "requests": { "cpu": "1" } } } ] }""");

    string? Review(NodeUsageCache usageCache, Action<JsonObject>? change = null)
    {
        var review = SampleReview.Of(OneCpu(), $"review-{Interlocked.Increment(ref reviews)}");
        change?.Invoke(review["request"]!.AsObject());
        return WebhookCall.Send(Encoding.UTF8.GetBytes(review.ToJsonString()), View, CompiledSettings.Default, usageCache).ReviewResult.Decision?.Chosen?.Name;
    }
}
