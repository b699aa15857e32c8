namespace AdmissionLas.ClusterTests;

/// <summary>
/// Pods that are not final when we see them first: another webhook changes them after us, or they were made of a pod that had been decided on. Each
/// beside its control, the same pod without our label.
/// </summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class ReinvocationTests(ControlPlane cluster)
{
    const string AddContainer = """
        [{ "op": "add", "path": "/spec/containers/-", "value": { "name": "sidecar", "image": "alpine:3.20", "resources": { "requests": { "cpu": "100m", "memory": "16Mi" } } } }]
        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pod_that_no_longer_fits_the_near_nodes_once_a_sidecar_is_added_runs_elsewhere_and_evicts_nobody(bool hasPriority)
    {
        await using var near = await OwnNodes.CreateAsync(cluster, ("1", "1000Mi", 110), ("1", "1000Mi", 110), ("1", "1000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        var fillers = await Task.WhenAll(near.Names.Select(n => ns.CreateAsync(Steps.Filler(n, "850m"))));
        await FreshLists.AreKnownAsync(cluster.Api, cluster.Webhook, "the webhook");
        await using var priority = await PriorityClass.CreateAsync(cluster);
        await using var injecting = await InjectingWebhook.StartAsync(cluster.Api, AddContainer);

        var step = InjectingWebhook.Labelled(Steps.Predict(near.Location, "100m")).With(p => p["spec"]!["priorityClassName"] = hasPriority ? priority.Name : null);
        var control = step.DeepClone().AsObject().With(p => p["metadata"]!["labels"]!.AsObject().Remove("typeOfComponent"));
        var (controlNode, stepNode) = (await ns.NodeOfAsync(await ns.CreateAsync(control)), await ns.NodeOfAsync(await ns.CreateAsync(step)));

        Assert.DoesNotContain(controlNode, near.Names);
        Assert.DoesNotContain(stepNode, near.Names);
        var left = (await ns.ListAsync()).Select(p => $"{p["metadata"]!["name"]}").ToHashSet();
        Assert.All(fillers, f => Assert.Contains($"{f["metadata"]!["name"]}", left));
    }

    [Fact]
    public async Task A_pod_that_gets_a_sidecar_and_still_fits_runs_on_the_nearest_node_and_counts_once()
    {
        await using var near = await OwnNodes.CreateAsync(cluster, ("1", "1000Mi", 110), ("4", "4000Mi", 110), ("4", "4000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var injecting = await InjectingWebhook.StartAsync(cluster.Api, AddContainer);

        // With their sidecars five of them fill the nearest node.
        var nodes = new List<string>();
        for (var i = 0; i < 6; i++)
        {
            nodes.Add(await ns.NodeOfAsync(await ns.CreateAsync(InjectingWebhook.Labelled(Steps.Predict(near.Location, "100m")))));
        }

        Assert.Equal([.. Enumerable.Repeat(near.Names[0], 5), near.Names[1]], nodes);
    }

    // As KServe's webhook adds the claim of a model (storageUri: pvc://...); the volume is on a node far away.
    [Fact]
    public async Task A_pod_that_gets_a_claim_after_us_runs_where_the_volume_is_like_its_control()
    {
        await using var near = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110), ("4", "4000Mi", 110));
        await using var storage = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var volume = await LocalVolume.CreateAsync(cluster, ns, "models", storage.Names[0]);
        await using var injecting = await InjectingWebhook.StartAsync(cluster.Api, """
            [{ "op": "add", "path": "/spec/volumes", "value": [{ "name": "model", "persistentVolumeClaim": { "claimName": "models" } }] }]
            """);

        var step = InjectingWebhook.Labelled(Steps.Predict(near.Location));
        var control = step.DeepClone().AsObject().With(p => p["metadata"]!["labels"]!.AsObject().Remove("typeOfComponent"));

        Assert.Equal(storage.Names[0], await ns.NodeOfAsync(await ns.CreateAsync(control)));
        Assert.Equal(storage.Names[0], await ns.NodeOfAsync(await ns.CreateAsync(step)));
    }

    // https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy
    [Theory]
    [InlineData("aaa-injects-before-us", 1)]
    [InlineData(InjectingWebhook.AfterOurs, 2)]
    public async Task A_webhook_that_is_called_before_ours_costs_no_second_call(string name, int calls)
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var injecting = await InjectingWebhook.StartAsync(cluster.Api, AddContainer, name);
        using var reviews = new ReviewCount();

        Assert.Equal(calls, await reviews.OfAsync(() => ns.CreateAsync(InjectingWebhook.Labelled(Steps.Predict("HOME-EDGE")))));
    }

    [Fact]
    public async Task Pods_of_a_template_that_was_copied_from_a_decided_pod_run_where_their_own_labels_say()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var decided = await ns.CreateAsync(Steps.Predict("NITOS-CLOUD"));
        var copy = Steps.Predict("HOME-EDGE");
        copy["metadata"]!["annotations"] = decided["metadata"]!["annotations"]!.DeepClone();
        copy["spec"] = decided["spec"]!.DeepClone();
        copy["spec"]!.AsObject().Remove("nodeName");

        var pod = await ns.CreateAsync(copy);

        Assert.StartsWith("predict at HOME-EDGE: home-edge-node ", TestNamespace.DecisionOf(pod), StringComparison.Ordinal);
        Assert.Equal("home-edge-node", await ns.NodeOfAsync(pod));
    }

    [Fact]
    public async Task A_template_that_carries_only_a_sentence_of_ours_is_decided_on()
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        var pod = await ns.CreateAsync(Steps.Predict("HOME-EDGE").With(p => p["metadata"]!["annotations"] = new JsonObject
        {
            ["admissionlas.io/decision"] = "predict at NITOS-CLOUD: nitos-cloud-node (0.289 ms) adaptive; by label typeOfComponent, label OurLocation",
        }));

        Assert.StartsWith("predict at HOME-EDGE: home-edge-node ", TestNamespace.DecisionOf(pod), StringComparison.Ordinal);
        Assert.Equal("home-edge-node", await ns.NodeOfAsync(pod));
    }
}
