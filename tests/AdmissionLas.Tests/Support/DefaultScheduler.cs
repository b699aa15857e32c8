namespace AdmissionLas.Tests.Support;

/// <summary>Releases of the scheduler that score differently, by their minor version.</summary>
enum SchedulerRelease
{
    V20 = 20,
    V22 = 22,
    V29 = 29,
    V36 = 36,
}

/// <summary>
/// The part of the default scheduler that placement reckons with, written from Kubernetes' documents over the pod's JSON and without our
/// own reading of it: the filters NodeUnschedulable, TaintToleration, NodeAffinity and NodeResourcesFit, and NodeAffinity's score.
/// Sources: https://kubernetes.io/docs/concepts/scheduling-eviction/, KEP-753 (sidecars), KEP-2837 (pod-level resources).
/// </summary>
static class DefaultScheduler
{
    const int PluginWeight = 2;

    /// <summary>Whether the pod passes the filters of the node with what is requested there now.</summary>
    internal static bool CanRun(JsonObject pod, NodeFacts node, NodeUsage? used = null) => CanRun(pod, node, Request(pod), used ?? NodeUsage.None);

    /// <summary>Whether the pod would pass the filters of the node if nothing else ran there.</summary>
    internal static bool CouldEverRun(JsonObject pod, NodeFacts node) => CanRun(pod, node, Request(pod), NodeUsage.None);

    static bool CanRun(JsonObject pod, NodeFacts node, Dictionary<string, decimal> request, NodeUsage used)
    {
        var spec = pod["spec"]!.AsObject();
        var taints = node.Taints.Where(t => t.Effect != TaintEffect.PreferNoSchedule).ToList();
        if (node.IsCordoned)
        {
            taints.Add(new Taint("node.kubernetes.io/unschedulable", "", TaintEffect.NoSchedule));
        }

        return node.IsReady && taints.TrueForAll(t => Tolerates(spec, t)) && IsSelected(spec, node) &&
            node.AllocatablePods - used.Pods >= 1 &&
            request.All(r => r.Value <= Math.Max(0, Has(node.Allocatable, r.Key) - Has(used.Requested, r.Key)));
    }

    /// <summary>Whether a PreferNoSchedule taint counts against the node.</summary>
    internal static bool Avoids(JsonObject pod, NodeFacts node) =>
        node.Taints.Any(t => t.Effect == TaintEffect.PreferNoSchedule && !Tolerates(pod["spec"]!.AsObject(), t));

    /// <summary>
    /// The points that node affinity gives each of the nodes, which are those that passed the filters: the weights of all preferred terms that
    /// match, in proportion to the best node's 100 in whole numbers, times the plugin's weight.
    /// </summary>
    internal static long[] AffinityPoints(JsonObject pod, IReadOnlyList<NodeFacts> nodes)
    {
        var terms = Items(pod["spec"]!["affinity"]?["nodeAffinity"]?["preferredDuringSchedulingIgnoredDuringExecution"]).ToArray();
        return Points([.. nodes.Select(n => terms.Where(t => Matches(t["preference"], n)).Sum(t => t["weight"]!.GetValue<long>()))]);
    }

    /// <summary>The points for these sums of weights.</summary>
    internal static long[] Points(long[] sums)
    {
        var best = sums.DefaultIfEmpty(0).Max();
        return [.. sums.Select(s => best == 0 ? 0 : PluginWeight * (100 * s / best))];
    }

    /// <summary>
    /// All points that nodes get for the pod, of the plugins that know no other pods: node affinity, least allocated, balanced allocation, image
    /// locality and taints, in whole numbers as the scheduler counts them.
    /// </summary>
    /// <param name="pod">The pod.</param>
    /// <param name="nodes">Those that passed the filters.</param>
    /// <param name="cluster">All nodes: an image counts by how many of them have it.</param>
    /// <param name="usage">What runs on them.</param>
    /// <param name="release">Before 1.23 affinity and taints counted once and balance was the plain difference; since 1.35 it is the change for the better.</param>
    internal static long[] AllPoints(JsonObject pod, IReadOnlyList<NodeFacts> nodes, IReadOnlyList<NodeFacts> cluster, ClusterUsage usage, SchedulerRelease release)
    {
        var isOlder = release < SchedulerRelease.V29;
        var (scored, plain) = (ScoredRequest(pod), Request(pod));
        var affinity = AffinityPoints(pod, nodes).Select(p => isOlder ? p / PluginWeight : p).ToArray();
        var taints = nodes.Select(n => n.Taints.Count(t => t.Effect == TaintEffect.PreferNoSchedule && !Tolerates(pod["spec"]!.AsObject(), t))).ToArray();
        return [.. nodes.Select((n, i) => affinity[i] + Least(n) + Balanced(n) + Images(n) + ((isOlder ? 1 : 3) * Tainted(taints[i])))];

        // Balance counts what is requested, and until 1.21 what counts for scores (useRequested in resource_allocation.go).
        IEnumerable<(decimal Has, decimal Used)> Both(NodeFacts node, bool isScored, int pods = 1) => ((string[])["cpu", "memory"]).Select(name => (
            Has(node.Allocatable, name),
            Has(isScored ? usage.On(node).Scored : usage.On(node).Requested, name) + (pods * (isScored ? scored : plain).GetValueOrDefault(name))));

        long Least(NodeFacts node) => (long)Both(node, isScored: true).Average(r => r.Used > r.Has ? 0 : Math.Floor((r.Has - r.Used) * 100 / r.Has));

        long Balanced(NodeFacts node)
        {
            if (release == SchedulerRelease.V36)
            {
                // https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go
                return 50 + ((50 + Even(node, 1) - Even(node, 0)) / 2);
            }

            var shares = Both(node, release == SchedulerRelease.V20).Select(r => (double)(r.Used / r.Has)).ToArray();
            return !isOlder ? Even(node, 1) : shares.Max() >= 1 ? 0 : (long)((1 - Math.Abs(shares[0] - shares[1])) * 100);
        }

        long Even(NodeFacts node, int pods)
        {
            var shares = Both(node, false, pods).Select(r => Math.Min(1, (double)(r.Used / r.Has))).ToArray();
            return (long)((1 - (Math.Abs(shares[0] - shares[1]) / 2)) * 100);
        }

        long Images(NodeFacts node)
        {
            JsonNode[] counted = [.. Items(pod["spec"]!["containers"]), .. release == SchedulerRelease.V36 ? Items(pod["spec"]!["initContainers"]) : []];
            var (least, most) = (23L << 20, (1000L << 20) * (release == SchedulerRelease.V20 ? 1 : counted.Length));
            var bytes = counted.Sum(c => Text(c["image"]) is { } image && node.Images.BytesOf(ImageId.Of(image)) is > 0 and var size
                ? (long)(size * ((double)cluster.Count(n => n.Images.BytesOf(ImageId.Of(image)) > 0) / cluster.Count))
                : 0);
            return 100 * (Math.Clamp(bytes, least, most) - least) / (most - least);
        }

        long Tainted(int count) => taints.Max() == 0 ? 100 : 100 - (100 * count / taints.Max());
    }

    /// <summary>
    /// The pod with 100m CPU and 200Mi of memory for each container that states none, as the scheduler counts it for scores
    /// (kubernetes, pkg/scheduler/util/pod_resources.go: DefaultMilliCPURequest, DefaultMemoryRequest).
    /// </summary>
    static JsonObject WithUnstated(JsonObject pod)
    {
        var counted = pod.DeepClone().AsObject();
        foreach (var container in Items(counted["spec"]!["containers"]).Concat(Items(counted["spec"]!["initContainers"])))
        {
            var requests = Requests(container["resources"]);
            var stated = container["resources"]?["requests"]?.DeepClone().AsObject() ?? [];
            foreach (var (name, amount) in ((string, string)[])[("cpu", "100m"), ("memory", "200Mi")])
            {
                stated[name] ??= requests.ContainsKey(name) ? container["resources"]!["limits"]![name]!.DeepClone() : amount;
            }

            container["resources"] = new JsonObject { ["requests"] = stated };
        }

        return counted;
    }

    /// <summary>
    /// Whether the QoS class is BestEffort (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/); an amount of zero does not count.
    /// </summary>
    internal static bool IsBestEffort(JsonObject pod)
    {
        var spec = pod["spec"]!;
        JsonNode?[] holders = [spec, .. spec["containers"]!.AsArray(), .. spec["initContainers"] as JsonArray ?? []];
        return holders.SelectMany(h => (JsonNode?[])[h!["resources"]?["requests"], h["resources"]?["limits"]])
            .SelectMany(amounts => (JsonNode?[])[amounts?["cpu"], amounts?["memory"]]).All(amount => amount is null || Amount(amount.GetValue<string>()) == 0);
    }

    /// <summary>What the pod counts as for scores.</summary>
    internal static Dictionary<string, decimal> ScoredRequest(JsonObject pod) => Request(WithUnstated(pod));

    /// <summary>The pod's effective request by resource name.</summary>
    internal static Dictionary<string, decimal> Request(JsonObject pod)
    {
        var spec = pod["spec"]!.AsObject();
        Dictionary<string, decimal> running = [], sidecars = [], starting = [];
        foreach (var init in Items(spec["initContainers"]))
        {
            var own = Requests(init["resources"]);
            if (init["restartPolicy"]?.GetValue<string>() == "Always")
            {
                Add(running, own);
                Add(sidecars, own);
                Max(starting, sidecars);
            }
            else
            {
                Add(own, sidecars);
                Max(starting, own);
            }
        }

        foreach (var container in Items(spec["containers"]))
        {
            Add(running, Requests(container["resources"]));
        }

        Max(running, starting);
        var pods = Amounts(spec["resources"]?["requests"]);
        foreach (var (name, limit) in Amounts(spec["resources"]?["limits"]))
        {
            // A pod-level limit becomes the pod's request only where neither the pod nor a container has one.
            if (!running.ContainsKey(name))
            {
                pods.TryAdd(name, limit);
            }
        }

        foreach (var (name, amount) in pods)
        {
            running[name] = amount;
        }

        Add(running, Amounts(spec["overhead"]));
        return running;
    }

    // The API server makes a limit the request where there is none.
    static Dictionary<string, decimal> Requests(JsonNode? resources)
    {
        var requests = Amounts(resources?["requests"]);
        foreach (var (name, limit) in Amounts(resources?["limits"]))
        {
            requests.TryAdd(name, limit);
        }

        return requests;
    }

    static Dictionary<string, decimal> Amounts(JsonNode? list) =>
        (list as JsonObject ?? []).ToDictionary(m => m.Key, m => Amount(m.Value!.GetValue<string>()));

    /// <summary>A quantity in whole cores, bytes or devices; only the suffixes that tests use.</summary>
    internal static decimal Amount(string quantity)
    {
        var digits = quantity.TrimEnd('m', 'k', 'M', 'G', 'K', 'i');
        return decimal.Parse(digits, CultureInfo.InvariantCulture) * quantity[digits.Length..] switch
        {
            "" => 1,
            "m" => 0.001m,
            "k" => 1000,
            "M" => 1000_000,
            "G" => 1000_000_000,
            "Ki" => 1L << 10,
            "Mi" => 1L << 20,
            "Gi" => 1L << 30,
            _ => throw new FormatException(quantity),
        };
    }

    static decimal Has(Resources resources, string name) => name switch
    {
        "cpu" => resources.CpuMilliOrZero / 1000m,
        "memory" => resources.MemoryBytesOrZero,
        _ => resources.AmountOf(name),
    };

    static bool Tolerates(JsonObject spec, Taint taint) => Items(spec["tolerations"]).Any(t =>
        (Text(t["effect"]) is "" or null || Text(t["effect"]) == taint.Effect.ToString()) &&
        (Text(t["key"]) is "" or null || Text(t["key"]) == taint.Key) &&
        (Text(t["operator"]) == "Exists" || (Text(t["value"]) ?? "") == taint.Value));

    static bool IsSelected(JsonObject spec, NodeFacts node) =>
        (spec["nodeSelector"] as JsonObject ?? []).All(s => node.Label(s.Key) == Text(s.Value)) &&
        (spec["affinity"]?["nodeAffinity"]?["requiredDuringSchedulingIgnoredDuringExecution"] is not { } required ||
            Items(required["nodeSelectorTerms"]).Any(t => Matches(t, node)));

    static bool Matches(JsonNode? term, NodeFacts node)
    {
        var expressions = Items(term?["matchExpressions"]).ToArray();
        var fields = Items(term?["matchFields"]).ToArray();
        return expressions.Length + fields.Length > 0 &&
            expressions.All(e => IsMet(e, node.Label(Text(e["key"])!))) &&
            fields.All(f => IsMet(f, Text(f["key"]) == "metadata.name" ? node.Name : null));
    }

    internal static bool IsMet(JsonNode requirement, string? actual)
    {
        var values = Items(requirement["values"]).Select(v => Text(v)!).ToArray();
        return Text(requirement["operator"]) switch
        {
            "In" => actual is not null && values.Contains(actual),
            "NotIn" => actual is null || !values.Contains(actual),
            "Exists" => actual is not null,
            "DoesNotExist" => actual is null,
            "Gt" => long.TryParse(actual, out var have) && have > long.Parse(values[0], CultureInfo.InvariantCulture),
            "Lt" => long.TryParse(actual, out var have) && have < long.Parse(values[0], CultureInfo.InvariantCulture),
            var other => throw new FormatException(other),
        };
    }

    static void Add(Dictionary<string, decimal> sum, Dictionary<string, decimal> more) => Combine(sum, more, (a, b) => a + b);

    static void Max(Dictionary<string, decimal> largest, Dictionary<string, decimal> other) => Combine(largest, other, Math.Max);

    static void Combine(Dictionary<string, decimal> into, Dictionary<string, decimal> other, Func<decimal, decimal, decimal> combine)
    {
        foreach (var (name, amount) in other)
        {
            into[name] = into.TryGetValue(name, out var present) ? combine(present, amount) : amount;
        }
    }

    static IEnumerable<JsonNode> Items(JsonNode? list) => (list as JsonArray ?? []).Select(i => i!);

    static string? Text(JsonNode? value) => value?.GetValue<string>();
}
