using CsCheck;

namespace AdmissionLas.Tests.Placement;

/// <summary>A view that follows another is the view that its nodes would make by themselves, whatever was asked of the ones before it.</summary>
public sealed class ClusterViewProperties
{
    static readonly string[] Locations = ["here", "there", "nowhere"];
    static readonly NodeSelectorTerm Cloud = new([new("tier", SelectorOperator.In, ["cloud"])], []);

    [Fact]
    public void After_any_changes_the_view_is_that_of_its_nodes() => Gen.Select(Change, Gen.Bool).Array[1, 30].Sample(
        changes =>
        {
            var nodes = new Dictionary<string, NodeFacts>();
            var view = ClusterView.Empty;
            foreach (var (change, isAsked) in changes)
            {
                Apply(change, nodes);
                view = view.With(nodes.Values);
                if (isAsked)
                {
                    AssertSame(new ClusterView(nodes.Values), view);
                }
            }

            AssertSame(new ClusterView(nodes.Values), view);
        },
        iter: 1_000);

    /// <param name="Node">Which.</param>
    /// <param name="Latency">To "here"; negative for none.</param>
    /// <param name="Other">To "there"; what cannot be read among it.</param>
    /// <param name="Cpu">Its size; 0 for a node that goes.</param>
    /// <param name="Kind">What else is different.</param>
    sealed record Changed(int Node, int Latency, string? Other, int Cpu, int Kind);

    static Gen<Changed[]> Change => Gen.Select(Gen.Int[0, 7], Gen.Int[-1, 3], Gen.Int[0, 3].Select(i => i switch { 0 => "1ms", 1 => "2", 2 => "fast", _ => null }), Gen.Int[0, 4], Gen.Int[0, 5], (n, l, o, c, k) => new Changed(n, l, o, c, k)).Array[0, 4];

    static void Apply(Changed[] changes, Dictionary<string, NodeFacts> nodes)
    {
        foreach (var change in changes)
        {
            var name = $"node-{change.Node}";
            if (change.Cpu == 0)
            {
                nodes.Remove(name);
                continue;
            }

            List<(string, string)> latencies = change.Latency < 0 ? [] : [("here", $"{change.Latency}ms")];
            if (change.Other is not null)
            {
                latencies.Add(("there", change.Other));
            }

            var node = Nodes.Named(
                name, $"{change.Cpu}", latencies: [.. latencies], gpus: change.Kind == 1 ? change.Cpu : 0,
                labels: [("tier", change.Kind == 2 ? "cloud" : "edge"), (CapacityRank.InstanceTypeKey, $"type-{change.Cpu % 2}")]);
            nodes[name] = change.Kind switch
            {
                3 => node.Labelled(NodeSelectorTerm.HostnameKey, "shared"),
                4 => node.Without(NodeSelectorTerm.HostnameKey),
                5 => node with { IsCordoned = true },
                _ => node,
            };
        }
    }

    static void AssertSame(ClusterView expected, ClusterView actual)
    {
        // The very objects: what is equal may still be a node as it was.
        Assert.Equal<NodeFacts>(expected.Nodes, actual.Nodes, ReferenceEqualityComparer.Instance);
        Assert.Equal(expected.Locations.Order(), actual.Locations.Order());
        Assert.Equal(expected.UnreadableLatencies, actual.UnreadableLatencies);
        Assert.All(Locations, l => Assert.Equal(expected.NearestTo(l), actual.NearestTo(l), (a, b) => ReferenceEquals(a.Node, b.Node) && a.LatencyMs == b.LatencyMs));
        Assert.All(expected.Nodes, n => Assert.Equal(expected.UniqueHostname(n), actual.UniqueHostname(n)));
        Assert.Equal<NodeFacts>(expected.Matching(Cloud).Members, actual.Matching(Cloud).Members, ReferenceEqualityComparer.Instance);
        foreach (var device in (string?[])[null, Nodes.Gpu])
        {
            var (sizes, after) = (expected.ByCapacity(device), actual.ByCapacity(device));
            Assert.Equal(sizes.Nodes, after.Nodes, (a, b) => ReferenceEquals(a.Node, b.Node) && a.Capacity == b.Capacity);
            Assert.Equal(sizes.Smallest, after.Smallest);
            Assert.Equal(
                sizes.InstanceTypes.Select(t => (t.Name, t.Capacity, string.Join(',', t.Group.Members.Select(m => m.Name)))),
                after.InstanceTypes.Select(t => (t.Name, t.Capacity, string.Join(',', t.Group.Members.Select(m => m.Name)))));
        }
    }
}
