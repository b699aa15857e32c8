namespace AdmissionLas.Tests.Placement;

public sealed class PreferenceWeightsTests
{
    [Theory]
    [InlineData(new double[0], new int[0])]
    [InlineData(new[] { 9.8 }, new[] { 100 })]
    [InlineData(new[] { 1.0, 2 }, new[] { 100, 12 })]
    [InlineData(new[] { 1.0, 2, 3, 4, 5 }, new[] { 100, 12, 5, 2, 1 })]
    [InlineData(new[] { 1.0, 2, 3, 4, 5, 6, 7 }, new[] { 100, 12, 5, 2, 1, 1, 1 })]
    public void Most_is_spent_on_the_first_step(double[] latenciesMs, int[] weights) => Assert.Equal(weights, PreferenceWeights.For(latenciesMs));

    [Theory]
    [InlineData(new[] { 1.0, 1, 1, 2 }, new[] { 100, 99, 99, 12 })]
    [InlineData(new[] { 0.0, 0, 1 }, new[] { 100, 99, 12 })]
    [InlineData(new[] { 1.0, 2, 2, 3 }, new[] { 100, 12, 12, 5 })]
    public void Nodes_as_near_as_each_other_weigh_nearly_the_same(double[] latenciesMs, int[] weights) => Assert.Equal(weights, PreferenceWeights.For(latenciesMs));

    [Fact]
    public void The_nearest_leads_by_at_least_170_points_on_the_default_scheduler()
    {
        var points = DefaultScheduler.Points([.. PreferenceWeights.For([1, 2, 3, 4, 5, 6, 7, 8]).Select(w => (long)w)]);

        Assert.Equal(200, points[0]);
        Assert.InRange(points[0] - points[1], 170, 200);
    }

    // As the nodes before it fill up and are filtered out, each of the first five latencies in turn is the best that is left.
    [Theory]
    [InlineData(0, 176)]
    [InlineData(1, 118)]
    [InlineData(2, 120)]
    [InlineData(3, 100)]
    public void Each_of_the_first_four_leads_over_the_next_by_at_least_half(int filled, int lead)
    {
        var points = DefaultScheduler.Points([.. PreferenceWeights.For([1, 2, 3, 4, 5, 6, 7, 8]).Skip(filled).Select(w => (long)w)]);

        Assert.Equal(lead, points[0] - points[1]);
        Assert.InRange(lead, 100, 200);
    }

    [Fact]
    public void Every_named_node_leads_over_a_node_that_is_not_named()
    {
        var weights = PreferenceWeights.For([.. Enumerable.Range(1, PlacementPolicy.NamedNodesLimit).Select(i => (double)i)]);

        Assert.All(weights, w => Assert.InRange(w, 1, 100));
        Assert.Equal([200, 0], DefaultScheduler.Points([weights[^1], 0]));
    }
}
