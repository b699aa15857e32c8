using Microsoft.Extensions.DependencyInjection;

namespace AdmissionLas.ClusterTests;

/// <summary>Requirements that name nodes by metadata.name, on a scheduler that does without a node that is missing: Kubernetes 1.31 and later.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class NodeTermTests(ControlPlane cluster)
{
    [Fact]
    public async Task A_pod_runs_on_the_nearest_of_the_nodes_that_its_terms_name()
    {
        await using var nodes = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110), ("4", "4000Mi", 110), ("64", "64000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var byName = ByName();

        var pod = await ns.CreateAsync(Steps.Predict(nodes.Location));

        Assert.Equal(nodes.Names[0], await ns.NodeOfAsync(pod));
        Assert.Equal(nodes.Names, Terms(pod).Select(t => $"{t!["matchFields"]![0]!["values"]![0]}"));
    }

    [Fact]
    public async Task The_pods_own_terms_are_obeyed_too()
    {
        await using var nodes = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110), ("4", "4000Mi", 110), ("4", "4000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var byName = ByName();
        string[] own = [nodes.Names[1], nodes.Names[2]];

        var pod = await ns.CreateAsync(Steps.Predict(nodes.Location).With(p => p["spec"]!["affinity"] = new JsonObject
        {
            ["nodeAffinity"] = new JsonObject
            {
                ["requiredDuringSchedulingIgnoredDuringExecution"] = new JsonObject
                {
                    ["nodeSelectorTerms"] = new JsonArray([.. own.Select(n => JsonNode.Parse(
                        $$"""{ "matchExpressions": [{ "key": "kubernetes.io/hostname", "operator": "In", "values": ["{{n}}"] }] }"""))]),
                },
            },
        }));

        Assert.Equal(nodes.Names[1], await ns.NodeOfAsync(pod));
        Assert.Equal(own, Terms(pod).Select(t => $"{t!["matchFields"]![0]!["values"]![0]}"));
    }

    [Fact]
    public async Task When_the_nearest_node_is_gone_before_the_scheduler_gets_to_it_the_pod_runs_on_a_standby()
    {
        if (await MinorAsync() < 31)
        {
            // It fails the pod there, and that is why Auto asks the nodes for their release.
            return;
        }

        await using var nodes = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110), ("4", "4000Mi", 110), ("4", "4000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var byName = ByName();
        JsonObject pod;
        await using (await cluster.StopSchedulerAsync())
        {
            pod = await ns.CreateAsync(Steps.Predict(nodes.Location));
            await cluster.Api.DeleteAsync($"/api/v1/nodes/{nodes.Names[0]}");
        }

        Assert.Equal(nodes.Names[1], await ns.NodeOfAsync(pod));
    }

    static JsonArray Terms(JsonObject pod) =>
        pod["spec"]!["affinity"]!["nodeAffinity"]!["requiredDuringSchedulingIgnoredDuringExecution"]!["nodeSelectorTerms"]!.AsArray();

    async Task<int> MinorAsync() => int.Parse(((await cluster.Api.GetAsync("/version"))["minor"]!.GetValue<string>()).TrimEnd('+'), CultureInfo.InvariantCulture);

    SettingsOfTest ByName() => new(cluster.Webhook.Services.GetRequiredService<Settings>(), new PlacementPolicy { NodeTerms = NodeTermForm.Names });

    /// <summary>Another policy, until it is disposed of.</summary>
    sealed class SettingsOfTest : IAsyncDisposable
    {
        readonly Settings settings;
        readonly CompiledSettings before;

        internal SettingsOfTest(Settings settings, PlacementPolicy policy)
        {
            (this.settings, before) = (settings, settings.Current);
            settings.Current = CompiledSettings.Of(before.Rules, policy);
        }

        public ValueTask DisposeAsync()
        {
            settings.Current = before;
            return ValueTask.CompletedTask;
        }
    }
}
