using System.Reflection;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace AdmissionLas.Page;

/// <summary>
/// GET /api/cluster: the nodes with their latencies, capacity and usage. It is serialized once for each state of the cluster, however many
/// browsers ask.
/// </summary>
sealed class ClusterJson(ClusterState state, NodeUsageCache usageCache)
{
    static readonly string Version =
        typeof(ClusterJson).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    readonly Lock gate = new();
    // The tags of another process name other contents.
    readonly string process = Guid.NewGuid().ToString("N")[..12];
    (ClusterView? View, ClusterUsage Usage, bool IsFollowed) serialized;
    long number;
    FileContentHttpResult? answer;

    /// <summary>The answer for the cluster as it is now.</summary>
    internal FileContentHttpResult Current
    {
        get
        {
            var now = (View: state.Current, Usage: usageCache.Current, usageCache.IsFollowed);
            lock (gate)
            {
                if (answer is null || !ReferenceEquals(serialized.View, now.View) || !ReferenceEquals(serialized.Usage, now.Usage) ||
                    serialized.IsFollowed != now.IsFollowed)
                {
                    serialized = now;
                    answer = PageFiles.Tagged(
                        JsonSerializer.SerializeToUtf8Bytes(Describe(now.View, now.Usage, now.IsFollowed), PageJsonContext.Default.ClusterDescription),
                        "application/json", string.Create(CultureInfo.InvariantCulture, $"{process}-{++number}"));
                }

                return answer;
            }
        }
    }

    static ClusterDescription Describe(ClusterView? view, ClusterUsage usage, bool isFollowed)
    {
        string[] locations = [.. view?.Locations ?? []];
        var unreadable = (view?.UnreadableLatencies ?? []).ToDictionary(u => (u.NodeName, u.Location), u => u.Value);
        return new ClusterDescription(
            Version, Environment.MachineName, view is not null, isFollowed, locations,
            (view?.Nodes ?? []).Select(n => Describe(n, usage.On(n), locations, unreadable)));
    }

    static NodeDescription Describe(
        NodeFacts node, NodeUsage used, string[] locations, Dictionary<(string Node, string Location), string> unreadable)
    {
        var measured = node.Latencies.Known.ToDictionary(m => m.Location, m => m.LatencyMs, StringComparer.Ordinal);
        return new NodeDescription(
            node.Name, node.IsReady, node.IsCordoned,
            node.Taints.Select(t => $"{t.Key}{(t.Value.Length > 0 ? "=" : "")}{t.Value}:{t.Effect}"),
            [used.Requested.CpuMilliOrZero, node.Allocatable.CpuMilliOrZero],
            [used.Requested.MemoryBytesOrZero, node.Allocatable.MemoryBytesOrZero],
            [used.Pods, node.AllocatablePods],
            // A device's name has a domain, as in nvidia.com/gpu; huge pages and disks have none.
            (node.Allocatable.Other ?? []).Where(o => o.Name.Contains('/', StringComparison.Ordinal))
                .ToDictionary(o => o.Name, o => (long[])[used.Requested.AmountOf(o.Name), o.Amount]),
            locations.Select(l => measured.TryGetValue(l, out var latencyMs) ? (JsonNode?)latencyMs : unreadable.GetValueOrDefault((node.Name, l))));
    }
}

/// <summary>What the page shows of the cluster.</summary>
/// <param name="Version">The program's version.</param>
/// <param name="Replica">The name of the pod or machine that answers.</param>
/// <param name="IsKnown">Whether the nodes are known yet.</param>
/// <param name="UsageIsKnown">Whether the pods are followed; if not, each node counts as empty.</param>
/// <param name="Locations">All locations to which a node has a latency.</param>
/// <param name="Nodes">The nodes.</param>
sealed record ClusterDescription(
    string Version, string Replica, bool IsKnown, bool UsageIsKnown, IEnumerable<string> Locations, IEnumerable<NodeDescription> Nodes);

/// <summary>What the page shows of a node. Each amount is a pair: what is used, and what the node has.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsReady">Whether it is ready.</param>
/// <param name="IsCordoned">Whether it is cordoned.</param>
/// <param name="Taints">Its taints as kubectl writes them.</param>
/// <param name="CpuMilli">Thousandths of a CPU.</param>
/// <param name="MemoryBytes">Bytes of memory.</param>
/// <param name="Pods">Pods.</param>
/// <param name="Devices">Devices by resource name.</param>
/// <param name="Latencies">In the order of the locations: milliseconds; null where none is measured; the label's text where it cannot be read.</param>
sealed record NodeDescription(
    string Name, bool IsReady, bool IsCordoned, IEnumerable<string> Taints, long[] CpuMilli, long[] MemoryBytes, long[] Pods,
    IReadOnlyDictionary<string, long[]> Devices, IEnumerable<JsonNode?> Latencies);

/// <summary>Writes the page's data without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ClusterDescription))]
sealed partial class PageJsonContext : JsonSerializerContext;
