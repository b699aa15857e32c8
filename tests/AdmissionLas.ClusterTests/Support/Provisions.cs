namespace AdmissionLas.ClusterTests.Support;

/// <summary>A priority class above that of other pods, gone when it is disposed of.</summary>
sealed class PriorityClass : IAsyncDisposable
{
    const string Classes = "/apis/scheduling.k8s.io/v1/priorityclasses";

    readonly ControlPlane cluster;

    PriorityClass(ControlPlane cluster) => this.cluster = cluster;

    internal string Name { get; } = $"class-{Guid.NewGuid():N}"[..12];

    internal static async Task<PriorityClass> CreateAsync(ControlPlane cluster, int value = 1000)
    {
        var made = new PriorityClass(cluster);
        await cluster.Api.CreateAsync(Classes, new JsonObject { ["metadata"] = new JsonObject { ["name"] = made.Name }, ["value"] = value });
        return made;
    }

    public async ValueTask DisposeAsync() => await cluster.Api.DeleteAsync($"{Classes}/{Name}");
}

/// <summary>A volume on the disk of one node, bound to a claim of a test's namespace; the volume is gone when it is disposed of.</summary>
sealed class LocalVolume : IAsyncDisposable
{
    readonly ControlPlane cluster;
    readonly string name;

    LocalVolume(ControlPlane cluster, string name) => (this.cluster, this.name) = (cluster, name);

    internal static async Task<LocalVolume> CreateAsync(ControlPlane cluster, TestNamespace ns, string claim, string node)
    {
        var name = $"{ns.Name}-{claim}";
        await cluster.Api.CreateAsync("/api/v1/persistentvolumes", JsonNode.Parse($$"""
            {
              "metadata": { "name": "{{name}}" },
              "spec": {
                "capacity": { "storage": "5Gi" }, "accessModes": ["ReadOnlyMany"], "storageClassName": "disk", "local": { "path": "/models" },
                "claimRef": { "namespace": "{{ns.Name}}", "name": "{{claim}}" },
                "nodeAffinity": { "required": { "nodeSelectorTerms": [
                  { "matchExpressions": [{ "key": "kubernetes.io/hostname", "operator": "In", "values": ["{{node}}"] }] }] } }
              }
            }
            """)!.AsObject());
        await ns.AddAsync("persistentvolumeclaims", JsonNode.Parse($$"""
            {
              "metadata": { "name": "{{claim}}", "annotations": { "pv.kubernetes.io/bind-completed": "yes" } },
              "spec": { "accessModes": ["ReadOnlyMany"], "storageClassName": "disk", "volumeName": "{{name}}", "resources": { "requests": { "storage": "5Gi" } } }
            }
            """)!.AsObject());
        return new LocalVolume(cluster, name);
    }

    public async ValueTask DisposeAsync() => await cluster.Api.DeleteAsync($"/api/v1/persistentvolumes/{name}");
}
