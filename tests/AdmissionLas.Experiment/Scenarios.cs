namespace AdmissionLas.Experiment;

/// <summary>The situations in which the modes are compared.</summary>
static class Scenarios
{
    const string Home = "home-edge-node";
    const string Lab = "nitlab-edge-node";

    static readonly string[] TestbedLocations = ["NITOS-CLOUD", "NITLAB-EDGE", "HOME-EDGE"];

    internal static IReadOnlyList<Scenario> All { get; } =
    [
        new("testbed-idle", "the thesis testbed, nothing else on it", TestbedIdle),
        new("edges-nearly-full", "both edge nodes have room for a few pods more", EdgesNearlyFull),
        new("edges-full-then-freed", "both edge nodes are full, then free again", EdgesFullThenFreed),
        new("images-on-cloud", "only the cloud nodes have the pods' image, 2 GB", ImagesOnCloud),
        new("nodes-3", "3 nodes, 3 locations, bursts and departures", random => Mixed(random, Clusters.Make(random, 3, 3), bursts: 4, size: 12)),
        new("nodes-30", "30 nodes, 10 locations, bursts and departures", random => Mixed(random, Clusters.Make(random, 30, 10), bursts: 4, size: 40)),
        new("nodes-300", "300 nodes, 20 locations, bursts and departures", random => Mixed(random, Clusters.Make(random, 300, 20), bursts: 4, size: 60)),
        new("pipelines", "1,000 pods of 10 pipelines on 30 nodes in bursts of 50, with departures", random => Mixed(random, Clusters.Make(random, 30, 10), bursts: 20, size: 50)),
        new("churn", "taints, cordons and nodes that disappear in the middle of bursts, 30 nodes", Churn),
        new("affinities", "pods with selectors, required and preferred affinity of their own, 30 nodes", Affinities),
        new("services", "Services of 10 to 50 replicas, 30 nodes in 10 zones", Services),
        new("kept-free", "pods whose required anti-affinity keeps half of the steps off a third of the edge nodes, 30 nodes", KeptFree),
        new("injector", "a webhook after ours adds a container, nearly full edges, steps that could evict others, 30 nodes", Injector),
        new("gates", "steps that wait behind a gate; opened, a third of them has to run on the large nodes, 30 nodes", Gates) { SinceMinor = 27 },
        new("most-allocated", "a scheduler that packs pods: MostAllocated, 30 nodes", random => Mixed(random, Clusters.Make(random, 30, 10), bursts: 4, size: 40)) { Scoring = ScoringStrategy.MostAllocated },
        new("no-requests", "neighbours that request nothing on half of the edges, and the image on the others, 30 nodes", NoRequests),
    ];

    static Plan TestbedIdle(Random random) => new(Testbed("nodes"), [.. Rounds(6, 6, (name, i) =>
        i == 5 ? Objects.Training(name) : Objects.Predict(name, TestbedLocations[random.Next(3)], 50, 64))]);

    static Plan EdgesNearlyFull(Random random) => new(Testbed("nodes"),
    [
        new Act.Burst([Objects.Filler("home", Home, 1500, 2700), Objects.Filler("lab", Lab, 1500, 2700)]),
        new Act.Settle(),
        .. Rounds(4, 6, (name, _) => AtAnEdge(random, name)),
    ]);

    static Plan EdgesFullThenFreed(Random random) => new(Testbed("nodes"),
    [
        new Act.Burst([Objects.Filler("home", Home, 1980, 3000), Objects.Filler("lab", Lab, 1980, 3000)]),
        new Act.Settle(),
        new Act.Burst([.. Numbered(10, 0, (name, _) => AtAnEdge(random, name))]),
        new Act.Settle(),
        new Act.Depart(["home", "lab"]),
        new Act.Settle(),
        new Act.Burst([.. Numbered(24, 1, (name, _) => AtAnEdge(random, name))]),
        new Act.Settle(),
    ]);

    static Plan ImagesOnCloud(Random random)
    {
        var nodes = Testbed("nodes-two-clouds");
        foreach (var node in nodes.Where(n => n["metadata"]!["labels"]![Objects.Tier]!.GetValue<string>() == "cloud"))
        {
            node["status"]!["images"] = new JsonArray(new JsonObject { ["names"] = new JsonArray(Objects.Image), ["sizeBytes"] = 2_000_000_000 });
        }

        return new(nodes, [.. Rounds(4, 6, (name, _) => Objects.Predict(name, TestbedLocations[random.Next(3)], 100, 150))]);
    }

    static PlannedPod AtAnEdge(Random random, string name) => Objects.Predict(name, TestbedLocations[1 + random.Next(2)], 100, 150);

    static IEnumerable<Act> Rounds(int rounds, int pods, Func<string, int, PlannedPod> make) =>
        Enumerable.Range(0, rounds).SelectMany(round => (Act[])[new Act.Burst(Numbered(pods, round, make)), new Act.Settle()]);

    /// <summary>Bursts of predict and training pods from pipelines; after each burst the pods of the oldest are done, so that some nodes stay full.</summary>
    static Plan Mixed(Random random, Cluster cluster, int bursts, int size, Func<int, PlannedPod, PlannedPod>? change = null, Func<int, (int, Act)[]>? meanwhile = null)
    {
        var acts = new List<Act>();
        var running = new Queue<(string[] Pods, int CpuMilli)>();
        var budget = cluster.CpuMilli * 6 / 10;
        var used = 0;
        for (var burst = 0; burst < bursts; burst++)
        {
            var cost = 0;
            var pods = Numbered(size, burst, (name, i) =>
            {
                if (i % 10 == 9)
                {
                    cost += 1000;
                    return Objects.Training(name);
                }

                var cpu = 100 * random.Next(1, 6);
                cost += cpu;
                return Objects.Predict(name, cluster.AnyLocation(random), cpu, cpu * 3 / 2);
            }).Select(p => change?.Invoke(burst, p) ?? p).ToArray();
            acts.Add(new Act.Burst(pods, meanwhile?.Invoke(burst) ?? []));
            acts.Add(new Act.Settle());
            running.Enqueue(([.. pods.Select(p => p.Name)], cost));
            used += cost;
            while (used > budget && running.Count > 0)
            {
                var done = running.Dequeue();
                used -= done.CpuMilli;
                acts.Add(new Act.Depart(done.Pods));
                acts.Add(new Act.Settle());
            }
        }

        return new Plan(cluster.Nodes, acts);
    }

    static Plan Churn(Random random)
    {
        var cluster = Clusters.Make(random, 30, 10);
        // Edge nodes that are near somebody, each struck once.
        var victims = new Queue<string>(cluster.EdgeNames.OrderBy(_ => random.Next()));
        return Mixed(random, cluster, bursts: 6, size: 40, meanwhile: _ => [
            (10, new Act.Vanish(victims.Dequeue())),
            (20, new Act.Change(victims.Dequeue(), new JsonObject { ["spec"] = new JsonObject { ["unschedulable"] = true } })),
            (30, new Act.Change(victims.Dequeue(), new JsonObject
            {
                ["spec"] = new JsonObject { ["taints"] = new JsonArray(new JsonObject { ["key"] = "maintenance", ["effect"] = "NoSchedule" }) },
            })),
        ]);
    }

    static Plan Affinities(Random random)
    {
        var cluster = Clusters.Make(random, 30, 10);
        return Mixed(random, cluster, bursts: 4, size: 40, change: (_, pod) =>
        {
            if (pod.Kind != PodKind.Predict)
            {
                return pod;
            }

            var spec = pod.Json["spec"]!.AsObject();
            switch (random.Next(6))
            {
                case 0:
                    spec["nodeSelector"] = new JsonObject { [Objects.Tier] = "edge" };
                    break;
                case 1:
                    spec["affinity"] = Requiring(
                        Term(Objects.Tier, "In", "cloud"), Term("kubernetes.io/hostname", "In", [.. cluster.EdgeNames.Where((_, i) => i % 3 == 0)]));
                    break;
                case 2:
                    spec["affinity"] = Requiring(Term("kubernetes.io/hostname", "NotIn", [.. cluster.EdgeNames.Where((_, i) => i % 4 == 0)]));
                    break;
                case 3:
                    spec["affinity"] = NodeAffinity("preferredDuringSchedulingIgnoredDuringExecution", new JsonArray(
                        new JsonObject { ["weight"] = 10, ["preference"] = Term("kubernetes.io/os", "In", "linux") }));
                    break;
                default:
                    break;
            }

            return pod;
        });
    }

    static Plan Services(Random random)
    {
        var cluster = Clusters.Make(random, 30, 10);
        foreach (var (i, node) in cluster.Nodes.Index())
        {
            node["metadata"]!["labels"]!["topology.kubernetes.io/zone"] = $"zone-{i % 10}";
        }

        int[] replicas = [10, 20, 30, 40, 50];
        return new Plan(cluster.Nodes, [.. replicas.SelectMany((count, i) => (Act[])
        [
            new Act.Burst(Numbered(count, i, (name, _) => Objects.Predict(name, cluster.Locations[i], 100, 150).Labelled("app", $"app-{i}"))), new Act.Settle(),
        ])])
        { Services = [.. replicas.Select((_, i) => $"app-{i}")] };
    }

    static Plan KeptFree(Random random)
    {
        var cluster = Clusters.Make(random, 30, 10);
        var guards = cluster.EdgeNames.Where((_, i) => i % 3 == 0).Select((node, i) => Objects.Filler($"guard-{i}", node, 50, 50)).ToArray();
        foreach (var guard in guards)
        {
            guard.Json["spec"]!["affinity"] = JsonNode.Parse("""
                { "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [
                  { "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": { "workload": "heavy" } } }] } }
                """);
        }

        var mixed = Mixed(random, cluster, bursts: 4, size: 40, change: (_, pod) => random.Next(2) == 0 ? pod : pod.Labelled("workload", "heavy"));
        return mixed with { Acts = [new Act.Burst(guards), new Act.Settle(), .. mixed.Acts] };
    }

    static Plan Injector(Random random)
    {
        const string sidecar = """{ "name": "sidecar", "image": "mesh", "resources": { "requests": { "cpu": "100m", "memory": "64Mi" } } }""";
        var cluster = Clusters.Make(random, 30, 10);
        var fillers = cluster.Nodes.Where(n => n["metadata"]!["labels"]![Objects.Tier]!.GetValue<string>() == "edge").Select((n, i) => Objects.Filler(
            $"filler-{i}", n["metadata"]!["name"]!.GetValue<string>(), (1000 * int.Parse(n["status"]!["capacity"]!["cpu"]!.GetValue<string>(), CultureInfo.InvariantCulture)) - 450, 100));
        return new Plan(cluster.Nodes,
        [
            new Act.Burst([.. fillers]), new Act.Settle(),
            .. Rounds(4, 40, (name, _) => Objects.Predict(name, cluster.AnyLocation(random), 100, 64, spec => spec["priorityClassName"] = "serving").Labelled("inject", "on")
                .Becoming(spec => spec["containers"]!.AsArray().Add(JsonNode.Parse(sidecar)))),
        ])
        {
            PriorityClass = "serving",
            Injects = $$"""[{ "op": "add", "path": "/spec/containers/-", "value": {{sidecar}} }]""",
        };
    }

    static Plan Gates(Random random)
    {
        var cluster = Clusters.Make(random, 30, 10);
        var acts = new List<Act>();
        for (var burst = 0; burst < 4; burst++)
        {
            var pods = Numbered(30, burst, (name, i) =>
            {
                var pod = Objects.Predict(name, cluster.AnyLocation(random), 100, 150, spec => spec["schedulingGates"] = new JsonArray(new JsonObject { ["name"] = "example.com/queue" }));
                return i % 3 == 0 ? pod.Becoming(spec => spec["nodeSelector"] = new JsonObject { [Objects.Tier] = "cloud" }) : pod;
            });
            acts.Add(new Act.Burst(pods));
            acts.Add(new Act.ChangePods([.. pods.Where(p => p.Final is null).Select(p => p.Name)], Opened()));
            acts.Add(new Act.ChangePods([.. pods.Where(p => p.Final is not null).Select(p => p.Name)], Opened(new JsonObject { [Objects.Tier] = "cloud" })));
            acts.Add(new Act.Settle());
        }

        return new Plan(cluster.Nodes, acts);

        static JsonObject Opened(JsonObject? selector = null)
        {
            var spec = new JsonObject { ["schedulingGates"] = new JsonArray() };
            if (selector is not null)
            {
                spec["nodeSelector"] = selector;
            }

            return new JsonObject { ["spec"] = spec };
        }
    }

    static Plan NoRequests(Random random)
    {
        var cluster = Clusters.Make(random, 30, 10);
        foreach (var node in cluster.Nodes.Where((_, i) => i % 2 == 0))
        {
            node["status"]!["images"] = new JsonArray(new JsonObject { ["names"] = new JsonArray(Objects.Image), ["sizeBytes"] = 1_600_000_000 });
        }

        var neighbours = cluster.Nodes.Where((_, i) => i % 2 == 1).SelectMany((n, i) => Enumerable.Range(0, 8).Select(j =>
        {
            var pod = Objects.Filler($"neighbour-{i}-{j}", n["metadata"]!["name"]!.GetValue<string>(), 0, 0);
            pod.Json["spec"]!["containers"]![0]!.AsObject().Remove("resources");
            return pod;
        }));
        return new Plan(cluster.Nodes,
        [
            new Act.Burst([.. neighbours]), new Act.Settle(), .. Rounds(4, 30, (name, _) => Objects.Predict(name, cluster.AnyLocation(random), 100, 150)),
        ]);
    }

    static JsonObject Requiring(params JsonObject[] terms) =>
        NodeAffinity("requiredDuringSchedulingIgnoredDuringExecution", new JsonObject { ["nodeSelectorTerms"] = new JsonArray([.. terms]) });

    static JsonObject NodeAffinity(string kind, JsonNode value) => new() { ["nodeAffinity"] = new JsonObject { [kind] = value } };

    static JsonObject Term(string key, string @operator, params string[] values) => new()
    {
        ["matchExpressions"] = new JsonArray(new JsonObject { ["key"] = key, ["operator"] = @operator, ["values"] = new JsonArray([.. values.Select(v => JsonValue.Create(v))]) }),
    };

    static JsonObject[] Testbed(string file)
    {
        using var text = File.OpenText(Checkout.PathOf($"manifests/testbed/{file}.yaml"));
        return [.. Kubernetes.YamlJson.ReadObjects(text).Select(o => JsonObject.Create(o)!)];
    }

    static PlannedPod[] Numbered(int count, int round, Func<string, int, PlannedPod> make) => [.. Enumerable.Range(0, count).Select(i => make($"p{round:00}-{i:00}", i))];
}
