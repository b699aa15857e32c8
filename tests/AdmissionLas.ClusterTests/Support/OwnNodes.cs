namespace AdmissionLas.ClusterTests.Support;

/// <summary>Nodes of one test's own, at a location of their own, so that no other pods come near them.</summary>
sealed class OwnNodes : IAsyncDisposable
{
    static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 8 };

    readonly ControlPlane cluster;
    readonly List<string> names = [];

    OwnNodes(ControlPlane cluster) => this.cluster = cluster;

    internal string Location { get; } = $"OWN-{Guid.NewGuid():N}"[..12];

    internal IReadOnlyList<string> Names => names;

    /// <summary>Makes nodes at 1, 2, 3 … milliseconds from the location.</summary>
    internal static async Task<OwnNodes> CreateAsync(ControlPlane cluster, params (string Cpu, string Memory, int Pods)[] sizes)
    {
        var own = new OwnNodes(cluster);
        own.names.AddRange(Enumerable.Range(1, sizes.Length).Select(i => $"{own.Location.ToLowerInvariant()}-{i}"));
        await Parallel.ForEachAsync(sizes.Index(), AtOnce, async (node, _) => await own.AddAsync(node.Index, node.Item.Cpu, node.Item.Memory, node.Item.Pods));
        await Eventually.IsTrueAsync("the webhook knows the nodes", () => Task.FromResult(
            cluster.State.Current!.NearestTo(own.Location) is var known && known.Count == sizes.Length && known.All(n => n.Node.IsReady && n.Node.Taints.Count == 0)));
        return own;
    }

    public async ValueTask DisposeAsync()
    {
        await Parallel.ForEachAsync(names, AtOnce, async (name, _) => await cluster.Api.DeleteAsync($"/api/v1/nodes/{name}"));
        await Eventually.IsTrueAsync("the nodes are gone", () => Task.FromResult(cluster.State.Current!.NearestTo(Location).Count == 0));
    }

    async Task AddAsync(int index, string cpu, string memory, int pods)
    {
        var name = names[index];
        var amounts = new JsonObject { ["cpu"] = cpu, ["memory"] = memory, ["pods"] = pods.ToString(CultureInfo.InvariantCulture) };
        await cluster.Api.CreateAsync("/api/v1/nodes", new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["labels"] = new JsonObject
                {
                    ["kubernetes.io/hostname"] = name,
                    // A scheduler before Kubernetes 1.22 spreads over nodes with a zone only.
                    ["topology.kubernetes.io/zone"] = name,
                    [$"latency.admissionlas.io/{Location}"] = (index + 1).ToString(CultureInfo.InvariantCulture),
                },
            },
            ["status"] = new JsonObject
            {
                ["capacity"] = amounts,
                ["allocatable"] = amounts.DeepClone(),
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
            },
        });
        // The API server marks each new node as not ready, and no controller runs here that would take the mark away.
        await cluster.Api.MergePatchAsync($"/api/v1/nodes/{name}", new JsonObject { ["spec"] = new JsonObject { ["taints"] = null } });
    }
}
