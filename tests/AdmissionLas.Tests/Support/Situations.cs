using AdmissionLas.Tests.Placement;
using CsCheck;

namespace AdmissionLas.Tests.Support;

/// <summary>A cluster, a pod and a policy, made up at random.</summary>
sealed record Situation(NodeFacts[] Nodes, ClusterUsage Usage, JsonObject Pod, PlacementPolicy Policy)
{
    internal Reviewed Review() => WebhookCall.Review(Pod, new ClusterView(Nodes), Policy, usage: Usage);

    internal bool CanRun(JsonObject pod, NodeFacts node) => DefaultScheduler.CanRun(pod, node, Usage.On(node));

    /// <summary>Whether none of the nodes in question has the GPUs that the pod asks for: then a DeviceClass may stand for them.</summary>
    internal bool ClaimsDevices(Decision decision) =>
        decision.Outcome is Outcome.Placed or Outcome.NoCandidate && DefaultScheduler.Request(Pod).GetValueOrDefault(Support.Nodes.Gpu) > 0 &&
        !Nodes.Any(n => (decision.Step.Kind != StepKinds.Predict || PlacementProperties.LatencyOf(n, decision.Step.Location) is not null) && DefaultScheduler.CouldEverRun(Pod, n));

    /// <summary>The pod as the filters judge it on a node: where it claims devices, a node without GPUs may have them.</summary>
    internal JsonObject JudgedOn(NodeFacts node, JsonObject pod, Decision decision)
    {
        if (node.Allocatable.AmountOf(Support.Nodes.Gpu) > 0 || !ClaimsDevices(decision))
        {
            return pod;
        }

        var judged = pod.DeepClone().AsObject();
        foreach (var list in judged["spec"]!.AsObject().Where(m => m.Key is "containers" or "initContainers").SelectMany(m => m.Value as JsonArray ?? []))
        {
            (list!["resources"]?["requests"] as JsonObject)?.Remove(Support.Nodes.Gpu);
            (list["resources"]?["limits"] as JsonObject)?.Remove(Support.Nodes.Gpu);
        }

        return judged;
    }

    public override string ToString() =>
        $"{Pod.ToJsonString()}\n{Policy.Mode} by {Policy.NodeTerms}, affinity weighs {Policy.NodeAffinityWeight}, {Policy.NamedNodes} nodes named, near {Policy.NearFactor}x or {Policy.NearSlackMs} ms, training {Policy.TrainingRequests} {Policy.TrainingCpuMilli}m " +
        $"{Policy.TrainingMemoryBytes >> 20}Mi, {(Policy.CloudSelector is null ? "no cloud" : "cloud by tier")}, top class {Policy.TopClassShare}\n{string.Join('\n', Nodes.Select(Describe))}";

    string Describe(NodeFacts node) =>
        $"{node.Name}: {(node.IsReady ? "" : "not ready, ")}{(node.IsCordoned ? "cordoned, " : "")}{node.Allocatable.CpuMilli}m {node.Allocatable.MemoryBytes >> 20}Mi " +
        $"{node.Allocatable.AmountOf(Support.Nodes.Gpu)} gpus, image of {node.Images.BytesOf(Situations.Image) >> 20} MiB, used {Usage.On(node).Requested.CpuMilliOrZero}m {Usage.On(node).Requested.MemoryBytesOrZero >> 20}Mi {Usage.On(node).Pods} pods, " +
        $"taints [{string.Join(' ', node.Taints)}], {string.Join(' ', node.Labels.Select(l => $"{l.Key}={l.Value}"))}";
}

/// <summary>
/// Generators of situations. They stay in a small world (three locations, few sizes, few labels), so that ties, full nodes, near misses and
/// conflicts between what pod, node and policy say are the rule and not the exception. All pods are such as an API server would send.
/// </summary>
static class Situations
{
    /// <summary>The image of all pods.</summary>
    internal static readonly ImageId Image = ImageId.Of("step");

    static readonly string[] Locations = ["HOME", "LAB", "CLOUD"];

    internal static Gen<Situation> Any => Of(AnyType, withPreferences: true);

    internal static Gen<Situation> Predict => Of(Gen.OneOf<string?>("Predict", "predicting"), withPreferences: true);

    /// <summary>Predict pods whose author prefers no nodes: nothing competes with our terms.</summary>
    internal static Gen<Situation> PredictWithoutPreferences => Of(Gen.OneOf<string?>("Predict", "PREDICTION"), withPreferences: false);

    internal static Gen<Situation> Training => Of(Gen.OneOf<string?>("Training", "train"), withPreferences: true);

    static Gen<Situation> Of(Gen<string?> type, bool withPreferences) => Gen.Select(Cluster, Pod(type, withPreferences), Policy, (nodes, pod, policy) => new Situation(
        [.. nodes.Select(n => n.Node)], Usages.Of([.. nodes.Where(n => n.Usage.Pods > 0).Select(n => (n.Node.Name, n.Usage))]), pod, policy));

    static Gen<string?> AnyType => Gen.OneOf<string?>("Predict", "Predicting", "Training", "Train", "Evaluation", "Predct", "", null);

    internal static Gen<PlacementPolicy> Policy => Gen.Select(
        Gen.Select(Gen.OneOf(PlacementMode.Adaptive, PlacementMode.Preferred, PlacementMode.Required), Gen.OneOf(1, 2), Gen.OneOf(NodeTermForm.Hostnames, NodeTermForm.Names)), Gen.Int[1, PlacementPolicy.NamedNodesLimit], Gen.OneOf(1.0, 2, 10), Gen.OneOf(0.0, 1, 50),
        Gen.Select(Gen.OneOf(500L, 2000, 16_000), Gen.Frequency((4, TrainingRequests.On), (2, TrainingRequests.Full), (1, TrainingRequests.Off))), Gen.OneOf(1L << 30, 4L << 30, 64L << 30), Gen.Bool,
        Gen.OneOf(0.5, 0.75, 1.0),
        (mode, named, factor, slack, cpu, memory, hasCloud, share) => new PlacementPolicy
        {
            Mode = mode.Item1,
            NodeAffinityWeight = mode.Item2,
            NodeTerms = mode.Item3,
            NamedNodes = named,
            NearFactor = factor,
            NearSlackMs = slack,
            TrainingRequests = cpu.Item2,
            TrainingCpuMilli = cpu.Item1,
            TrainingMemoryBytes = memory,
            CloudSelector = hasCloud ? Pods.Term("tier", SelectorOperator.In, "cloud") : null,
            TopClassShare = share,
        });

    static Gen<(NodeFacts Node, NodeUsage Usage)[]> Cluster => Gen.Frequency((9, (IGen<int>)Gen.Int[0, 9]), (1, Gen.Int[20, 40]))
        .SelectMany(count => Node.Array[count])
        .Select(nodes => nodes.Select((node, i) => node($"n{i:00}")).ToArray());

    internal static Gen<Func<string, (NodeFacts Node, NodeUsage Usage)>> Node => Gen.Select(
        Gen.Select(Gen.OneOf(500L, 2000, 4000, 8000, 16_000), Gen.OneOf(2L << 30, 8L << 30, 32L << 30, 64L << 30), Gen.OneOf(0L, 0, 0, 1, 4), Gen.OneOf(0L, 0, 10L << 20, 300L << 20, 4L << 30)),
        Gen.Select(Gen.Frequency((6, 0.0), (2, 0.5), (1, 0.9), (1, 1.0)), Gen.Frequency((6, 0.0), (2, 0.5), (1, 1.0)), Gen.Frequency((19, 3L), (1, 110L))),
        Gen.Select(Gen.Frequency((14, true), (1, false)), Gen.Frequency((14, false), (1, true))),
        Gen.Frequency((6, (IGen<Taint[]>)Gen.Const(Array.Empty<Taint>())), (2, Taint.Array[1]), (1, Taint.Array[2])),
        Gen.Select(Latency, Latency, Latency),
        Labels,
        Gen.Frequency((12, "own"), (1, "none"), (2, "shared"), (1, "other")),
        (sizes, used, states, taints, latencies, labels, hostname) => (Func<string, (NodeFacts Node, NodeUsage Usage)>)(name =>
        {
            var all = new Dictionary<string, string>(labels.ToDictionary(l => l.Key, l => l.Value));
            foreach (var (location, (bare, prefixed)) in Locations.Zip([latencies.Item1, latencies.Item2, latencies.Item3]))
            {
                Set(location, bare);
                Set(LatencyLabels.Prefix + location, prefixed);
            }

            Set(NodeSelectorTerm.HostnameKey, hostname switch { "own" => name, "other" => $"ip-{name}", "shared" => "twin", _ => null });
            return (new NodeFacts
            {
                Name = name,
                Taints = taints,
                IsReady = states.Item1,
                IsCordoned = states.Item2,
                Allocatable = new Resources(sizes.Item1, sizes.Item2, sizes.Item3 == 0 ? null : [new(Nodes.Gpu, sizes.Item3)]),
                AllocatablePods = 110,
                Images = NodeImages.Of([(Image, sizes.Item4)]),
            }.WithLabels(all),
            new NodeUsage(new Resources((long)(sizes.Item1 * used.Item1), (long)(sizes.Item2 * used.Item2)), used.Item3));

            void Set(string key, string? value)
            {
                if (value is not null)
                {
                    all[key] = value;
                }
            }
        }));

    static Gen<Taint> Taint => Gen.Select(
        Gen.OneOf("dedicated", "slow"), Gen.OneOf("", "ml"), Gen.OneOf(TaintEffect.NoSchedule, TaintEffect.NoExecute, TaintEffect.PreferNoSchedule, TaintEffect.PreferNoSchedule),
        (key, value, effect) => new Taint(key, value, effect));

    // A bare label, a prefixed one, both or none.
    static Gen<(string? Bare, string? Prefixed)> Latency => Gen.Select(
        Gen.Frequency<string?>((3, null), (3, "0.3"), (3, "300us"), (3, "1ms"), (3, "2.5"), (3, "42.551ms"), (2, "0.09s"), (2, "0"), (2, "7"), (1, "fast"), (1, "-1"), (1, "1e3")),
        Gen.Frequency<string?>((12, null), (1, "0.5"), (1, "7ms"), (1, "NaN")));

    static Gen<(string Key, string Value)[]> Labels => Gen.Select(
        Gen.OneOf<string?>(null, "cloud", "edge"), Gen.OneOf<string?>(null, "a", "b"), Gen.OneOf<string?>(null, "2", "8", "many"), Gen.OneOf<string?>(null, "small", "big"),
        (tier, zone, cores, type) => ((string, string?)[])[("tier", tier), ("zone", zone), ("cores", cores), (CapacityRank.InstanceTypeKey, type)])
        .Select(labels => labels.Where(l => l.Item2 is not null).Select(l => (l.Item1, l.Item2!)).ToArray());

    internal static Gen<JsonObject> Pod(Gen<string?> type, bool withPreferences) => Gen.Select(
        Metadata(type), Gen.Select(Containers, InitContainers), Member("nodeSelector", 0.12, NodeSelector), Member("tolerations", 0.3, Tolerations),
        Member("affinity", 0.4, Affinity(withPreferences)), Gen.Select(Member("overhead", 0.1, Gen.Const("""{ "cpu": "250m", "memory": "128Mi" }""")), Member("resources", 0.1, PodResources)),
        Member("volumes", 0.1, Gen.OneOf("""[ { "name": "v", "emptyDir": {} } ]""", """[ { "name": "v", "persistentVolumeClaim": { "claimName": "c" } } ]""")),
        (metadata, containers, selector, tolerations, affinity, whole, volumes) => JsonNode.Parse(Object(
            "\"apiVersion\": \"v1\"", "\"kind\": \"Pod\"", $"\"metadata\": {metadata}",
            "\"spec\": " + Object("\"restartPolicy\": \"Never\"", containers.Item1, containers.Item2, selector, tolerations, affinity, whole.Item1, whole.Item2, volumes)))!.AsObject());

    static Gen<string> Metadata(Gen<string?> type) => Gen.Select(
        type, Gen.Frequency<string?>((8, "HOME"), (6, "LAB"), (4, "CLOUD"), (1, "HOMW"), (1, "no location"), (1, null)), Gen.Frequency<string?>((8, null), (1, "LAB")),
        Gen.Select(Text(0.2, PodHints.PlacementKey, "required", "Preferred", "off", "never"), Text(0.2, PodHints.RequestCpuKey, "3", "500m", "64", "lots", "0"), Text(0.2, PodHints.RequestMemoryKey, "3Gi", "1e9", "1Ti", ""),
            Text(0.2, PodHints.RequestsKey, "on", "Off", "maybe")),
        Gen.Select(Text(0.3, "a~b/c~1d", "mine"), Gen.OneOf<string?>("\"name\": \"step-1\"", "\"generateName\": \"step-\"", null), Gen.Frequency((6, ""), (1, "null"), (1, "{}"))),
        (type, location, prefixed, hints, other) => Object(
            other.Item2,
            "\"labels\": " + Object("\"app\": \"x\"", Text("typeOfComponent", type), Text("OurLocation", location), Text(StepRules.LocationKey, prefixed)),
            new[] { hints.Item1, hints.Item2, hints.Item3, hints.Item4, other.Item1 }.Any(a => a is not null)
                ? "\"annotations\": " + Object(hints.Item1, hints.Item2, hints.Item3, hints.Item4, other.Item1)
                : other.Item3.Length == 0 ? null : $"\"annotations\": {other.Item3}"));

    static Gen<string> Containers => Container("main", "helper", "wait", "istio-proxy").Array[1, 3].Select(c => "\"containers\": " + List(c));

    static Gen<string?> InitContainers => Member("initContainers", 0.3, Gen.Select(Container("init", "proxy"), Gen.Bool, (container, restarts) =>
        restarts ? container.Insert(1, "\"restartPolicy\": \"Always\", ") : container).Array[1, 3].Select(List));

    static Gen<string> Container(params string[] names) => Gen.Select(Gen.OneOf(names), Resources, Gen.Frequency((9, (string?)null), (1, "\"ports\": [ { \"containerPort\": 80, \"hostPort\": 80 } ]")),
        (name, resources, ports) => Object($"\"name\": \"{name}\"", "\"image\": \"step\"", resources, ports));

    // A request and the limit it goes with.
    static Gen<string?> Resources => Gen.Frequency<string?>(
        (2, Gen.Const((string?)null)),
        (1, Gen.OneOf<string?>("\"resources\": null", "\"resources\": {}", "\"resources\": { \"requests\": {} }", "\"resources\": { \"requests\": null, \"limits\": null }")),
        (5, Gen.Select(
            Gen.OneOf<(string?, string?)>((null, null), (null, null), (null, null), ("100m", null), ("1", null), ("2500m", null), ("500m", "500m"), ("1", "2"), (null, "250m"), (null, "3"), ("0", null)),
            Gen.OneOf<(string?, string?)>((null, null), (null, null), (null, null), ("128Mi", null), ("1Gi", null), ("6G", null), ("1Gi", "2Gi"), (null, "512Mi"), (null, "16Gi")),
            Gen.Frequency<string?>((30, null), (1, "1"), (1, "2")),
            (cpu, memory, gpus) => (string?)("\"resources\": " + Object(
                "\"requests\": " + Object(Text("cpu", cpu.Item1), Text("memory", memory.Item1), Text(Nodes.Gpu, gpus)),
                "\"limits\": " + Object(Text("cpu", cpu.Item2), Text("memory", memory.Item2), Text(Nodes.Gpu, gpus)))))));

    static Gen<string> PodResources => Gen.OneOf(
        """{ "requests": { "cpu": "2" } }""", """{ "requests": { "cpu": "3", "memory": "4Gi" }, "limits": { "memory": "8Gi" } }""", """{ "limits": { "cpu": "8", "memory": "16Gi" } }""", "null", "{}");

    static Gen<string> NodeSelector => Gen.OneOf("""{ "tier": "edge" }""", """{ "tier": "cloud", "zone": "a" }""", """{ "zone": "b" }""", """{ "gone": "" }""", "{}", "null");

    static Gen<string> Tolerations => Gen.OneOf(
        """{ "operator": "Exists" }""", """{ "key": "dedicated", "operator": "Exists", "effect": "NoSchedule" }""", """{ "key": "dedicated", "value": "ml" }""",
        """{ "key": "slow", "operator": "Exists" }""", """{ "key": "slow", "operator": "Equal", "value": "", "effect": "PreferNoSchedule" }""",
        """{ "key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule" }""",
        """{ "key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 }""").Array[1, 3].Select(List);

    static Gen<string> Affinity(bool withPreferences) => Gen.Frequency(
        (1, Gen.OneOf("null", "{}", """{ "nodeAffinity": null }""", """{ "nodeAffinity": {} }""", """{ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [ { "topologyKey": "zone" } ] } }""")),
        (5, Gen.Select(
            Member("requiredDuringSchedulingIgnoredDuringExecution", 0.7, Term.Array[1, 3].Select(t => $"{{ \"nodeSelectorTerms\": {List(t)} }}")),
            Member("preferredDuringSchedulingIgnoredDuringExecution", withPreferences ? 0.5 : 0, Gen.Select(Gen.Int[1, 100], Term, (w, t) => $"{{ \"weight\": {w}, \"preference\": {t} }}").Array[0, 3].Select(List)),
            (required, preferred) => Object("\"nodeAffinity\": " + Object(required, preferred)))));

    static Gen<string> Term => Gen.Frequency(
        (1, Gen.OneOf("{}", """{ "matchExpressions": [] }""", """{ "matchExpressions": null, "matchFields": [] }""")),
        (7, Gen.Select(
            Member("matchExpressions", 0.8, Gen.OneOf(
                """{ "key": "tier", "operator": "In", "values": ["cloud", "edge"] }""", """{ "key": "tier", "operator": "NotIn", "values": ["edge"] }""",
                """{ "key": "zone", "operator": "Exists" }""", """{ "key": "zone", "operator": "DoesNotExist" }""",
                """{ "key": "cores", "operator": "Gt", "values": ["4"] }""", """{ "key": "cores", "operator": "Lt", "values": ["8"] }""",
                """{ "key": "kubernetes.io/hostname", "operator": "In", "values": ["n00", "n01", "twin", "ip-n02"] }""").Array[1, 2].Select(List)),
            Member("matchFields", 0.3, Gen.OneOf(
                """{ "key": "metadata.name", "operator": "In", "values": ["n03"] }""", """{ "key": "metadata.name", "operator": "NotIn", "values": ["n00"] }""").Array[1].Select(List)),
            (expressions, fields) => Object(expressions, fields))));

    static Gen<string?> Member(string name, double chance, Gen<string> value) =>
        Gen.Select(Gen.Double.Unit, value, (roll, text) => roll < chance ? $"\"{name}\": {text}" : null);

    static Gen<string?> Text(double chance, string name, params string[] values) => Member(name, chance, Gen.OneOf(values).Select(v => $"\"{v}\""));

    static string? Text(string name, string? value) => value is null ? null : $"\"{name}\": \"{value}\"";

    static string Object(params string?[] members) => $"{{{string.Join(", ", members.Where(m => m is not null))}}}";

    static string List(string[] items) => $"[{string.Join(", ", items)}]";
}
