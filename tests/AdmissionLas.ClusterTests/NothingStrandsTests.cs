namespace AdmissionLas.ClusterTests;

/// <summary>
/// Steps that a requirement or a request of ours could leave waiting, or make evict others. Each runs as its control does, the same pod without our
/// label, and the pods that were there before are there afterwards.
/// </summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class NothingStrandsTests(ControlPlane cluster)
{
    // https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins: VolumeRestrictions.
    [Theory]
    [InlineData("""{ "iscsi": { "targetPortal": "192.0.2.1:3260", "iqn": "iqn.2001-04.com.example:storage", "lun": 0 } }""")]
    [InlineData("""{ "gcePersistentDisk": { "pdName": "models" } }""")]
    [InlineData("""{ "awsElasticBlockStore": { "volumeID": "vol-1" } }""")]
    [InlineData("""{ "rbd": { "monitors": ["192.0.2.1"], "image": "models" } }""")]
    public async Task A_step_whose_disk_is_in_use_on_the_near_nodes_runs_elsewhere(string disk)
    {
        await using var near = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110), ("4", "4000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var priority = await PriorityClass.CreateAsync(cluster);
        var holders = await Task.WhenAll(near.Names.Select(n => ns.CreateAsync(WithDisk(Steps.Filler(n, "10m")))));
        await FreshLists.AreKnownAsync(cluster.Api, cluster.Webhook, "the webhook");

        foreach (var step in (JsonObject[])[WithDisk(Steps.Predict(near.Location)), WithDisk(Of(priority, Steps.Predict(near.Location)))])
        {
            await RunsAsItsControlAsync(ns, step, holders, node => Assert.DoesNotContain(node, near.Names));
        }

        JsonObject WithDisk(JsonObject pod) => pod.With(p =>
        {
            var volume = JsonNode.Parse(disk)!.AsObject();
            volume["name"] = "disk";
            p["spec"]!["volumes"] = new JsonArray(volume);
        });
    }

    // Pods of a low priority keep room for an autoscaler (-10), or something runs there for ever (0): 1 CPU is left, and a step without requests gets 2.
    [Theory]
    [InlineData(-10)]
    [InlineData(0)]
    public async Task A_training_step_that_states_no_requests_takes_what_is_free(int value)
    {
        await using var nodes = await OwnNodes.CreateAsync(cluster, ("4", "8000Mi", 110), ("4", "8000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var priority = await PriorityClass.CreateAsync(cluster, value);
        var others = await Task.WhenAll(nodes.Names.Select(n => ns.CreateAsync(Of(priority, Steps.Filler(n, "3")))));
        await FreshLists.AreKnownAsync(cluster.Api, cluster.Webhook, "the webhook");

        var step = Steps.Training().With(p => p["spec"]!["affinity"] = new JsonObject
        {
            ["nodeAffinity"] = new JsonObject
            {
                ["requiredDuringSchedulingIgnoredDuringExecution"] = new JsonObject
                {
                    ["nodeSelectorTerms"] = new JsonArray(new JsonObject
                    {
                        ["matchExpressions"] = new JsonArray(new JsonObject
                        {
                            ["key"] = "topology.kubernetes.io/zone",
                            ["operator"] = "In",
                            ["values"] = new JsonArray([.. nodes.Names.Select(n => JsonValue.Create(n))]),
                        }),
                    }),
                },
            },
        });
        var placed = await RunsAsItsControlAsync(ns, step, others, node => Assert.Contains(node, nodes.Names));

        Assert.Equal("1", $"{placed["spec"]!["containers"]![0]!["resources"]!["requests"]!["cpu"]}");
    }

    [Theory]
    [InlineData("admissionlas.io/spread", "near")]
    [InlineData("admissionlas.io/placement", "required")]
    [InlineData("admissionlas.io/placement", "adaptive")]
    public async Task A_step_with_a_priority_whose_near_nodes_are_filled_before_it_is_scheduled_evicts_nobody(string hint, string word)
    {
        await using var near = await OwnNodes.CreateAsync(cluster, ("1", "4000Mi", 110), ("1", "4000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var priority = await PriorityClass.CreateAsync(cluster);
        JsonObject step;
        JsonObject[] others;
        await using (await cluster.StopSchedulerAsync())
        {
            step = await ns.CreateAsync(Of(priority, Steps.Predict(near.Location, "600m")).With(p =>
                p["metadata"]!["annotations"] = new JsonObject { [hint] = word, ["admissionlas.io/max-latency"] = "5ms" }));
            others = await Task.WhenAll(near.Names.Select(n => ns.CreateAsync(Steps.Filler(n, "600m"))));
        }

        Assert.NotNull(TestNamespace.DecisionOf(step));
        Assert.DoesNotContain(await ns.NodeOfAsync(step), near.Names);
        await AreThereAsync(ns, others);
    }

    [Fact]
    public async Task Pods_that_are_refused_after_their_review_take_no_room_from_other_namespaces()
    {
        await using var near = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110), ("4", "4000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var victims = await cluster.CreateNamespaceAsync();
        for (var i = 0; i < 3; i++)
        {
            var (status, _) = await cluster.Api.TryCreateAsync(ns.Pods, Steps.Predict(near.Location, "3900m").With(p => p["spec"]!["activeDeadlineSeconds"] = -1));
            Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        }

        Assert.Equal(near.Names[0], await victims.NodeOfAsync(await victims.CreateAsync(Steps.Predict(near.Location))));
    }

    static JsonObject Of(PriorityClass priority, JsonObject pod) => pod.With(p => p["spec"]!["priorityClassName"] = priority.Name);

    /// <summary>Creates the control, ends it, creates the step, and returns it as it was created.</summary>
    static async Task<JsonObject> RunsAsItsControlAsync(TestNamespace ns, JsonObject step, JsonObject[] others, Action<string> isRight)
    {
        var control = await ns.CreateAsync(step.DeepClone().AsObject().With(p => p["metadata"]!["labels"]!.AsObject().Remove("typeOfComponent")));
        isRight(await ns.NodeOfAsync(control));
        await ns.DeleteAsync(control);
        var placed = await ns.CreateAsync(step);
        Assert.NotNull(TestNamespace.DecisionOf(placed));
        isRight(await ns.NodeOfAsync(placed));
        await AreThereAsync(ns, others);
        return placed;
    }

    static async Task AreThereAsync(TestNamespace ns, JsonObject[] pods)
    {
        var left = (await ns.ListAsync()).Select(p => $"{p["metadata"]!["name"]}").ToHashSet();
        Assert.All(pods, p => Assert.Contains($"{p["metadata"]!["name"]}", left));
    }
}
