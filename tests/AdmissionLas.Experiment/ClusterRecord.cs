using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace AdmissionLas.Experiment;

/// <summary>An event of a watch, in the order of the store.</summary>
/// <param name="Version">The revision of etcd, one sequence for nodes and pods.</param>
/// <param name="At">When it was seen, in ticks of the stopwatch.</param>
/// <param name="IsGone">The object was deleted.</param>
/// <param name="Object">The object.</param>
sealed record Seen(long Version, long At, bool IsGone, JsonObject Object)
{
    internal string Name => Object["metadata"]!["name"]!.GetValue<string>();

    internal bool IsPod => Object["kind"]!.GetValue<string>() == "Pod";

    internal string? Node => Object["spec"]!["nodeName"]?.GetValue<string>();

    internal string? Decision => Annotation(PodHints.DecisionKey);

    internal PlacementRecord? Record => PlacementRecord.TryRead(Annotation(PodHints.RecordKey));

    internal string? Annotation(string key) => Object["metadata"]!["annotations"]?[key]?.GetValue<string>();
}

/// <summary>What the cluster looks like at one moment of a record: nodes, pods and what these request.</summary>
sealed class ClusterAt
{
    readonly Dictionary<string, NodeFacts> nodes = [];
    readonly Dictionary<string, (string? Node, Resources Request)> pods = [];
    readonly Dictionary<string, (PodAntiAffinity Own, string Node)> repelling = [];
    string ns = "";
    ImmutableDictionary<string, NodeUsage> usage = ImmutableDictionary<string, NodeUsage>.Empty;
    ClusterView? view;

    internal ClusterView View => view ??= new ClusterView(nodes.Values);

    internal ClusterUsage Usage => new(usage);

    internal bool IsKnown(string pod) => pods.ContainsKey(pod);

    internal string? NodeOf(string pod) => pods.TryGetValue(pod, out var known) ? known.Node : null;

    internal void Apply(Seen seen)
    {
        if (!seen.IsPod)
        {
            view = null;
            nodes.Remove(seen.Name);
            if (!seen.IsGone && NodeReader.Read(JsonSerializer.SerializeToElement(seen.Object), LatencyLabels.All) is { } facts)
            {
                nodes[seen.Name] = facts;
            }

            return;
        }

        ns = seen.Object["metadata"]!["namespace"]!.GetValue<string>();
        var before = pods.GetValueOrDefault(seen.Name);
        var request = before.Node is null ? EffectiveRequest.Of(FactsOf(seen.Object)) : before.Request;
        Bind(seen.Name, seen.IsGone ? null : seen.Node ?? before.Node, request);
        repelling.Remove(seen.Name);
        if (!seen.IsGone && seen.Node is { } on && PodUsageReader.Read(JsonSerializer.SerializeToElement(seen.Object)) is { Repels: { } own })
        {
            repelling[seen.Name] = (own, on);
        }

        if (seen.IsGone)
        {
            pods.Remove(seen.Name);
        }
    }

    /// <summary>Counts a pod on a node, before the watch shows it.</summary>
    internal void Bind(string pod, string? node, Resources request)
    {
        var before = pods.GetValueOrDefault(pod);
        if (before.Node is { } old)
        {
            Count(old, before.Request, -1);
        }

        if (node is not null)
        {
            Count(node, request, 1);
        }

        pods[pod] = (node, request);
    }

    /// <summary>The nodes that can run the pod at this moment, by the filters that we know of.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="spokenFor">What counts as well: nodes, and what is requested there.</param>
    internal NodeFacts[] AbleTo(PodFacts pod, params IEnumerable<(string Node, Resources Request)> spokenFor)
    {
        var all = usage;
        foreach (var (node, request) in spokenFor)
        {
            all = Counted(all, node, request, 1);
        }

        if (repelling.Count > 0)
        {
            var antiAffinity = new AntiAffinity([.. repelling.Values.GroupBy(r => r.Own, (own, pods) => new RepellingPods(own, pods.Select(p => p.Node).ToHashSet()))]);
            pod = antiAffinity.Judge(pod with { Namespace = ns }, View);
        }

        var filter = new NodeFilter(pod, new ClusterUsage(all));
        return [.. nodes.Values.Where(n => filter.FitsNow(n) == FilterResult.CanRun)];
    }

    internal static PodFacts FactsOf(JsonObject pod) =>
        CompiledSettings.Default.AllLabelsReader.Read(Encoding.UTF8.GetBytes(SampleReview.Of(pod.DeepClone().AsObject(), "judge").ToJsonString())).Pod!.Facts;

    internal static double? LatencyMs(NodeFacts node, string location) =>
        node.Latencies.Known.Where(l => l.Location == location).Select(l => (double?)l.LatencyMs).FirstOrDefault();

    internal NodeFacts? Node(string name) => nodes.GetValueOrDefault(name);

    void Count(string node, Resources request, int sign) => usage = Counted(usage, node, request, sign);

    static ImmutableDictionary<string, NodeUsage> Counted(ImmutableDictionary<string, NodeUsage> usage, string node, Resources request, int sign)
    {
        var (used, count) = usage.GetValueOrDefault(node, NodeUsage.None);
        return usage.SetItem(node, new NodeUsage(
            new Resources(used.CpuMilliOrZero + (sign * request.CpuMilliOrZero), used.MemoryBytesOrZero + (sign * request.MemoryBytesOrZero)), count + sign));
    }
}

/// <summary>Follows nodes and pods from a moment on, keeps every event, and knows how things stand.</summary>
sealed class ClusterRecord : IAsyncDisposable
{
    readonly CancellationTokenSource stop = new();
    readonly Lock gate = new();
    readonly List<Seen> events = [];
    readonly ClusterAt now = new();
    readonly Task[] watching;
    long lastAt = Stopwatch.GetTimestamp();

    ClusterRecord(ApiServer api, JsonObject nodes, JsonObject pods)
    {
        foreach (var list in (JsonObject[])[nodes, pods])
        {
            foreach (var item in list["items"]!.AsArray())
            {
                item!["kind"] = list["kind"]!.GetValue<string>()[..^"List".Length];
                Add(new Seen(0, lastAt, IsGone: false, item.AsObject()));
            }
        }

        watching = [FollowAsync(api, "/api/v1/nodes", nodes), FollowAsync(api, "/api/v1/pods", pods)];
    }

    internal static async Task<ClusterRecord> StartAsync(ApiServer api) => new(api, await api.GetAsync("/api/v1/nodes"), await api.GetAsync("/api/v1/pods"));

    /// <summary>All events in the order of the store.</summary>
    internal Seen[] Events
    {
        get
        {
            lock (gate)
            {
                return [.. events.OrderBy(e => e.Version)];
            }
        }
    }

    /// <summary>How long nothing has happened.</summary>
    /// <exception cref="InvalidOperationException">Nothing can be seen any more.</exception>
    internal TimeSpan Still => watching.FirstOrDefault(w => w.IsCompleted) is { } ended
        ? throw new InvalidOperationException("a watch has ended in the middle of a run", ended.Exception)
        : Stopwatch.GetElapsedTime(Volatile.Read(ref lastAt));

    internal T Look<T>(Func<ClusterAt, T> look)
    {
        lock (gate)
        {
            return look(now);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(watching).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    async Task FollowAsync(ApiServer api, string path, JsonObject list)
    {
        var from = list["metadata"]!["resourceVersion"]!.GetValue<string>();
        // The API server ends a watch that does not keep up, as in a burst on few cores: it goes on from the last event.
        while (!stop.IsCancellationRequested)
        {
            await foreach (var line in api.WatchAsync(path, from, stop.Token))
            {
                var value = line["object"]!.AsObject();
                if (line["type"]!.GetValue<string>() == "ERROR")
                {
                    throw new InvalidOperationException($"the watch of {path} failed: {value["message"]}");
                }

                from = value["metadata"]!["resourceVersion"]!.GetValue<string>();
                Add(new Seen(long.Parse(from, CultureInfo.InvariantCulture), Stopwatch.GetTimestamp(), line["type"]!.GetValue<string>() == "DELETED", value));
            }
        }
    }

    void Add(Seen seen)
    {
        lock (gate)
        {
            events.Add(seen);
            now.Apply(seen);
            Volatile.Write(ref lastAt, Stopwatch.GetTimestamp());
        }
    }
}
