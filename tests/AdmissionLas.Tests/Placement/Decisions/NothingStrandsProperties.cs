using CsCheck;

namespace AdmissionLas.Tests.Placement;

/// <summary>
/// Whatever else is in the cluster: a pod that would run without us runs with us, evicts nobody whom it would not evict without us, and where it is
/// kept to near nodes the nearest wins. The second opinion is a model of the scheduler over JSON (<see cref="ScheduledCluster"/>).
/// </summary>
public sealed class NothingStrandsProperties
{
    const long Iterations = 100_000;

    [Fact]
    public void A_pod_that_would_run_without_us_runs_with_us_and_evicts_nobody()
    {
        var (run, kept) = (0, 0);
        CrowdedSituations.Any.Sample(
            situation =>
            {
                var without = situation.WithoutUs();
                var would = situation.Cluster.Fate(without);
                if (would.Nodes.Length == 0 || situation.Quota?.Admits(without) == false)
                {
                    return;
                }

                var (decision, pod) = situation.WithUs();
                Assert.True(situation.Quota?.Admits(pod) != false, "it is refused for the quota");
                if (MayWait(situation, decision, without))
                {
                    return;
                }

                Interlocked.Increment(ref run);
                var does = situation.Cluster.Fate(pod);
                Assert.True(does.Nodes.Length > 0, "it strands");
                Assert.True(would.Evicts || !does.Evicts, "it evicts others");
                if (decision is { Mode: PlacementMode.Adaptive, Required: not null } && does.Nodes.Length > 1 && IsScoredByWhatWeKnow(situation))
                {
                    Interlocked.Increment(ref kept);
                    AssertNearestWins(situation, decision, pod, does.Nodes);
                }
            },
            iter: Iterations, print: s => s.ToString());

        // It would say nothing if the situations were not such as to try it.
        Assert.True(run > Iterations / 4 && kept > Iterations / 200, $"of {Iterations} pods {run} run, and {kept} are kept to near nodes");
    }

    /// <summary>
    /// As documented, the mode Required ties a step to near nodes even when they are full. And the requests that a training step gets make it wait for
    /// room where its author or the admin wants that, or where the scheduler alone, or another one, or a later step knows which nodes it may have.
    /// </summary>
    static bool MayWait(CrowdedSituation situation, Decision decision, JsonObject without) =>
        decision is { Mode: PlacementMode.Required, HasRoom: false } ||
        (decision.Requests.Count > 0 && (situation.Policy.TrainingRequests == TrainingRequests.Full || PlacementProperties.SchedulerOnlyConstraint(without) ||
            situation.IsGated || without["spec"]!["schedulerName"] is not null));

    static bool IsScoredByWhatWeKnow(CrowdedSituation situation) =>
        situation.Policy is { ScoringStrategy: ScoringStrategy.LeastAllocated, Spread: SpreadMode.Nearest };

    static void AssertNearestWins(CrowdedSituation situation, Decision decision, JsonObject pod, NodeFacts[] able)
    {
        var points = DefaultScheduler.AllPoints(pod, able, situation.Nodes, situation.Cluster.Usage, SchedulerRelease.V36);
        var nearest = PlacementProperties.LatencyOf(decision.Chosen!, decision.Step.Location);
        var winners = able.Zip(points).Where(n => n.Second == points.Max()).Select(n => n.First);
        Assert.All(winners, n => Assert.Equal(nearest, PlacementProperties.LatencyOf(n, decision.Step.Location)));
    }
}
