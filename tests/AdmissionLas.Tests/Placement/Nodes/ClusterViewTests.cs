namespace AdmissionLas.Tests.Placement;

public sealed class ClusterViewTests
{
    [Fact]
    public void Nodes_are_ranked_by_latency_then_free_capacity_then_name()
    {
        var view = Nodes.View(
            Nodes.At("2", "far"),
            Nodes.At("1", "b"),
            Nodes.At("1", "a"),
            Nodes.At("1", "big", cpu: "8"),
            Nodes.At("0.5", "small", cpu: "1"));

        Assert.Equal(["small", "big", "a", "b", "far"], view.NearestTo("here").Select(n => n.Node.Name));
    }

    [Fact]
    public void Latencies_in_different_units_are_compared_in_milliseconds()
    {
        var view = Nodes.View(Nodes.At("1.2s", "seconds"), Nodes.At("300us", "microseconds"), Nodes.At("0.8", "bare"));

        Assert.Equal([("microseconds", 0.3), ("bare", 0.8), ("seconds", 1200.0)], view.NearestTo("here").Select(n => (n.Node.Name, n.LatencyMs)));
    }

    [Fact]
    public void Nodes_without_a_latency_to_the_location_are_not_ranked()
    {
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.Named("unlabelled"), Nodes.At("fast", "unreadable"));

        Assert.Equal(["near"], view.NearestTo("here").Select(n => n.Node.Name));
    }

    [Theory]
    [InlineData("there")]
    [InlineData("HERE")]
    [InlineData("")]
    [InlineData("not a label name")]
    public void An_unknown_location_has_no_nodes(string location) =>
        Assert.Empty(Nodes.View(Nodes.At("1", "near")).NearestTo(location));

    [Fact]
    public void The_locations_are_those_with_a_latency_that_can_be_read()
    {
        var view = Nodes.View(Nodes.Named("n", latencies: [("HOME", "1"), ("LAB", "2ms"), ("rack", "r7")]));

        Assert.Equal(["HOME", "LAB"], view.Locations.Order());
    }

    [Fact]
    public void An_unreadable_bare_label_is_reported_only_where_some_node_has_a_latency_under_the_same_key()
    {
        var view = Nodes.View(
            Nodes.Named("a", latencies: [("HOME", "1")], labels: [("zone", "west")]),
            Nodes.Named("b", latencies: [("HOME", "fast")], labels: [("zone", "east")]));

        Assert.Equal([new("b", "HOME", "fast")], view.UnreadableLatencies);
    }

    [Fact]
    public void An_unreadable_prefixed_label_is_always_reported()
    {
        var view = Nodes.View(Nodes.Named("a", labels: [("latency.admissionlas.io/NOWHERE", "-1")]));

        Assert.Equal([new("a", "NOWHERE", "-1")], view.UnreadableLatencies);
    }

    [Fact]
    public void A_node_is_named_by_its_host_name_label_where_it_is_the_only_one_with_it_and_else_by_field()
    {
        const string hostname = NodeSelectorTerm.HostnameKey;
        var view = Nodes.View(
            Nodes.Named("a", labels: [(hostname, "ip-10-0-0-1")]), Nodes.Named("bare").Without(hostname), Nodes.Named("empty", labels: [(hostname, "")]),
            Nodes.Named("twin-1", labels: [(hostname, "twin")]), Nodes.Named("twin-2", labels: [(hostname, "twin")]));

        Assert.Equal(
            ["label kubernetes.io/hostname In ip-10-0-0-1", "field metadata.name In bare", "field metadata.name In empty", "field metadata.name In twin-1", "field metadata.name In twin-2"],
            view.Nodes.Select(view.TermFor).SelectMany(t => t.MatchExpressions.Select(r => $"label {Words(r)}").Concat(t.MatchFields.Select(r => $"field {Words(r)}"))));
        Assert.Equal(["ip-10-0-0-1", null, null, null, null], view.Nodes.Select(view.UniqueHostname));

        static string Words(NodeSelectorRequirement requirement) => $"{requirement.Key} {requirement.Operator} {string.Join(',', requirement.Values)}";
    }

    [Fact]
    public void The_nodes_stand_by_name_in_whatever_order_they_come() =>
        Assert.Equal(["a", "b", "c"], Nodes.View(Nodes.Named("c"), Nodes.Named("a"), Nodes.Named("b")).Nodes.Select(n => n.Name));

    [Fact]
    public void An_empty_cluster_is_a_view_like_any_other()
    {
        Assert.Empty(ClusterView.Empty.NearestTo("here"));
        Assert.Empty(ClusterView.Empty.Locations);
        Assert.Empty(ClusterView.Empty.ByCapacity(null).Nodes);
        Assert.Empty(ClusterView.Empty.ByCapacity(Nodes.Gpu).Nodes);
    }

    [Fact]
    public void The_nodes_are_sized_by_their_mean_share_of_the_largest_cpu_and_memory()
    {
        var view = Nodes.View(Nodes.Named("small", "2", "4Gi"), Nodes.Named("big", "8", "16Gi"), Nodes.Named("lopsided", "8", "4Gi"));

        Assert.Equal([("big", 1.0), ("lopsided", 0.625), ("small", 0.25)], view.ByCapacity(null).Nodes.Select(n => (n.Node.Name, n.Capacity)));
    }

    [Fact]
    public void A_device_that_is_asked_for_counts_as_much_as_cpu_and_memory()
    {
        var view = Nodes.View(Nodes.Named("cpu-box", "16", "16Gi"), Nodes.Named("gpu-box", "12", "8Gi", gpus: 4));

        Assert.Equal("cpu-box", view.ByCapacity(null).Nodes[0].Node.Name);
        Assert.Equal("gpu-box", view.ByCapacity(Nodes.Gpu).Nodes[0].Node.Name);
        Assert.Same(view.ByCapacity(null), view.ByCapacity("example.com/nobody-has-it"));
    }
}
