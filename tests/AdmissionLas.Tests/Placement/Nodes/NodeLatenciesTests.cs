using CsCheck;

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

    const string Restricted = "latency.admissionlas.io.node-restriction.kubernetes.io/";

    [Fact]
    public void The_form_that_no_kubelet_can_write_wins_over_both_others_even_when_it_cannot_be_read()
    {
        Assert.Equal([new("HOME", 3)], Read(("HOME", "1"), ("latency.admissionlas.io/HOME", "2"), (Restricted + "HOME", "3")).Known);
        Assert.Equal([new("HOME", 3)], Read((Restricted + "HOME", "3"), ("HOME", "1")).Known);

        var unreadable = Read(("HOME", "1"), ("latency.admissionlas.io/HOME", "2"), (Restricted + "HOME", "fast"));

        Assert.Empty(unreadable.Known);
        Assert.Equal([new("HOME", "fast", IsExplicit: true)], unreadable.Unreadable);
    }

    [Fact]
    public void An_admin_who_trusts_that_form_alone_reads_no_other()
    {
        var latencies = LatencyLabels.Restricted.Read(Labels(("HOME", "1"), ("latency.admissionlas.io/LAB", "fast"), (Restricted + "CLOUD", "3")));

        Assert.Equal([new("CLOUD", 3)], latencies.Known);
        Assert.Empty(latencies.Unreadable);
    }

    [Fact]
    public void A_node_has_at_most_256_locations_the_most_trusted_forms_first()
    {
        var latencies = Read(
        [
            .. Enumerable.Range(0, 300).Select(i => ($"bare-{i:000}", "1")),
            .. Enumerable.Range(0, 200).Select(i => ($"latency.admissionlas.io/own-{i:000}", "2")),
            .. Enumerable.Range(0, 50).Select(i => ($"{Restricted}safe-{i:000}", "3")),
        ]);

        string[] kept = [.. Enumerable.Range(0, 6).Select(i => $"bare-{i:000}"), .. Enumerable.Range(0, 200).Select(i => $"own-{i:000}"), .. Enumerable.Range(0, 50).Select(i => $"safe-{i:000}")];
        Assert.Equal(kept, latencies.Known.Select(l => l.Location));
        Assert.Equal(294, latencies.Ignored);
    }

    [Fact]
    public void And_at_most_256_that_cannot_be_read()
    {
        var latencies = Read([.. Enumerable.Range(0, 300).Select(i => ($"latency.admissionlas.io/own-{i:000}", "fast")), ("HOME", "1")]);

        Assert.Equal(Enumerable.Range(0, 256).Select(i => $"own-{i:000}"), latencies.Unreadable.Select(u => u.Location));
        Assert.Equal([new("HOME", 1)], latencies.Known);
        Assert.Equal(44, latencies.Ignored);
    }

    // A location that is left out is not read from a key that is trusted less.
    [Fact]
    public void What_is_ignored_still_hides_the_other_forms()
    {
        var latencies = Read([.. Enumerable.Range(0, 300).Select(i => ($"{Restricted}{i:000}", "1")), ("latency.admissionlas.io/299", "0.1"), ("299", "0.1")]);

        Assert.DoesNotContain(latencies.Known, l => l.Location == "299");
        Assert.Equal(44, latencies.Ignored);
    }

    [Fact]
    public void Whatever_a_kubelet_writes_a_restricted_latency_stays_as_it_is() => Gen.Select(Gen.OneOf(Forms), Gen.OneOf("HOME", "LAB", "a/b", ""), Gen.OneOf("1", "0.0001", "fast", ""))
        .Array[0, 12].Sample(written =>
        {
            var labels = written.DistinctBy(w => w.Item1 + w.Item2).Select(w => (w.Item1 + w.Item2, w.Item3)).Append((Restricted + "HOME", "7")).ToArray();

            Assert.Equal(new Latency("HOME", 7), Assert.Single(Read(labels).Known, l => l.Location == "HOME"));
            Assert.Equal([new("HOME", 7)], LatencyLabels.Restricted.Read(Labels(labels)).Known);
        });

    static readonly string[] Forms = ["", "latency.admissionlas.io/", "admissionlas.io/", "node-restriction.kubernetes.io.evil/"];

    // plugin/pkg/admission/noderestriction: getForbiddenLabels.
    [Theory]
    [InlineData(Restricted + "HOME", true)]
    [InlineData("node-restriction.kubernetes.io/tier", true)]
    [InlineData("admissionlas.io.node-restriction.kubernetes.io/tier", true)]
    [InlineData("evil-node-restriction.kubernetes.io/tier", false)]
    [InlineData("node-restriction.kubernetes.io.example.com/tier", false)]
    [InlineData("node-restriction.kubernetes.io", false)]
    [InlineData("a.node-restriction.kubernetes.io", false)]
    [InlineData("latency.admissionlas.io/HOME", false)]
    [InlineData("/x", false)]
    [InlineData("", false)]
    public void Which_keys_no_kubelet_can_write(string key, bool isRestricted) => Assert.Equal(isRestricted, LabelSyntax.IsNodeRestricted(key));

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

    static NodeLatencies Read(params (string Key, string Value)[] labels) => LatencyLabels.All.Read(Labels(labels));

    static Dictionary<string, string> Labels(params (string Key, string Value)[] labels) => labels.ToDictionary(l => l.Key, l => l.Value);
}
