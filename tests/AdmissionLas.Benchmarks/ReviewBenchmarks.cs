using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using BenchmarkDotNet.Attributes;

namespace AdmissionLas.Benchmarks;

/// <summary>
/// What a review costs, from its bytes to the answer's, beside a bare walk over the same bytes: the floor for anything that reads JSON.
/// The ratio travels between machines, the times do not.
/// </summary>
public class ReviewBenchmarks
{
    readonly AnswerBuffer answer = new();
    byte[] predict = [];
    byte[] training = [];
    byte[] other = [];
    ReviewHandler handler = null!;
    ClusterView view = null!;
    NodeUsageCache usageCache = null!;
    ClusterUsage usage = null!;
    ClusterUsage full = null!;
    int assumed;
    AdmissionReview review = null!;
    AdmittedPod pod = null!;
    Decision decision = null!;
    Step step = null!;

    /// <summary>How many nodes the cluster has.</summary>
    [Params(5, 500, 5000)]
    public int Nodes { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        view = new ClusterView(Workload.Nodes(Nodes));
        var state = new ClusterState(TimeProvider.System);
        state.Publish(view);
        usageCache = new NodeUsageCache(TimeProvider.System, TimeSpan.FromMinutes(1));
        usageCache.BeginList();
        for (var i = 0; i < 30 * Nodes; i++)
        {
            usageCache.Set($"pod-{i}", new PodUsage($"pod-{i}", view.Nodes[i % Nodes].Name, new Resources(100, 256L << 20)));
        }

        usageCache.EndList();
        usage = usageCache.Current;
        full = new ClusterUsage(view.Nodes.ToImmutableDictionary(n => n.Name, n => new NodeUsage(n.Allocatable, n.AllocatablePods)));
        handler = new ReviewHandler(new Settings(CompiledSettings.Default), state, usageCache, EnglishDecisionText.Instance);
        predict = Workload.Review("Predict", "LOCATION-7");
        training = Workload.Review("Training", null);
        other = Workload.Review("DataFetching", null);
        review = CompiledSettings.Default.Reader.Read(predict);
        pod = review.Pod!;
        step = CompiledSettings.Default.Rules.Classify(pod.Facts);
        decision = Decide();
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

    [Benchmark(Description = "predict: reading alone")]
    public object Read() => CompiledSettings.Default.Reader.Read(predict);

    [Benchmark(Description = "predict: words and writing alone")]
    public int Write()
    {
        var result = ReviewResult.Decided(review, decision, review.Uid, EnglishDecisionText.Instance);
        ReviewWriter.Write(answer, result, PatchWriter.Write(answer, decision, result.Explanation, pod, review.Uid));
        return answer.Answer.Written.Length;
    }

    [Benchmark(Description = "predict: the decision alone")]
    public Decision Decide() => PlacementEngine.Decide(step, pod.Facts, view, usage, CompiledSettings.Default.Policy);

    [Benchmark(Description = "predict: the decision when every node is full")]
    public Decision DecideFull() => PlacementEngine.Decide(step, pod.Facts, view, full, CompiledSettings.Default.Policy);

    /// <summary>One pod comes, is counted, read, and goes: what a review adds to the usage cache, and what the watch takes from it.</summary>
    [Benchmark(Description = "a pod counted, looked up and uncounted")]
    public NodeUsage Count()
    {
        var node = view.Nodes[++assumed % Nodes].Name;
        usageCache.Set("passing", new PodUsage("passing", node, new Resources(100, 256L << 20)));
        var counted = usageCache.Current.On(node);
        usageCache.Set("passing", null);
        return counted;
    }

    int Answer(byte[] review)
    {
        handler.Handle(review, answer);
        return answer.Answer.Written.Length;
    }

    // A benchmark of an answer that is not given would be fast.
    void Expect(byte[] review, string text)
    {
        Answer(review);
        if (!Encoding.UTF8.GetString(answer.Answer.Written.Span).Contains(text, StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"the answer lacks {text}: {Encoding.UTF8.GetString(answer.Answer.Written.Span)}");
        }
    }
}
