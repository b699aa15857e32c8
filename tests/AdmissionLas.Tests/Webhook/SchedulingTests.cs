namespace AdmissionLas.Tests.Webhook;

/// <summary>What the default scheduler makes of the patched pod.</summary>
public sealed class SchedulingTests
{
    static readonly NodeFacts[] Cluster =
        [.. Enumerable.Range(1, 8).Select(i => Nodes.At($"{i}", $"n{i}")), Nodes.Named("unmeasured"), Nodes.At("0.1", "not-ready") with { IsReady = false }];

    static readonly PlacementPolicy Preferred = new() { Mode = PlacementMode.Preferred };

    [Fact]
    public void The_nearest_node_leads_over_all_others_by_at_least_170_points()
    {
        var pod = WebhookCall.Review(Pods.PredictJson(), new ClusterView(Cluster), Preferred).Pod;

        var points = Points(pod, Cluster);

        Assert.Equal(("n1", 200), points[0]);
        Assert.InRange(points[0].Points - points[1].Points, 170, 200);
    }

    // Fit, balance and image locality can give another node up to 100 points each, and seldom do all at once.
    [Fact]
    public void As_nodes_fill_up_the_next_nearest_wins_by_at_least_100_points_down_to_the_fifth()
    {
        var pod = WebhookCall.Review(Pods.PredictJson(), new ClusterView(Cluster), Preferred).Pod;

        for (var filled = 0; filled < 4; filled++)
        {
            var points = Points(pod, [.. Cluster.Where(n => n.Name.CompareTo($"n{filled + 1}") >= 0 || n.Name[0] != 'n')]);

            Assert.Equal(($"n{filled + 1}", 200), points[0]);
            Assert.Equal($"n{filled + 2}", points[1].Node);
            Assert.InRange(points[0].Points - points[1].Points, 100, 200);
        }
    }

    [Fact]
    public void Every_named_node_wins_over_those_that_are_not_named()
    {
        var pod = WebhookCall.Review(Pods.PredictJson(), new ClusterView(Cluster), Preferred).Pod;

        Assert.Equal([("n8", 200), ("unmeasured", 0)], Points(pod, [.. Cluster.Where(n => n.Name is "n8" or "unmeasured")]));
    }

    [Fact]
    public void Nodes_that_are_equally_near_are_left_to_the_schedulers_knowledge_of_their_load()
    {
        NodeFacts[] nodes = [Nodes.At("1", "a"), Nodes.At("1", "b"), Nodes.At("1", "c"), Nodes.At("2", "d")];

        var points = Points(WebhookCall.Review(Pods.PredictJson(), new ClusterView(nodes), Preferred).Pod, nodes);

        Assert.Equal([("a", 200), ("b", 198), ("c", 198), ("d", 24)], points);
    }

    [Fact]
    public void A_training_pod_prefers_every_cloud_node_by_the_same_200_points()
    {
        var pod = WebhookCall.Review(Pods.TrainingJson(), Testbed.TwoClouds, new PlacementPolicy { TrainingMemoryBytes = 1L << 30 }).Pod;

        var points = Points(pod, Testbed.TwoClouds.Nodes);

        Assert.Equal([("nitos-cloud-node", 200), ("nitos-cloud-node-2", 200), ("home-edge-node", 0), ("nitlab-edge-node", 0)], points);
    }

    [Theory]
    [InlineData("NITOS-CLOUD", "nitos-cloud-node")]
    [InlineData("NITLAB-EDGE", "nitlab-edge-node")]
    [InlineData("HOME-EDGE", "home-edge-node")]
    public void On_the_testbed_the_thesis_verification_table_comes_true(string location, string node)
    {
        foreach (var view in (ClusterView[])[Testbed.View, Testbed.TwoClouds])
        {
            Assert.Equal((node, 200), Points(WebhookCall.Review(Pods.PredictJson(location), view).Pod, view.Nodes)[0]);
        }
    }

    [Fact]
    public void A_pinned_pod_runs_on_the_near_nodes_and_on_no_other()
    {
        var pod = WebhookCall.Review(Pods.PredictJson(), new ClusterView(Cluster), new PlacementPolicy { Mode = PlacementMode.Required }).Pod;

        Assert.Equal(["n1", "n2"], Cluster.Where(n => DefaultScheduler.CanRun(pod, n)).Select(n => n.Name));
    }

    /// <summary>The nodes that pass the scheduler's filters with their node affinity points, the best first.</summary>
    static (string Node, long Points)[] Points(JsonObject pod, IReadOnlyList<NodeFacts> nodes)
    {
        var fitting = nodes.Where(n => DefaultScheduler.CanRun(pod, n)).ToArray();
        return [.. fitting.Select(n => n.Name).Zip(DefaultScheduler.AffinityPoints(pod, fitting)).OrderByDescending(n => n.Second).ThenBy(n => n.First, StringComparer.Ordinal)];
    }
}
