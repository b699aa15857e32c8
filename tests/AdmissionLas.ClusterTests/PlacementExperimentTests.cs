using AdmissionLas.Experiment;

namespace AdmissionLas.ClusterTests;

/// <summary>The experiment of scripts/placement-experiment.sh in small: one pod at a time, so that nothing depends on who is faster.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class PlacementExperimentTests(ControlPlane cluster)
{
    const string Location = "SMALL-SITE";

    static readonly Scenario Small = new("small", "two edge nodes and a cloud node with the image", _ => new Plan(
        [
            Objects.Node("small-edge-1", "2", "4Gi", "edge", [(Location, 1)]),
            Objects.Node("small-edge-2", "2", "4Gi", "edge", [(Location, 5)]),
            Objects.Node("small-cloud", "16", "64Gi", "cloud", [(Location, 20)], new JsonArray(new JsonObject { ["names"] = new JsonArray(Objects.Image), ["sizeBytes"] = 4_000_000_000 })),
        ],
        [
            .. OneByOne("before", 7),
            new Act.Depart(["before-1", "before-2"]),
            new Act.Settle(),
            .. OneByOne("after", 3),
            new Act.Vanish("small-edge-1"),
            new Act.Settle(),
            .. OneByOne("without", 2),
        ]));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_predict_pod_is_on_the_nearest_node_that_could_run_it_and_none_is_stranded(bool isOracle)
    {
        var strategy = isOracle
            ? new Strategy("oracle", null, IsOracle: true)
            : new Strategy("adaptive", new PlacementPolicy { Mode = PlacementMode.Adaptive });

        var outcomes = await new ExperimentRunner(cluster.Api, cluster.Webhook.Services).RunAsync(Small, 1, strategy);

        Assert.Equal((12, 12, 0), (outcomes.Predict, outcomes.OnNearestOfThatInstant, outcomes.Stranded));
        Assert.Equal(0, outcomes.MeanRegretMs);
        Assert.True(outcomes.MeetsGoal);
    }

    [Fact]
    public async Task A_pod_that_waits_while_a_node_could_run_it_counts_as_stranded()
    {
        // No scheduler has this name, so none binds these.
        var plan = new Scenario("stranded", "no scheduler takes it", random =>
        {
            var small = Small.Make(random);
            var pod = Objects.Predict("nobodys", Location, 100, 100, spec => spec["schedulerName"] = "nobody");
            return small with { Acts = [new Act.Burst([pod])] };
        });

        var outcomes = await new ExperimentRunner(cluster.Api, cluster.Webhook.Services).RunAsync(plan, 1, new Strategy("none", null));

        Assert.Equal((0, 1, false), (outcomes.Predict, outcomes.Stranded, outcomes.MeetsGoal));
    }

    static IEnumerable<Act> OneByOne(string name, int count) => Enumerable.Range(1, count).SelectMany(i => (Act[])
        [new Act.Burst([Objects.Predict($"{name}-{i}", Location, 500, 700)]), new Act.Settle()]);
}
