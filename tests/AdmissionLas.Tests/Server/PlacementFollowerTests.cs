using System.Text.Json;
using AdmissionLas.Observers;
using AdmissionLas.Realised;
using AdmissionLas.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace AdmissionLas.Tests.Server;

/// <summary>What is counted of the pods that a reflector reports.</summary>
public sealed class PlacementFollowerTests : IDisposable
{
    static readonly ClusterView View = Nodes.View(Nodes.At("1", "near"), Nodes.At("4", "next"), Nodes.At("30", "far"));

    readonly ServiceProvider services = new ServiceCollection().AddMetrics().AddSingleton(TimeProvider.System).AddSingleton<ClusterState>()
        .AddSingleton(Usages.UsageCache()).AddSingleton<WebhookMetrics>().BuildServiceProvider();
    readonly RecentDecisions decisions = new(kept: 10, mostViewers: 1, TimeProvider.System);
    readonly KubeApi api = new(new() { Host = "http://127.0.0.1:1" }, TimeProvider.System);
    readonly Measurements measured;
    readonly IResourceEventHandler informer;

    public PlacementFollowerTests()
    {
        var state = services.GetRequiredService<ClusterState>();
        state.Publish(View);
        var metrics = services.GetRequiredService<WebhookMetrics>();
        measured = new Measurements(metrics);
        var follower = new PlacementFollower(ns => ns is "team" or "kube-system", state, new Settings(CompiledSettings.Default), metrics, decisions);
        informer = new PodInformer(api, services.GetRequiredService<NodeUsageCache>(), (_, _) => true, TimeProvider.System, NullLogger<PodInformer>.Instance, follower);
        HasListed();
    }

    public void Dispose()
    {
        measured.Dispose();
        services.Dispose();
        api.Dispose();
    }

    [Fact]
    public void Each_step_counts_once_when_it_is_bound()
    {
        Runs("a", "near");
        Runs("b", "near");
        Runs("c", "far");
        informer.OnAddOrUpdate(Placed("a", "near"));
        informer.OnAddOrUpdate(Placed("a", "far"));

        Assert.Equal([("predict/as-decided", 2), ("predict/elsewhere", 1)], Placements());
        Assert.Equal([0, 0, 0.029], measured.Of("admission_las.realised_regret").Select(r => Math.Round(r, 6)));
    }

    [Fact]
    public void A_step_that_waits_counts_as_nothing_yet_and_never_when_it_is_deleted()
    {
        informer.OnAdded(Placed("a"));
        informer.OnAddOrUpdate(Placed("a"));
        informer.OnDelete(Placed("a"));
        informer.OnAddOrUpdate(Placed("a", "near"));

        Assert.Empty(Placements());
    }

    [Fact]
    public void What_a_list_finds_running_is_history_and_what_it_finds_waiting_is_not()
    {
        informer.OnAdded(Placed("meanwhile"));
        HasListed(Placed("before", "near"), Placed("meanwhile", "near"), Placed("waiting"), Bare("unplaced"));
        informer.OnAddOrUpdate(Placed("before", "near"));
        informer.OnAddOrUpdate(Placed("meanwhile", "near"));
        informer.OnAddOrUpdate(Placed("waiting", "near"));
        informer.OnAddOrUpdate(Bare("unplaced"));

        Assert.Equal([("predict/as-decided", 1)], Placements());
        Assert.Equal(0, Bypassed());
    }

    [Fact]
    public void A_node_without_a_latency_counts_but_tells_no_distance()
    {
        Runs("a", "unmeasured");

        Assert.Equal([("predict/elsewhere", 1)], Placements());
        Assert.Empty(measured.Of("admission_las.realised_regret"));
    }

    [Fact]
    public void A_step_without_a_decision_counts_once_when_it_is_created()
    {
        informer.OnAdded(Bare("a"));
        informer.OnAddOrUpdate(Bare("a"));
        informer.OnAddOrUpdate(Bare("a", p => p["spec"]!["nodeName"] = "far"));

        Assert.Equal(1, Bypassed());
        Assert.Empty(Placements());
    }

    [Fact]
    public void What_the_webhook_would_have_left_alone_was_not_bypassed()
    {
        informer.OnAdded(Bare("no step", p => p["metadata"]!["labels"] = new JsonObject()));
        informer.OnAdded(Bare("its author wants none", p => p["metadata"]!["annotations"] = new JsonObject { [PodHints.PlacementKey] = "off" }));
        informer.OnAdded(Bare("its author has bound it", p => p["spec"]!["nodeName"] = "far"));
        informer.OnAdded(Bare("its namespace has not opted in", p => p["metadata"]!["namespace"] = "other"));
        informer.OnAdded(Bare("its namespace never goes to the webhook", p => p["metadata"]!["namespace"] = "kube-system"));

        Assert.Equal(0, Bypassed());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{ "version": 1, "type": "Invented", "outcome": "Placed", "mode": "Adaptive", "node": "near" }""")]
    [InlineData("""{ "version": 1, "type": "Predict", "outcome": "Placed", "mode": "Adaptive" }""")]
    public void A_record_that_an_author_made_up_counts_as_nothing(string record)
    {
        informer.OnAdded(Pod("a", record));
        informer.OnAddOrUpdate(Pod("a", record, "near"));
        informer.OnAdded(Placed("b", ns: "other"));
        informer.OnAddOrUpdate(Placed("b", "near", ns: "other"));

        Assert.Empty(Placements());
    }

    [Fact]
    public void Of_more_waiting_steps_than_a_cluster_has_no_more_are_followed()
    {
        for (var i = 0; i <= PlacementFollower.MaxWaiting; i++)
        {
            informer.OnAdded(Pod($"{i}", "{}"));
        }

        Runs("one more", "near");
        Assert.Empty(Placements());

        informer.OnDelete(Pod("0", "{}"));
        informer.OnDelete(Pod("1", "{}"));
        Runs("now", "near");
        Assert.Equal([("predict/as-decided", 1)], Placements());
    }

    [Fact]
    public void Text_that_is_not_unicode_stops_nothing()
    {
        informer.OnAdded(JsonDocument.Parse("""{ "metadata": { "uid": "a", "namespace": "\ud800", "annotations": { "admissionlas.io/record": "\ud800" } } }""").RootElement);
        Runs("b", "near");

        Assert.Equal([("predict/as-decided", 1)], Placements());
    }

    [Fact]
    public void A_viewer_learns_where_the_pod_of_a_decision_runs_and_so_does_one_that_comes_later()
    {
        decisions.Answered(Observations.Of(View.Decide(Pods.Predict())));
        Assert.True(decisions.TryFollow(null, out var viewer));

        Runs("a", "far");
        // A copy of it, with its annotations.
        Runs("copy", "near");

        Assert.True(viewer.Reader.TryRead(out var told));
        Assert.Equal(new RunsOn("far", PlacementResult.Elsewhere), told.RunsOn);
        Assert.False(viewer.Reader.TryRead(out _));
        viewer.Dispose();
        Assert.True(decisions.TryFollow(decisions.IdOf(told), out var later));
        Assert.Empty(later.Missed);
        Assert.Equal(told, Assert.Single(later.Bound));
    }

    void Runs(string uid, string node)
    {
        informer.OnAdded(Placed(uid));
        informer.OnAddOrUpdate(Placed(uid, node));
    }

    void HasListed(params JsonElement[] pods)
    {
        informer.OnListStarted();
        Array.ForEach(pods, informer.OnListed);
        informer.OnListCompleted();
    }

    IEnumerable<(string, double)> Placements() => measured.Sums("admission_las.placements");

    double Bypassed() => measured.Of("admission_las.bypassed_steps").Sum();

    static JsonElement Bare(string uid, Action<JsonObject>? change = null) => YamlJson.ToElement(Json(uid).With(change ?? (_ => { })));

    // The decision names the nearest alone, so every other node is elsewhere.
    static JsonElement Placed(string uid, string? node = null, string ns = "team") => Pod(
        uid, """{ "version": 1, "type": "Predict", "outcome": "Placed", "mode": "Adaptive", "node": "near", "location": "here", "required": ["near"] }""", node, ns);

    static JsonElement Pod(string uid, string record, string? node = null, string ns = "team") => YamlJson.ToElement(Json(uid).With(p =>
    {
        p["metadata"]!["namespace"] = ns;
        p["metadata"]!["annotations"] = new JsonObject { [PodHints.RecordKey] = record, [PodHints.AssumedKey] = "near/a-uid" };
        p["spec"]!["nodeName"] = node;
    }));

    static JsonObject Json(string uid) => Pods.PredictJson().With(p =>
    {
        p["metadata"]!["uid"] = uid;
        p["metadata"]!["namespace"] = "team";
    });
}
