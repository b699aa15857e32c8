using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using AdmissionLas.Admission;
using AdmissionLas.Kubernetes;
using AdmissionLas.Placement;
using BenchmarkDotNet.Attributes;

namespace AdmissionLas.Benchmarks;

/// <summary>
/// What a review costs, from its bytes to the answer's, beside a bare walk over the same bytes: the floor for anything that reads JSON.
/// The ratio travels between machines, the times do not.
/// </summary>
public class ReviewBenchmarks
{
    const int Locations = 20;

    readonly ArrayBufferWriter<byte> answer = new(64 * 1024);
    byte[] predict = [];
    byte[] training = [];
    byte[] other = [];
    ReviewHandler handler = null!;
    ClusterView view = null!;
    UsageLedger ledger = null!;
    ClusterUsage usage = null!;
    ClusterUsage full = null!;
    int assumed;
    AdmittedPod pod = null!;
    Step step = null!;

    /// <summary>How many nodes the cluster has.</summary>
    [Params(5, 500, 5000)]
    public int Nodes { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        view = new ClusterView(Enumerable.Range(0, Nodes).Select(Node));
        var state = new ClusterState(TimeProvider.System);
        state.Publish(view);
        // A review of a dry run decides as any other and counts nothing, so that the thousandth one meets the same cluster as the first.
        ledger = new UsageLedger(TimeProvider.System, TimeSpan.FromMinutes(1));
        ledger.BeginList();
        for (var i = 0; i < 30 * Nodes; i++)
        {
            ledger.Set($"pod-{i}", new PodClaim($"pod-{i}", view.Nodes[i % Nodes].Name, new Resources(100, 256L << 20), IsBound: true, Review: null));
        }

        ledger.EndList();
        usage = ledger.Current;
        full = new ClusterUsage(view.Nodes.ToImmutableDictionary(n => n.Name, n => new NodeUsage(n.Allocatable, n.AllocatablePods)));
        handler = new ReviewHandler(new Settings(CompiledSettings.Default), state, ledger);
        predict = Review(pod => SetLabels(pod, "Predict", "LOCATION-7"));
        training = Review(pod => SetLabels(pod, "Training", null));
        other = Review(pod => SetLabels(pod, "DataFetching", null));
        pod = CompiledSettings.Default.Reader.Read(predict).Pod!;
        step = CompiledSettings.Default.Rules.Classify(pod.Facts);
        Expect(predict, "\"patch\"");
        Expect(training, "\"patch\"");
    }

    [Benchmark(Baseline = true, Description = "bare Utf8JsonReader walk")]
    public int Walk()
    {
        var reader = new Utf8JsonReader(predict);
        var tokens = 0;
        while (reader.Read())
        {
            tokens++;
        }

        return tokens;
    }

    [Benchmark(Description = "predict: review to answer")]
    public int Predict() => Answer(predict);

    [Benchmark(Description = "training: review to answer")]
    public int Training() => Answer(training);

    [Benchmark(Description = "other step: review to answer")]
    public int Other() => Answer(other);

    [Benchmark(Description = "predict: the decision alone")]
    public Decision Decide() => PlacementEngine.Decide(step, pod.Facts, view, usage, CompiledSettings.Default.Policy);

    [Benchmark(Description = "predict: the decision when every node is full")]
    public Decision DecideFull() => PlacementEngine.Decide(step, pod.Facts, view, full, CompiledSettings.Default.Policy);

    /// <summary>One pod comes, is counted, read, and goes: what a review adds to the ledger, and what the watch takes from it.</summary>
    [Benchmark(Description = "a pod counted, looked up and uncounted")]
    public NodeUsage Count()
    {
        var node = view.Nodes[++assumed % Nodes].Name;
        ledger.Set("passing", new PodClaim("passing", node, new Resources(100, 256L << 20), IsBound: true, Review: null));
        var counted = ledger.Current.On(node);
        ledger.Set("passing", null);
        return counted;
    }

    int Answer(byte[] review)
    {
        answer.ResetWrittenCount();
        handler.Handle(review, answer);
        return answer.WrittenCount;
    }

    // A benchmark of an answer that is not given would be fast.
    void Expect(byte[] review, string text)
    {
        Answer(review);
        if (!Encoding.UTF8.GetString(answer.WrittenSpan).Contains(text, StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"the answer lacks {text}: {Encoding.UTF8.GetString(answer.WrittenSpan)}");
        }
    }

    static NodeFacts Node(int i) => new()
    {
        Name = string.Create(CultureInfo.InvariantCulture, $"node-{i:0000}"),
        Labels = Enumerable.Range(0, Locations)
            .Select(l => KeyValuePair.Create(
                string.Create(CultureInfo.InvariantCulture, $"LOCATION-{l}"),
                string.Create(CultureInfo.InvariantCulture, $"{0.1 + ((i * 7919 + l * 104729) % 100_000 / 1000.0)}ms")))
            .Append(new(NodeSelectorTerm.HostnameKey, string.Create(CultureInfo.InvariantCulture, $"node-{i:0000}")))
            .Append(new("admissionlas.io/tier", i % 10 == 0 ? "cloud" : "edge"))
            .ToDictionary(),
        IsReady = true,
        Allocatable = i % 10 == 0 ? new Resources(32_000, 128L << 30) : new Resources(4_000, 16L << 30),
        AllocatablePods = 110,
    };

    static void SetLabels(JsonObject pod, string type, string? location)
    {
        var labels = pod["metadata"]!["labels"]!.AsObject();
        labels["typeOfComponent"] = type;
        labels.Remove("OurLocation");
        if (location is not null)
        {
            labels["OurLocation"] = location;
        }
    }

    static byte[] Review(Action<JsonObject> change)
    {
        using var text = File.OpenText(Path.Combine(AppContext.BaseDirectory, "Corpus", "kfp-v2-big", "pod.yaml"));
        var pod = JsonObject.Create(YamlJson.ReadObjects(text)[0])!;
        change(pod);
        var review = SampleReview.Of(pod, "2f6e8a4c-5b1d-4e0a-9d5e-0c7b3a9f1d22");
        review["request"]!["dryRun"] = true;
        return Encoding.UTF8.GetBytes(review.ToJsonString());
    }
}
