using System.Collections.Concurrent;
using AdmissionLas.Observers;
using AdmissionLas.Server;
using Microsoft.AspNetCore.Http;
using static AdmissionLas.Tests.Support.FakeApiServer;

namespace AdmissionLas.Tests.Observers;

/// <summary>The whole way from a review to the API server, and what happens when that one does not want events.</summary>
public sealed class EventSenderTests
{
    [Fact]
    public async Task A_burst_of_200_is_a_few_events_about_the_owners_and_every_pod_is_answered()
    {
        await using var api = await ApiAsync();
        var written = Record(api);
        await using var webhook = await RunningWebhook.StartAsync(source: new ClusterSource.ApiServer(api.Configuration));
        await KnowsNodesAsync(webhook);

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => webhook.ReviewAsync(OwnedBy($"run-{i}"))));

        Assert.All(answers, a => Assert.True(a["allowed"]!.GetValue<bool>()));
        await Eventually.IsTrueAsync("the first events are written", () => Task.FromResult(written.Count == EventAggregator.MaxSentSingly));
        Assert.All(written, e =>
        {
            Assert.Equal("Workflow", $"{e["involvedObject"]!["kind"]}");
            Assert.StartsWith("run-", $"{e["involvedObject"]!["name"]}", StringComparison.Ordinal);
            Assert.Equal(("LocationUnknown", "Warning", 1), ($"{e["reason"]}", $"{e["type"]}", e["count"]!.GetValue<int>()));
            Assert.Equal("Pod step-: this prediction step may run far from NOWHERE: no such place is known; did you mean HERE?", $"{e["message"]}");
        });
    }

    [Fact]
    public async Task Nothing_is_told_of_steps_that_are_placed_or_only_tried()
    {
        await using var api = await ApiAsync();
        var written = Record(api);
        await using var webhook = await RunningWebhook.StartAsync(source: new ClusterSource.ApiServer(api.Configuration));
        await KnowsNodesAsync(webhook);

        await webhook.ReviewAsync(RunningWebhook.Predict("HERE"));
        using var dryRun = await webhook.PostAsync(RunningWebhook.Json(AdmissionLas.Webhook.SampleReview.Of(OwnedBy("tried"), "a-uid").With(r => r["request"]!["dryRun"] = true).ToJsonString()));
        // In order: once the last is written, those before it would be.
        await webhook.ReviewAsync(OwnedBy("real"));

        await Eventually.IsTrueAsync("an event is written", () => Task.FromResult(!written.IsEmpty));
        Assert.Equal("real", $"{Assert.Single(written)["involvedObject"]!["name"]}");
    }

    [Fact]
    public async Task Nothing_is_written_into_a_namespace_that_has_not_opted_in()
    {
        await using var api = await ApiAsync();
        var written = Record(api);
        await using var webhook = await RunningWebhook.StartAsync(source: new ClusterSource.ApiServer(api.Configuration));
        await KnowsNodesAsync(webhook);

        await webhook.ReviewAsync(OwnedBy("kube-proxy").With(pod => pod["metadata"]!["namespace"] = "kube-system"));
        // In order: once the last is written, those before it would be.
        await webhook.ReviewAsync(OwnedBy("real"));

        await Eventually.IsTrueAsync("an event is written", () => Task.FromResult(!written.IsEmpty));
        Assert.Equal("real", $"{Assert.Single(written)["involvedObject"]!["name"]}");
    }

    [Fact]
    public async Task A_pod_without_an_owner_is_named_itself()
    {
        await using var api = await ApiAsync();
        var written = Record(api);
        await using var webhook = await RunningWebhook.StartAsync(source: new ClusterSource.ApiServer(api.Configuration));
        await KnowsNodesAsync(webhook);
        var pod = RunningWebhook.Predict("NOWHERE");
        pod["metadata"]!["name"] = "by-hand";

        await webhook.ReviewAsync(pod);

        await Eventually.IsTrueAsync("an event is written", () => Task.FromResult(!written.IsEmpty));
        var about = written.Single()["involvedObject"]!;
        Assert.Equal(("v1", "Pod", "by-hand"), ($"{about["apiVersion"]}", $"{about["kind"]}", $"{about["name"]}"));
    }

    [Theory]
    [InlineData(403)]
    [InlineData(500)]
    public async Task An_api_server_that_takes_no_events_costs_no_pod_anything(int status)
    {
        await using var api = await ApiAsync();
        var asked = 0;
        api.Events = http =>
        {
            Interlocked.Increment(ref asked);
            return Status(status)(http);
        };
        await using var webhook = await RunningWebhook.StartAsync(source: new ClusterSource.ApiServer(api.Configuration));
        await KnowsNodesAsync(webhook);

        await webhook.ReviewAsync(OwnedBy("first"));
        await Eventually.IsTrueAsync("the API server is asked", () => Task.FromResult(Volatile.Read(ref asked) == 1));
        await webhook.ReviewAsync(OwnedBy("second"));
        await Eventually.IsTrueAsync("and asked again", () => Task.FromResult(Volatile.Read(ref asked) == 2));
    }

    [Fact]
    public async Task Events_can_be_turned_off()
    {
        await using var api = await ApiAsync();
        var written = Record(api);
        await using var webhook = await RunningWebhook.StartAsync(new() { ["events:enabled"] = "false" }, new ClusterSource.ApiServer(api.Configuration));
        await using var other = await RunningWebhook.StartAsync(source: new ClusterSource.ApiServer(api.Configuration));
        await KnowsNodesAsync(webhook);
        await KnowsNodesAsync(other);

        await webhook.ReviewAsync(OwnedBy("untold"));
        await other.ReviewAsync(OwnedBy("told"));

        await Eventually.IsTrueAsync("an event is written", () => Task.FromResult(!written.IsEmpty));
        Assert.Equal("told", $"{Assert.Single(written)["involvedObject"]!["name"]}");
    }

    static async Task<FakeApiServer> ApiAsync()
    {
        var api = await StartAsync();
        api.Pods = http => http.Request.Query.ContainsKey("watch") ? Watch(staysOpen: true)(http) : List("1", null)(http);
        api.Namespaces = http => (http.Request.Query.ContainsKey("watch")
            ? Watch(staysOpen: true) : List("1", null, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "kubeflow" } }))(http);
        var node = Node("near", "1");
        node["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
            ["allocatable"] = new JsonObject { ["cpu"] = "8", ["memory"] = "8Gi", ["pods"] = "100" },
        };
        return api.OnList(List("1", null, node)).OnWatch(Watch(staysOpen: true));
    }

    static ConcurrentQueue<JsonObject> Record(FakeApiServer api)
    {
        var written = new ConcurrentQueue<JsonObject>();
        api.Events = async http =>
        {
            using var body = new StreamReader(http.Request.Body);
            var text = await body.ReadToEndAsync();
            written.Enqueue(JsonNode.Parse(text)!.AsObject());
            http.Response.StatusCode = StatusCodes.Status201Created;
            await http.Response.WriteAsync(text);
        };
        return written;
    }

    static Task KnowsNodesAsync(RunningWebhook webhook) => Eventually.IsTrueAsync("the webhook is ready", async () =>
    {
        using var response = await webhook.Client.GetAsync(webhook.Health("/readyz"));
        // Pods are listed once the namespaces are known.
        return response.IsSuccessStatusCode && webhook.UsageCache.IsFollowed;
    });

    static JsonObject OwnedBy(string run) => RunningWebhook.Predict("NOWHERE").With(pod => pod["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject
    {
        ["apiVersion"] = "argoproj.io/v1alpha1",
        ["kind"] = "Workflow",
        ["name"] = run,
        ["uid"] = $"uid-of-{run}",
        ["controller"] = true,
    }));
}
