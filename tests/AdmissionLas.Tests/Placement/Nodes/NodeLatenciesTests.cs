namespace AdmissionLas.Tests.Placement;

public sealed class NodeLatenciesTests
{
    [Fact]
    public void Both_forms_of_the_label_are_read()
    {
        var latencies = Read(("HOME-EDGE", "9.8"), ("latency.admissionlas.io/NITLAB-EDGE", "306us"));

        Assert.Equal([new("HOME-EDGE", 9.8), new("NITLAB-EDGE", 0.306)], latencies.Known);
        Assert.Empty(latencies.Unreadable);
    }

    [Fact]
    public void The_prefixed_form_wins_over_the_bare_one()
    {
        Assert.Equal([new("HOME", 2)], Read(("HOME", "1"), ("latency.admissionlas.io/HOME", "2")).Known);
        Assert.Equal([new("HOME", 2)], Read(("latency.admissionlas.io/HOME", "2"), ("HOME", "1")).Known);
    }

    [Fact]
    public void The_prefixed_form_wins_even_when_it_cannot_be_read()
    {
        var latencies = Read(("HOME", "1"), ("latency.admissionlas.io/HOME", "fast"));

        Assert.Empty(latencies.Known);
        Assert.Equal([new("HOME", "fast", IsExplicit: true)], latencies.Unreadable);
    }

    [Fact]
    public void A_bare_label_that_cannot_be_read_is_told_apart_from_a_prefixed_one()
    {
        Assert.Equal([new("rack", "r7", IsExplicit: false)], Read(("rack", "r7")).Unreadable);
    }

    [Fact]
    public void Keys_that_are_no_location_are_ignored()
    {
        var latencies = Read(("kubernetes.io/arch", "64"), ("latency.admissionlas.io/", "1"), ("latency.admissionlas.io/a/b", "1"), ("-x", "1"), ("", "1"), (new string('a', 64), "1"));

        Assert.Same(NodeLatencies.None, latencies);
    }

    [Fact]
    public void A_node_without_labels_has_no_latencies() => Assert.Same(NodeLatencies.None, Read());

    [Theory]
    [InlineData(LatencySource.Label, LatencySource.Measured, 1)]
    [InlineData(LatencySource.Measured, LatencySource.Label, 2)]
    [InlineData(LatencySource.Measured, LatencySource.Predicted, 1)]
    public void The_more_trusted_source_of_a_latency_counts(LatencySource first, LatencySource second, double latencyMs)
    {
        var node = new NodeFacts { Name = "n" }.WithLatenciesOf(new Fixed(new("HOME", 1, first), new("LAB", 7, first)), new Fixed(new("HOME", 2, second), new("CLOUD", 9, second)));

        Assert.Equal([("CLOUD", 9), ("HOME", latencyMs), ("LAB", 7)], node.Latencies.Known.Select(l => (l.Location, l.LatencyMs)));
    }

    [Fact]
    public void Of_two_values_of_one_source_the_later_counts_and_it_keeps_its_age_and_uncertainty()
    {
        var later = new Latency("HOME", 3, LatencySource.Measured, DateTimeOffset.UnixEpoch.AddMinutes(1), 0.5);
        var earlier = later with { LatencyMs = 1, At = DateTimeOffset.UnixEpoch };

        Assert.Equal(later, Latency.Preferred(earlier, later));
        Assert.Equal(later, Latency.Preferred(later, earlier));
    }

    sealed class Fixed(params Latency[] latencies) : ILatencySource
    {
        public NodeLatencies Of(NodeFacts node) => new(latencies, []);
    }

    static NodeLatencies Read(params (string Key, string Value)[] labels) => LatencyLabels.Read(labels.ToDictionary(l => l.Key, l => l.Value));
}
