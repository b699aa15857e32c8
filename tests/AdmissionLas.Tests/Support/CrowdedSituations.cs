using System.Text.Json;
using CsCheck;

namespace AdmissionLas.Tests.Support;

/// <summary>
/// A pod on its way from its author to the scheduler of a cluster in which other pods run: through other webhooks before and after ours, and a queue.
/// </summary>
/// <param name="Nodes">The nodes.</param>
/// <param name="Running">The pods on them, as the API server has them.</param>
/// <param name="Claims">By the name of a claim the nodes that reach its volume.</param>
/// <param name="Pod">As its author wrote it.</param>
/// <param name="Policy">The admin's choices.</param>
/// <param name="Before">What webhooks change that are called before ours.</param>
/// <param name="After">What webhooks change that are called after ours, which is then called again.</param>
/// <param name="Queue">What a queue adds to a gated pod as it opens the gates.</param>
/// <param name="Quota">A ResourceQuota.</param>
/// <param name="KnowsNamespaces">Whether the labels of the namespaces are known to us.</param>
sealed record CrowdedSituation(
    NodeFacts[] Nodes, JsonObject[] Running, IReadOnlyDictionary<string, string[]> Claims, JsonObject Pod, PlacementPolicy Policy, PodChange[] Before, PodChange[] After, PodChange Queue, PodQuota? Quota,
    bool KnowsNamespaces)
{
    internal ScheduledCluster Cluster { get; } = new(Nodes, Running, Claims);

    /// <summary>What the scheduler gets without our webhook.</summary>
    internal JsonObject WithoutUs() => Open(Changed(Changed(Pod, Before), After));

    /// <summary>Whether a queue may still say which nodes the pod can have when our webhook sees it.</summary>
    internal bool IsGated => Gates(Changed(Changed(Pod, Before), After));

    /// <summary>The last decision of our webhook, and what the scheduler gets with it.</summary>
    internal (Decision Last, JsonObject Pod) WithUs()
    {
        var (view, usage, settings) = (new ClusterView(Nodes), CountedByUs(), CompiledSettings.Of(new StepRules(), Policy));
        var reviewed = WebhookCall.Review(Changed(Pod, Before), view, usage, settings);
        var changed = Changed(reviewed.Pod, After);
        // The API server calls again where another has changed the pod since, with another uid (reinvocationPolicy: IfNeeded).
        reviewed = JsonNode.DeepEquals(changed, reviewed.Pod) ? reviewed : WebhookCall.Review(changed, view, usage, settings, uid: "uid-2");
        return (reviewed.Decision!, Open(reviewed.Pod));
    }

    public override string ToString() => string.Join('\n', (string[])
    [
        $"{new Situation(Nodes, Cluster.Usage, Pod, Policy)}, {Policy.Spread}, {Policy.ScoringStrategy}", .. Running.Select(p => p.ToJsonString()),
        $"before: {string.Join(", ", Before.Select(c => c.Name))}; after: {string.Join(", ", After.Select(c => c.Name))}; queue: {Queue.Name}; quota: {Quota}",
        .. Claims.Select(c => $"claim {c.Key}: {string.Join(' ', c.Value)}"),
    ]);

    NodeUsageCache CountedByUs()
    {
        var usage = Usages.UsageCache();
        if (KnowsNamespaces)
        {
            usage.SetNamespaces(ScheduledCluster.TeamOf.ToDictionary(t => t.Key, t => (IReadOnlyDictionary<string, string>?)new Dictionary<string, string>
            {
                ["kubernetes.io/metadata.name"] = t.Key,
                ["team"] = t.Value,
            }));
        }

        foreach (var pod in Running)
        {
            using var document = JsonDocument.Parse(pod.ToJsonString());
            usage.Set(pod["metadata"]!["uid"]!.GetValue<string>(), PodUsageReader.Read(document.RootElement));
        }

        return usage;
    }

    JsonObject Open(JsonObject pod) => Gates(pod) ? Changed(pod, [Queue]) : pod;

    static bool Gates(JsonObject pod) => pod["spec"]!.AsObject().ContainsKey("schedulingGates");

    static JsonObject Changed(JsonObject pod, PodChange[] changes)
    {
        var changed = pod.DeepClone().AsObject();
        foreach (var (_, change) in changes)
        {
            change(changed);
        }

        return changed;
    }
}

/// <summary>What somebody else changes of a pod.</summary>
sealed record PodChange(string Name, Action<JsonObject> Change);

/// <summary>A quota of pods with a scope.</summary>
/// <param name="IsBestEffort">It counts pods of the QoS class BestEffort, or all others.</param>
/// <param name="HasRoom">For one more pod.</param>
sealed record PodQuota(bool IsBestEffort, bool HasRoom)
{
    /// <summary>Whether the API server creates the pod (https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-scopes).</summary>
    internal bool Admits(JsonObject pod) => HasRoom || DefaultScheduler.IsBestEffort(pod) != IsBestEffort;
}

/// <summary>Generators of crowded situations, on the nodes and pods of <see cref="Situations"/>.</summary>
static class CrowdedSituations
{
    /// <summary>The claims that pods name.</summary>
    static readonly string[] ClaimNames = ["c", "injected"];

    internal static Gen<CrowdedSituation> Any => Gen.Select(
        Cluster, Gen.Frequency((8, Pod("Predict")), (2, Pod("Training"))), Policy, Gen.Select(Changes(0.25), Changes(0.35), Gen.Bool), Queue,
        Gen.Frequency<PodQuota?>((12, null), (1, new PodQuota(true, true)), (1, new PodQuota(true, false)), (2, new PodQuota(false, false))),
        (cluster, pod, policy, changes, queue, quota) =>
        {
            if (quota is not null)
            {
                Part(pod["metadata"]!.AsObject(), "annotations")[PodHints.RequestsKey] = "off";
            }

            return new CrowdedSituation(cluster.Nodes, cluster.Pods, cluster.Claims, pod, policy, changes.Item1, changes.Item2, queue, quota, changes.Item3);
        });

    static Gen<PlacementPolicy> Policy => Gen.Select(
        Situations.Policy,
        Gen.Frequency((8, PlacementMode.Adaptive), (1, PlacementMode.Preferred), (1, PlacementMode.Required)), Gen.Frequency((6, SpreadMode.Nearest), (1, SpreadMode.Near)),
        Gen.Frequency((6, ScoringStrategy.LeastAllocated), (1, ScoringStrategy.MostAllocated), (1, ScoringStrategy.Unknown)),
        (policy, mode, spread, strategy) => policy with { Mode = mode, NodeAffinityWeight = 2, Spread = spread, ScoringStrategy = strategy });

    static Gen<(NodeFacts[] Nodes, JsonObject[] Pods, IReadOnlyDictionary<string, string[]> Claims)> Cluster =>
        Gen.Select(
            Situations.Node, Gen.Frequency<string?>((8, null), (2, "linux"), (1, "windows")), Gen.Frequency((1, 1L), (1, 2L), (1, 3L), (9, 110L)), RunningPod.Array[0, 3], Gen.Bool, Gen.Bool, Gen.Frequency((2, true), (1, false)),
            (node, os, pods, running, reachesFirst, reachesSecond, isPlain) => (node, os, pods, running, reaches: new[] { reachesFirst, reachesSecond }, isPlain))
        .Array[2, 8].Select(drawn =>
        {
            var nodes = drawn.Select((d, i) => Of(d.node($"n{i:00}").Node with { AllocatablePods = d.pods }, d.os, d.isPlain)).ToArray();
            return (
                nodes,
                drawn.SelectMany((d, i) => d.running.Select((pod, j) => pod($"{i}-{j}", nodes[i]))).ToArray(),
                (IReadOnlyDictionary<string, string[]>)ClaimNames.Select((name, c) => (name, nodes.Where((_, i) => drawn[i].reaches[c]).Select(n => n.Name).ToArray())).ToDictionary());
        });

    // Most nodes take pods, or few situations would have any choice.
    static NodeFacts Of(NodeFacts node, string? os, bool isPlain)
    {
        node = os is null ? node : node.Labelled("kubernetes.io/os", os);
        return isPlain ? node with { IsReady = true, IsCordoned = false, Taints = [] } : node;
    }

    // Its requests are shares of its node, so that nodes of all sizes are full, nearly full and beyond.
    static Gen<Func<string, NodeFacts, JsonObject>> RunningPod => Gen.Select(
        Gen.Frequency((4, 0), (4, 10), (4, 25), (2, 50), (1, 90), (1, 100)), Gen.Frequency((6, 0), (4, 10), (4, 25), (1, 50), (1, 90)), Gen.Frequency((20, 0), (1, 1)), Gen.OneOf(-100, 0, 0, 2000),
        Gen.Frequency((5, (IGen<JsonObject?>)Gen.Const((JsonObject?)null)), (2, AntiAffinity.Select(a => (JsonObject?)a))), Gen.OneOf("kubeflow", "kubeflow", "other"),
        Gen.Select(Gen.OneOf<string?>(null, "x", "y"), Gen.Frequency((5, false), (1, true)), Gen.Frequency((14, "Running"), (1, "Succeeded")), Gen.Int[1, 2]),
        (cpu, memory, gpus, priority, antiAffinity, @namespace, rest) => (Func<string, NodeFacts, JsonObject>)((uid, node) =>
        {
            var requests = new JsonObject();
            Set(requests, "cpu", cpu * node.Allocatable.CpuMilliOrZero / 100, "m");
            Set(requests, "memory", memory * node.Allocatable.MemoryBytesOrZero / 100, "");
            Set(requests, Nodes.Gpu, gpus, "");
            var main = new JsonObject { ["name"] = "main", ["resources"] = new JsonObject { ["requests"] = requests } };
            if (rest.Item2)
            {
                main["ports"] = new JsonArray(new JsonObject { ["containerPort"] = 80, ["hostPort"] = 80 });
            }

            JsonArray containers = rest.Item4 == 1 ? [main] : [main, new JsonObject { ["name"] = "helper" }];
            return new JsonObject
            {
                ["metadata"] = new JsonObject { ["uid"] = uid, ["namespace"] = @namespace, ["labels"] = new JsonObject { ["app"] = rest.Item1 ?? "z" } },
                ["spec"] = new JsonObject
                {
                    ["nodeName"] = node.Name,
                    ["priority"] = priority,
                    ["containers"] = containers,
                    ["affinity"] = antiAffinity is null ? null : new JsonObject { ["podAntiAffinity"] = antiAffinity.DeepClone() },
                },
                ["status"] = new JsonObject { ["phase"] = rest.Item3 },
            };
        }));

    static void Set(JsonObject requests, string name, long amount, string unit)
    {
        if (amount > 0)
        {
            requests[name] = $"{amount}{unit}";
        }
    }

    static Gen<JsonObject> AntiAffinity => Gen.Select(
        Gen.OneOf(NodeSelectorTerm.HostnameKey, NodeSelectorTerm.HostnameKey, "zone", "absent"),
        Gen.OneOf(
            """{ "matchLabels": { "app": "x" } }""", """{ "matchLabels": { "app": "x" } }""", """{ "matchLabels": { "app": "y" } }""", """{ "matchLabels": { "injected": "true" } }""", "{}",
            """{ "matchExpressions": [ { "key": "app", "operator": "NotIn", "values": ["y", "z"] } ] }""", """{ "matchExpressions": [ { "key": "injected", "operator": "DoesNotExist" } ] }"""),
        Gen.OneOf(
            "", "", "", """, "namespaces": ["kubeflow"]""", """, "namespaces": ["other", "third"]""", """, "namespaceSelector": {}""", """, "namespaceSelector": { "matchLabels": { "team": "a" } }""",
            """, "namespaceSelector": { "matchLabels": { "team": "b" } }""", """, "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "kubeflow" } }"""),
        // Some have more terms than are kept.
        Gen.Frequency((6, 1), (1, 9)),
        (place, selector, namespaces, times) => JsonNode.Parse($$"""
            { "requiredDuringSchedulingIgnoredDuringExecution": [ {{string.Join(", ", Enumerable.Repeat($$"""{ "topologyKey": "{{place}}", "labelSelector": {{selector}}{{namespaces}} }""", times))}} ] }
            """)!.AsObject());

    static Gen<JsonObject> Pod(string type) => Gen.Select(
        Gen.OneOf(Situations.Pod(Gen.Const<string?>(type), withPreferences: false), Situations.Pod(Gen.Const<string?>(type), withPreferences: true)), Gen.Double.Unit.Array[8], AntiAffinity, Gen.OneOf("linux", "windows"),
        (pod, rolls, antiAffinity, os) =>
        {
            var spec = pod["spec"]!.AsObject();
            // The API server refuses two containers of one name.
            foreach (var (i, container) in List(spec, "containers").Concat(List(spec, "initContainers")).Index().GroupBy(c => $"{c.Item!["name"]}").SelectMany(same => same.Skip(1)))
            {
                container!["name"] = $"{container["name"]}-{i}";
            }

            // Less of what leaves few nodes, or all to the scheduler.
            if (rolls[5] < 0.75)
            {
                spec.Remove("affinity");
                spec.Remove("nodeSelector");
            }

            if (rolls[6] < 0.7)
            {
                foreach (var container in List(spec, "containers").Concat(List(spec, "initContainers")))
                {
                    container!.AsObject().Remove("ports");
                }
            }

            if (rolls[7] < 0.7)
            {
                (pod["metadata"]!["annotations"] as JsonObject)?.Remove(PodHints.PlacementKey);
            }

            if (rolls[0] < 0.08)
            {
                Part(spec, "affinity")["podAntiAffinity"] = antiAffinity;
            }

            if (rolls[1] < 0.15)
            {
                spec["priority"] = 1000;
                spec["preemptionPolicy"] = rolls[1] < 0.03 ? "Never" : "PreemptLowerPriority";
            }

            if (rolls[2] < 0.08)
            {
                Gate(pod);
            }

            if (rolls[3] < 0.1)
            {
                spec["os"] = new JsonObject { ["name"] = os };
            }

            if (rolls[4] < 0.05)
            {
                spec["schedulerName"] = "another";
            }

            return pod;
        });

    static Gen<PodChange[]> Changes(double chance) =>
        Gen.Select(Gen.Double.Unit, Change.Array[1, 2], (roll, changes) => roll < chance ? changes : []);

    static Gen<PodChange> Change => Gen.OneOf(
        Gen.Select(Gen.OneOf("100m", "1", "3"), Gen.OneOf("64Mi", "1Gi", "6Gi"), (cpu, memory) => new PodChange($"adds a container of {cpu} and {memory}", pod =>
            pod["spec"]!["containers"]!.AsArray().Add(Container("istio-proxy-2", cpu, memory)))),
        Gen.Select(Gen.OneOf("100m", "1", "3"), cpu => new PodChange($"adds a sidecar of {cpu} before all", pod =>
        {
            var sidecar = Container("injected", cpu, "64Mi");
            sidecar["restartPolicy"] = "Always";
            List(pod["spec"]!.AsObject(), "initContainers").Insert(0, sidecar);
        })),
        Gen.Select(Gen.OneOf("200m", "3", "6"), cpu => new PodChange($"sizes the first container to {cpu}", pod =>
        {
            var resources = Part(pod["spec"]!["containers"]![0]!.AsObject(), "resources");
            (resources["limits"] as JsonObject)?.Remove("cpu");
            Part(resources, "requests")["cpu"] = cpu;
        })),
        Gen.Const(new PodChange("adds a claim", pod => List(pod["spec"]!.AsObject(), "volumes").Add(
            JsonNode.Parse("""{ "name": "injected", "persistentVolumeClaim": { "claimName": "injected" } }""")))),
        Gen.OneOf(("tier", "edge"), ("zone", "a"), ("cores", "8")).Select(label => new PodChange($"selects {label}", pod => Part(pod["spec"]!.AsObject(), "nodeSelector")[label.Item1] = label.Item2)),
        Gen.Const(new PodChange("tolerates all", pod => List(pod["spec"]!.AsObject(), "tolerations").Add(JsonNode.Parse("""{ "operator": "Exists" }""")))),
        Gen.Const(new PodChange("labels", pod => pod["metadata"]!["labels"]!["injected"] = "true")),
        Gen.Const(new PodChange("moves to LAB", pod => pod["metadata"]!["labels"]!["OurLocation"] = "LAB")),
        Gen.Const(new PodChange("gates", Gate)),
        Gen.Const(new PodChange("takes another scheduler", pod => pod["spec"]!["schedulerName"] = "another")),
        Gen.Const(new PodChange("keeps away from x", pod => Part(Part(pod["spec"]!.AsObject(), "affinity"), "podAntiAffinity")["requiredDuringSchedulingIgnoredDuringExecution"] =
            JsonNode.Parse("""[ { "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": { "app": "x" } } } ]"""))),
        Gen.Const(new PodChange("takes a host port", pod => pod["spec"]!["containers"]![0]!["ports"] = JsonNode.Parse("""[ { "containerPort": 80, "hostPort": 80 } ]"""))),
        Gen.Const(new PodChange("requires zone a", pod => Require(pod, "zone", "a"))));

    static Gen<PodChange> Queue => Gen.OneOf<string?>(null, "edge", "cloud").Select(tier => new PodChange(tier is null ? "opens" : $"opens for {tier}", pod =>
    {
        var spec = pod["spec"]!.AsObject();
        spec.Remove("schedulingGates");
        if (tier is not null)
        {
            Part(spec, "nodeSelector")["tier"] = tier;
        }
    }));

    // As a webhook does that keeps pods to machines that can run their images: into each term, behind what stands there, or into one of its own.
    static void Require(JsonObject pod, string key, string value)
    {
        var required = Part(Part(Part(pod["spec"]!.AsObject(), "affinity"), "nodeAffinity"), "requiredDuringSchedulingIgnoredDuringExecution");
        var isNew = !required.ContainsKey("nodeSelectorTerms");
        var terms = List(required, "nodeSelectorTerms");
        if (isNew)
        {
            terms.Add(new JsonObject());
        }

        foreach (var term in terms.Select(t => t!.AsObject()))
        {
            List(term, "matchExpressions").Add(new JsonObject { ["key"] = key, ["operator"] = "In", ["values"] = new JsonArray(value) });
        }
    }

    static void Gate(JsonObject pod) => pod["spec"]!["schedulingGates"] = JsonNode.Parse("""[ { "name": "kueue.x-k8s.io/admission" } ]""");

    static JsonObject Container(string name, string cpu, string memory) => JsonNode.Parse($$"""
        { "name": "{{name}}", "image": "proxy", "resources": { "requests": { "cpu": "{{cpu}}", "memory": "{{memory}}" } } }
        """)!.AsObject();

    static JsonObject Part(JsonObject of, string name)
    {
        if (of[name] is not JsonObject part)
        {
            of[name] = part = [];
        }

        return part;
    }

    static JsonArray List(JsonObject of, string name)
    {
        if (of[name] is not JsonArray list)
        {
            of[name] = list = [];
        }

        return list;
    }
}
