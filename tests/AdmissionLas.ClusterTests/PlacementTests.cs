namespace AdmissionLas.ClusterTests;

/// <summary>What the default scheduler makes of our patches, and what stays of what the author wrote.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class PlacementTests(ControlPlane cluster)
{
    static readonly (string Location, string Nearest)[] Locations =
        [("NITOS-CLOUD", "nitos-cloud-node"), ("NITLAB-EDGE", "nitlab-edge-node"), ("HOME-EDGE", "home-edge-node")];

    [Fact]
    public async Task Two_hundred_pods_at_once_are_all_bound_and_right()
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (i, _) =>
            await ns.CreateAsync(Steps.Predict(Locations[i % Locations.Length].Location)));
        JsonObject[] pods = [];
        await Eventually.IsTrueAsync("all 200 pods are bound", async () =>
        {
            pods = await ns.ListAsync();
            return pods.All(p => p["spec"]!["nodeName"] is not null);
        });

        Assert.Equal(200, pods.Length);
        Assert.All(pods, pod =>
        {
            var location = pod["metadata"]!["labels"]!["OurLocation"]!.ToString();
            Assert.Equal(Locations.Single(l => l.Location == location).Nearest, pod["spec"]!["nodeName"]!.ToString());
        });
    }

    [Fact]
    public async Task When_the_nearest_node_is_full_the_pod_runs_on_the_next_nearest()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await ns.CreateAsync(Steps.Filler("home-edge-node", cpu: "1950m"));

        var pod = await ns.CreateAsync(Steps.Predict("HOME-EDGE", cpu: "100m"));

        Assert.Equal("nitlab-edge-node", await ns.NodeOfAsync(pod));
    }

    [Fact]
    public async Task A_pod_too_big_for_the_nearest_node_goes_to_the_nearest_that_can_hold_it()
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        var pod = await ns.CreateAsync(Steps.Predict("HOME-EDGE", cpu: "3"));

        Assert.Equal("nitos-cloud-node", await ns.NodeOfAsync(pod));
    }

    // As Kueue does (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/#mutable-pod-scheduling-directives).
    [Fact]
    public async Task A_gated_pod_runs_where_the_one_who_opens_the_gate_wants_it_like_its_control()
    {
        await using var near = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110), ("4", "4000Mi", 110));
        await using var workers = await OwnNodes.CreateAsync(cluster, ("8", "16000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        var pool = new JsonObject { ["pool"] = workers.Location };
        await cluster.Api.MergePatchAsync($"/api/v1/nodes/{workers.Names[0]}", new JsonObject { ["metadata"] = new JsonObject { ["labels"] = pool } });

        var step = await ns.CreateAsync(Gated());
        var control = await ns.CreateAsync(Gated().With(p => p["metadata"]!.AsObject().Remove("labels")));

        Assert.NotNull(TestNamespace.DecisionOf(step));
        // A server before Kubernetes 1.26 does not know the field.
        if (step["spec"]!["schedulingGates"] is null)
        {
            Assert.Equal(near.Names[0], await ns.NodeOfAsync(step));
            return;
        }

        foreach (var pod in (JsonObject[])[step, control])
        {
            var opened = new JsonObject { ["schedulingGates"] = new JsonArray(), ["nodeSelector"] = pool.DeepClone() };
            await cluster.Api.MergePatchAsync($"{ns.Pods}/{pod["metadata"]!["name"]}", new JsonObject { ["spec"] = opened });
            Assert.Equal(workers.Names[0], await ns.NodeOfAsync(pod));
        }

        JsonObject Gated() => Steps.Predict(near.Location).With(p => p["spec"]!["schedulingGates"] = new JsonArray(new JsonObject { ["name"] = "example.com/queue" }));
    }

    [Fact]
    public async Task A_pod_that_names_its_operating_system_runs_on_the_nearest_node_that_has_it()
    {
        await using var nodes = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110), ("4", "4000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        await LabelAsync(nodes.Names[0], "windows");
        await LabelAsync(nodes.Names[1], "linux");
        await Eventually.IsTrueAsync("the webhook knows the labels", () => Task.FromResult(
            cluster.State.Current!.NearestTo(nodes.Location).All(n => n.Node.Label("kubernetes.io/os") is not null)));

        var pod = await ns.CreateAsync(Steps.Predict(nodes.Location).With(p => p["spec"]!["os"] = new JsonObject { ["name"] = "linux" }));

        // A server before Kubernetes 1.23 does not know the field.
        Assert.Equal(nodes.Names[pod["spec"]!["os"] is null ? 0 : 1], await ns.NodeOfAsync(pod));

        Task LabelAsync(string node, string os) => cluster.Api.MergePatchAsync(
            $"/api/v1/nodes/{node}", new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["kubernetes.io/os"] = os } } });
    }

    [Fact]
    public async Task Neighbours_that_request_nothing_do_not_make_the_second_nearest_win()
    {
        await using var nodes = await OwnNodes.CreateAsync(cluster, ("2", "4000Mi", 110), ("2", "4000Mi", 110), ("8", "16000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        foreach (var other in nodes.Names.Skip(1))
        {
            await cluster.Api.MergePatchAsync($"/api/v1/nodes/{other}/status", new JsonObject
            {
                ["status"] = new JsonObject
                {
                    ["images"] = new JsonArray(new JsonObject { ["names"] = new JsonArray("registry.example/vision:3"), ["sizeBytes"] = 1_600_000_000 }),
                }
            });
        }

        await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => ns.CreateAsync(Steps.Filler(nodes.Names[0], "1m").With(p =>
            p["spec"]!["containers"]![0]!.AsObject().Remove("resources")))));
        await Eventually.IsTrueAsync("the webhook knows them", () => Task.FromResult(
            cluster.UsageCache.Current.On(nodes.Names[0]).Pods == 12 && cluster.State.Current!.NearestTo(nodes.Location).Count(n => n.Node.Images.BytesOf(ImageId.Of("registry.example/vision:3")) > 0) == 2));

        var pod = await ns.CreateAsync(Steps.Predict(nodes.Location, "10m", "16Mi").With(p => p["spec"]!["containers"]![0]!["image"] = "registry.example/vision:3"));

        Assert.Equal(nodes.Names[0], await ns.NodeOfAsync(pod));
    }

    [Theory]
    [InlineData("heavy", false)]
    [InlineData("light", true)]
    public async Task A_pod_that_others_keep_away_from_the_near_nodes_runs_where_its_control_does(string workload, bool isNear)
    {
        await using var near = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110), ("4", "4000Mi", 110));
        await using var ns = await cluster.CreateNamespaceAsync();
        foreach (var node in near.Names)
        {
            await ns.CreateAsync(Steps.Filler(node, "1m").With(p => p["spec"]!["affinity"] = JsonNode.Parse("""
                { "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [
                  { "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": { "workload": "heavy" } } }] } }
                """)));
        }

        await FreshLists.AreKnownAsync(cluster.Api, cluster.Webhook, "the webhook");
        var step = Steps.Predict(near.Location).With(p => p["metadata"]!["labels"]!["workload"] = workload);
        var control = step.DeepClone().AsObject().With(p => p["metadata"]!["labels"]!.AsObject().Remove("typeOfComponent"));

        Assert.NotEmpty(await ns.NodeOfAsync(await ns.CreateAsync(control)));
        Assert.Equal(isNear, near.Names[0] == await ns.NodeOfAsync(await ns.CreateAsync(step)));
    }

    [Fact]
    public async Task Required_placement_pins_the_pod_to_the_near_node()
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        var pod = await ns.CreateAsync(Steps.Predict("HOME-EDGE").With(p =>
            p["metadata"]!["annotations"] = new JsonObject { ["admissionlas.io/placement"] = "required" }));

        Assert.Equal("home-edge-node", await ns.NodeOfAsync(pod));
        var terms = pod["spec"]!["affinity"]!["nodeAffinity"]!["requiredDuringSchedulingIgnoredDuringExecution"]!["nodeSelectorTerms"]!.AsArray();
        Assert.Equal("""[{"matchExpressions":[{"key":"kubernetes.io/hostname","operator":"In","values":["home-edge-node"]}]}]""", terms.ToJsonString());
    }

    [Fact]
    public async Task A_pods_own_affinity_is_kept_and_obeyed()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var own = JsonNode.Parse("""
            {
              "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                  "nodeSelectorTerms": [{ "matchExpressions": [{ "key": "admissionlas.io/tier", "operator": "In", "values": ["cloud"] }] }]
                },
                "preferredDuringSchedulingIgnoredDuringExecution": [
                  { "weight": 1, "preference": { "matchExpressions": [{ "key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"] }] } }
                ]
              }
            }
            """)!;

        var pod = await ns.CreateAsync(Steps.Predict("HOME-EDGE").With(p => p["spec"]!["affinity"] = own.DeepClone()));

        Assert.Equal("nitos-cloud-node", await ns.NodeOfAsync(pod));
        var kept = pod["spec"]!["affinity"]!["nodeAffinity"]!;
        const string required = "requiredDuringSchedulingIgnoredDuringExecution";
        Assert.True(JsonNode.DeepEquals(own["nodeAffinity"]![required], kept[required]));
        // Where no other node may run it, ours is one preference more.
        Assert.Equal([1, 100], TestNamespace.PreferredTermsOf(pod).Select(t => t!["weight"]!.GetValue<int>()));
        Assert.True(JsonNode.DeepEquals(own["nodeAffinity"]!["preferredDuringSchedulingIgnoredDuringExecution"]![0], TestNamespace.PreferredTermsOf(pod)[0]));
    }

    [Fact]
    public async Task A_limit_range_gives_its_defaults_and_training_leaves_them()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await ns.AddAsync("limitranges", JsonNode.Parse("""
            {
              "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": "defaults" },
              "spec": { "limits": [{ "type": "Container",
                "default": { "cpu": "1", "memory": "1Gi" }, "defaultRequest": { "cpu": "500m", "memory": "512Mi" }, "max": { "cpu": "1500m", "memory": "2Gi" } }] }
            }
            """)!.AsObject());

        var pod = await ns.CreateAsync(Steps.Training());

        Assert.Equal("""{"cpu":"500m","memory":"512Mi"}""", pod["spec"]!["containers"]![0]!["resources"]!["requests"]!.ToJsonString());
        Assert.Equal("nitos-cloud-node", await ns.NodeOfAsync(pod));
    }

    [Fact]
    public async Task A_limit_range_without_defaults_never_refuses_what_training_adds()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await ns.AddAsync("limitranges", JsonNode.Parse("""
            {
              "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": "largest" },
              "spec": { "limits": [{ "type": "Container", "max": { "cpu": "1", "memory": "1Gi" } }] }
            }
            """)!.AsObject());

        var pod = await ns.CreateAsync(Steps.Training());

        Assert.NotNull(TestNamespace.DecisionOf(pod));
        Assert.NotEmpty(await ns.NodeOfAsync(pod));
    }

    [Fact]
    public async Task A_second_call_for_the_same_pod_changes_nothing_also_in_the_older_review_version()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var once = await ns.CreateAsync(Steps.Predict("NITLAB-EDGE"));
        await cluster.Api.CreateAsync(ControlPlane.Registrations, cluster.Webhook.Registration("admission-las-again").With(r =>
            r["webhooks"]![0]!["admissionReviewVersions"] = new JsonArray("v1beta1")));
        try
        {
            // A registration takes effect on the API server's next look at it; until then there is only one call.
            for (var i = 0; i < 10; i++)
            {
                var twice = await ns.CreateAsync(Steps.Predict("NITLAB-EDGE"));

                Assert.True(JsonNode.DeepEquals(once["spec"]!["affinity"], twice["spec"]!["affinity"]));
                Assert.Equal(TestNamespace.DecisionOf(once), TestNamespace.DecisionOf(twice));
                await Task.Delay(200);
            }
        }
        finally
        {
            await cluster.UnregisterAsync("admission-las-again");
        }
    }

    [Fact]
    public async Task A_pod_created_with_the_output_of_an_earlier_review_stays_as_it_is()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var first = await ns.CreateAsync(Steps.Training());
        var again = Steps.Training();
        again["metadata"]!["annotations"] = first["metadata"]!["annotations"]!.DeepClone();
        again["spec"] = first["spec"]!.DeepClone();

        var second = await ns.CreateAsync(again);

        Assert.True(JsonNode.DeepEquals(first["spec"], second["spec"]));
    }
}
