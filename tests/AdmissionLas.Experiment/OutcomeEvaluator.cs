using System.Diagnostics;

namespace AdmissionLas.Experiment;

/// <summary>What a run came to.</summary>
/// <param name="Scenario">Where.</param>
/// <param name="Strategy">Who.</param>
/// <param name="Seed">With which made-up cluster and pods.</param>
/// <param name="Predict">Predict pods that were bound.</param>
/// <param name="OnNearest">Those of them that are on a node with the lowest latency of all that could run them when they were bound.</param>
/// <param name="OnNearestOfThatInstant">The same, as if the room were free that pods which waited or were being created were given an instant later.</param>
/// <param name="MeanBestMs">The mean of these lowest latencies.</param>
/// <param name="MeanRegretMs">How much the mean latency is above that.</param>
/// <param name="P99RegretMs">The 99th percentile of what one pod is above it.</param>
/// <param name="Stranded">Pods that were still pending at the end while some node could run them.</param>
/// <param name="Evicted">Pods that are gone although the plan deletes none of them.</param>
/// <param name="Named">Predict pods for which the webhook named a node with room.</param>
/// <param name="OnNamed">Those of them that are on that node.</param>
/// <param name="Training">Training pods that were bound.</param>
/// <param name="TrainingOnCloud">Those of them on cloud nodes.</param>
/// <param name="MeanBoundMs">From the request to create a pod until it is bound, the mean.</param>
/// <param name="P99BoundMs">The same, the 99th percentile.</param>
/// <param name="Misses">The pods that are not on the nearest node, and why.</param>
sealed record Outcomes(
    string Scenario, string Strategy, int Seed, int Predict, int OnNearest, int OnNearestOfThatInstant, double MeanBestMs, double MeanRegretMs, double P99RegretMs, int Stranded,
    int Evicted, int Named, int OnNamed, int Training, int TrainingOnCloud, double MeanBoundMs, double P99BoundMs, IReadOnlyList<Miss> Misses)
{
    internal double NearestShare => Predict == 0 ? 1 : OnNearest / (double)Predict;

    internal double StrictShare => Predict == 0 ? 1 : OnNearestOfThatInstant / (double)Predict;

    internal double RegretShare => MeanBestMs == 0 ? 0 : MeanRegretMs / MeanBestMs;

    internal double TruthShare => Named == 0 ? 1 : OnNamed / (double)Named;

    /// <summary>At least 99% on the nearest node and on the node that the decision names, less than 1% of latency lost, no pod stranded or evicted.</summary>
    internal bool MeetsGoal => NearestShare >= 0.99 && TruthShare >= 0.99 && RegretShare < 0.01 && Stranded == 0 && Evicted == 0;
}

/// <summary>A pod that is not on the nearest node that could run it.</summary>
/// <param name="Pod">Its name.</param>
/// <param name="Why">Who sent it elsewhere.</param>
/// <param name="BestNode">The nearest.</param>
/// <param name="BestMs">Its latency.</param>
/// <param name="Node">Where it is.</param>
/// <param name="Ms">The latency there.</param>
/// <param name="BestPoints">What the scheduler's plugins beside affinity make of the nearest.</param>
/// <param name="Points">And of the other.</param>
/// <param name="Decision">What the webhook said.</param>
sealed record Miss(string Pod, string Why, string BestNode, double BestMs, string Node, double Ms, double BestPoints, double Points, string? Decision)
{
    /// <summary>The points that the scheduler itself gave the nearest, by plugin; <see langword="null"/> where it gave none, or its log was not kept.</summary>
    internal IReadOnlyDictionary<string, long>? BestScores { get; init; }

    /// <summary>And the other.</summary>
    internal IReadOnlyDictionary<string, long>? Scores { get; init; }
}

/// <summary>
/// Plays a record again, event by event in the order of the store, and compares each predict pod's node with all that could run the pod
/// at the moment before its binding: Ready, not cordoned, taints tolerated, the author's selectors met, room beside what is bound there.
/// </summary>
/// <remarks>
/// In a burst the scheduler does not bind in the order in which the webhook was asked. So the last place on a node may still look free to a pod
/// that is bound a moment before the one it was given to. Either could have it and not both: such room, of pods that waited or were being created
/// at that moment and were bound to the node later, counts as taken. The stricter count is reported beside it.
/// </remarks>
static class OutcomeEvaluator
{
    internal static Outcomes Of(Scenario scenario, Strategy strategy, int seed, Recording recording)
    {
        var cluster = new ClusterAt();
        var inFlight = new InFlight(recording);
        List<(double BestMs, double Ms)> placed = [];
        var onNearestOfThatInstant = 0;
        List<double> boundMs = [];
        List<Miss> misses = [];
        int training = 0, onCloud = 0, named = 0, onNamed = 0;
        foreach (var seen in recording.Events)
        {
            if (seen is { IsPod: true, IsGone: false, Node: { } name } && cluster.NodeOf(seen.Name) is null &&
                recording.Created.TryGetValue(seen.Name, out var created) && created.Pod.Kind != PodKind.Other)
            {
                boundMs.Add(Stopwatch.GetElapsedTime(created.CreatedAt, seen.At).TotalMilliseconds);
                if (created.Pod.Kind == PodKind.Training)
                {
                    training++;
                    onCloud += cluster.Node(name)?.Label(Objects.Tier) == "cloud" ? 1 : 0;
                }
                else
                {
                    if (seen.Annotation(PodHints.AssumedKey) is not null && seen.Record is { } record)
                    {
                        named++;
                        onNamed += record.NodeName == name ? 1 : 0;
                    }

                    var spokenFor = inFlight.At(seen);
                    placed.Add(Compare(cluster, created.Pod, seen, name, spokenFor, misses));
                    onNearestOfThatInstant += Compare(cluster, created.Pod, seen, name, [], []) is var (bestMs, ms) && ms <= bestMs ? 1 : 0;
                }
            }

            cluster.Apply(seen);
        }

        var regrets = placed.Select(p => p.Ms - p.BestMs).ToArray();
        var stranded = recording.Alive.Count(p => p.Kind != PodKind.Other && cluster.NodeOf(p.Name) is null && cluster.AbleTo(p.Facts).Length > 0);
        var evicted = recording.Alive.Count(p => !cluster.IsKnown(p.Name));
        return new Outcomes(
            scenario.Name, strategy.Name, seed, placed.Count, regrets.Count(r => r <= 0), onNearestOfThatInstant, placed.Select(p => p.BestMs).DefaultIfEmpty().Average(),
            regrets.DefaultIfEmpty().Average(), Percentile(regrets, 0.99), stranded, evicted, named, onNamed, training, onCloud,
            boundMs.DefaultIfEmpty().Average(), Percentile([.. boundMs], 0.99), misses);
    }

    static (double BestMs, double Ms) Compare(ClusterAt cluster, PlannedPod pod, Seen seen, string name, IEnumerable<(string, Resources)> spokenFor, List<Miss> misses)
    {
        var able = cluster.AbleTo(pod.Facts, spokenFor);
        var node = cluster.Node(name);
        var ms = node is null ? double.NaN : ClusterAt.LatencyMs(node, pod.Location!) ?? double.NaN;
        // A node may go while the binding is under way; then nothing can be said of it.
        if (double.IsNaN(ms))
        {
            return (0, 0);
        }

        var best = able.MinBy(n => ClusterAt.LatencyMs(n, pod.Location!) ?? double.MaxValue) ?? node!;
        var bestMs = Math.Min(ms, ClusterAt.LatencyMs(best, pod.Location!)!.Value);
        if (bestMs < ms)
        {
            // The pod as it is bound, with our requests if it got any.
            var score = new SchedulerScoring(pod.Facts, cluster.View, cluster.Usage, ScoringStrategy.LeastAllocated);
            misses.Add(new Miss(pod.Name, Why(seen, best.Name), best.Name, bestMs, name, ms, score.LoadScore(best).Most, score.LoadScore(node!).Most, seen.Decision));
        }

        return (bestMs, ms);
    }

    static string Why(Seen seen, string best) =>
        seen.Record is not { } record ? "the step has no record"
        : record.NodeName == best ? "the scheduler chose another than the webhook"
        : seen.Annotation(PodHints.AssumedKey) is null ? "nothing had room when the webhook was asked"
        : "the nearest had no room yet when the webhook was asked";

    /// <summary>The pods that exist or are being created at a moment and are bound later.</summary>
    sealed class InFlight
    {
        readonly List<(long SentAt, long BoundIn, string Node, Resources Request)> all = [];

        internal InFlight(Recording recording)
        {
            foreach (var pod in recording.Events.Where(e => e is { IsPod: true, IsGone: false }).GroupBy(e => e.Name))
            {
                if (pod.FirstOrDefault(e => e.Node is not null) is { } bound && bound.Version > pod.First().Version)
                {
                    all.Add((recording.Created.TryGetValue(pod.Key, out var created) ? created.CreatedAt : pod.First().At, bound.Version, bound.Node!, EffectiveRequest.Of(ClusterAt.FactsOf(bound.Object))));
                }
            }
        }

        internal IEnumerable<(string Node, Resources Request)> At(Seen moment) =>
            all.Where(p => p.SentAt < moment.At && p.BoundIn > moment.Version).Select(p => (p.Node, p.Request));
    }

    static double Percentile(double[] values, double share)
    {
        if (values.Length == 0)
        {
            return 0;
        }

        Array.Sort(values);
        return values[(int)Math.Ceiling(share * values.Length) - 1];
    }
}
