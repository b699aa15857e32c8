using System.Buffers;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using AdmissionLas.Kubernetes;
using AdmissionLas.Placement;

namespace AdmissionLas.Page;

/// <summary>
/// The nodes as the page draws them: latencies, capacity, what is spoken for. It is written once for each state of the cluster, whoever and
/// however many ask.
/// </summary>
sealed class ClusterJson(ClusterState state, NodeUsageCache usageCache)
{
    static readonly string Version =
        typeof(ClusterJson).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    readonly Lock gate = new();
    // Another process must not take a tag of this one for its own.
    readonly string process = Guid.NewGuid().ToString("N")[..12];
    (ClusterView? View, ClusterUsage Usage, bool IsFollowed) drawn;
    long version;
    CachedResponse? picture;

    /// <summary>The picture of now.</summary>
    internal CachedResponse Current
    {
        get
        {
            var now = (View: state.Current, Usage: usageCache.Current, usageCache.IsFollowed);
            lock (gate)
            {
                if (picture is null || !ReferenceEquals(drawn.View, now.View) || !ReferenceEquals(drawn.Usage, now.Usage) || drawn.IsFollowed != now.IsFollowed)
                {
                    drawn = now;
                    picture = CachedResponse.Of("application/json", Draw(now.View, now.Usage, now.IsFollowed), string.Create(CultureInfo.InvariantCulture, $"{process}-{++version}"));
                }

                return picture;
            }
        }
    }

    static byte[] Draw(ClusterView? view, ClusterUsage usage, bool isFollowed)
    {
        var bytes = new ArrayBufferWriter<byte>(64 * 1024);
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("version", Version);
            json.WriteString("replica", Environment.MachineName);
            json.WriteBoolean("isKnown", view is not null);
            json.WriteBoolean("usageIsKnown", isFollowed);
            var locations = (view?.Locations ?? []);
            json.WriteStartArray("locations");
            foreach (var location in locations)
            {
                json.WriteStringValue(location);
            }

            json.WriteEndArray();
            var unreadable = (view?.UnreadableLatencies ?? []).ToLookup(u => u.NodeName, StringComparer.Ordinal);
            json.WriteStartArray("nodes");
            foreach (var node in view?.Nodes ?? [])
            {
                Write(json, node, usage.On(node), locations, unreadable[node.Name]);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    static void Write(Utf8JsonWriter json, NodeFacts node, NodeUsage used, IReadOnlyList<string> locations, IEnumerable<UnreadableLatency> unreadable)
    {
        json.WriteStartObject();
        json.WriteString("name", node.Name);
        json.WriteBoolean("isReady", node.IsReady);
        json.WriteBoolean("isCordoned", node.IsCordoned);
        json.WriteStartArray("taints");
        foreach (var taint in node.Taints)
        {
            json.WriteStringValue($"{taint.Key}{(taint.Value.Length > 0 ? "=" : "")}{taint.Value}:{taint.Effect}");
        }

        json.WriteEndArray();
        WriteShare(json, "cpuMilli", used.Requested.CpuMilliOrZero, node.Allocatable.CpuMilliOrZero);
        WriteShare(json, "memoryBytes", used.Requested.MemoryBytesOrZero, node.Allocatable.MemoryBytesOrZero);
        WriteShare(json, "pods", used.Pods, node.AllocatablePods);
        json.WriteStartObject("devices");
        // A device's name has a domain, as in nvidia.com/gpu; huge pages and disks have none.
        foreach (var (name, amount) in (node.Allocatable.Other ?? []).Where(o => o.Name.Contains('/', StringComparison.Ordinal)))
        {
            WriteShare(json, name, used.Requested.AmountOf(name), amount);
        }

        json.WriteEndObject();
        // In the order of the locations: milliseconds; null for not measured; the label's text where it cannot be read.
        var measured = node.Latencies.Known.ToDictionary(m => m.Location, m => m.LatencyMs, StringComparer.Ordinal);
        var texts = unreadable.ToDictionary(u => u.Location, u => u.Value, StringComparer.Ordinal);
        json.WriteStartArray("latencies");
        foreach (var location in locations)
        {
            if (measured.TryGetValue(location, out var latencyMs))
            {
                json.WriteNumberValue(latencyMs);
            }
            else
            {
                json.WriteStringValue(texts.GetValueOrDefault(location));
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void WriteShare(Utf8JsonWriter json, string name, long used, long of)
    {
        json.WriteStartArray(name);
        json.WriteNumberValue(used);
        json.WriteNumberValue(of);
        json.WriteEndArray();
    }
}
