namespace AdmissionLas.ClusterTests;

/// <summary>Replicas on the default scheduler, which spreads the pods of a Service and of a workload by itself.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class SpreadTests(ControlPlane cluster)
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task All_replicas_of_a_service_run_on_the_nearest_node_as_long_as_it_has_room(bool hasService, bool isBurst)
    {
        await using var nodes = await OwnNodes.CreateAsync(cluster, ("2", "4000Mi", 110), ("2", "4000Mi", 110), ("8", "16000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        if (hasService)
        {
            await AddServiceAsync(ns);
        }

        var pods = new List<JsonObject>();
        for (var i = 0; i < 16; i++)
        {
            pods.Add(await ns.CreateAsync(Replica(nodes)));
            if (!isBurst)
            {
                await ns.NodeOfAsync(pods[^1]);
            }
        }

        Assert.Equal(Enumerable.Repeat(nodes.Names[0], 16), await Task.WhenAll(pods.Select(ns.NodeOfAsync)));
    }

    [Fact]
    public async Task Replicas_that_want_to_spread_over_the_near_nodes_do_and_go_nowhere_else()
    {
        await using var nodes = await OwnNodes.CreateAsync(cluster, ("4", "8000Mi", 110), ("4", "8000Mi", 110), ("64", "128000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await AddServiceAsync(ns);

        var used = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            used.Add(await ns.NodeOfAsync(await ns.CreateAsync(Replica(nodes).With(p => p["metadata"]!["annotations"] = new JsonObject { ["admissionlas.io/spread"] = "near" }))));
        }

        // The third is beyond twice the latency of the nearest.
        Assert.Equal([(nodes.Names[0], 4), (nodes.Names[1], 4)], used.CountBy(n => n).Select(n => (n.Key, n.Value)).Order());
    }

    [Fact]
    public async Task A_pod_whose_author_spreads_it_is_spread_like_its_control_and_the_decision_says_that_it_may_be()
    {
        await using var nodes = await OwnNodes.CreateAsync(cluster, ("4", "8000Mi", 110), ("4", "8000Mi", 110), ("4", "8000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();

        var pods = new List<JsonObject>();
        for (var i = 0; i < 3; i++)
        {
            pods.Add(await ns.CreateAsync(Replica(nodes).With(p => p["spec"]!["affinity"] = JsonNode.Parse("""
                { "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
                  { "weight": 100, "podAffinityTerm": { "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": { "app": "scorer" } } } }] } }
                """))));
            await ns.NodeOfAsync(pods[^1]);
        }

        Assert.Equal(3, (await Task.WhenAll(pods.Select(ns.NodeOfAsync))).Distinct().Count());
        Assert.All(pods, p => Assert.Contains("; the pod's own preferred pod anti-affinity may decide otherwise", TestNamespace.DecisionOf(p), StringComparison.Ordinal));
    }

    static JsonObject Replica(OwnNodes nodes) => Steps.Predict(nodes.Location, "100m", "128Mi").With(p => p["metadata"]!["labels"]!["app"] = "scorer");

    static Task AddServiceAsync(TestNamespace ns) => ns.AddAsync("services", JsonNode.Parse("""
        { "metadata": { "name": "scorer" }, "spec": { "clusterIP": "None", "selector": { "app": "scorer" }, "ports": [{ "port": 80 }] } }
        """)!.AsObject());
}
