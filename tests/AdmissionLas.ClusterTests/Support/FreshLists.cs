using System.Text.Json;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>What is requested on a node: thousandths of a core, bytes, pods.</summary>
readonly record struct Used(long CpuMilli, long MemoryBytes, long Pods);

/// <summary>The nodes and what is requested on them, from new lists of nodes and pods; for the plain pods that the tests make.</summary>
static class FreshLists
{
    /// <summary>What a webhook has counted.</summary>
    internal static Dictionary<string, Used> Of(NodeUsageCache usageCache) => usageCache.Current.ByNode
        .ToDictionary(n => n.Key, n => new Used(n.Value.Requested.CpuMilliOrZero, n.Value.Requested.MemoryBytesOrZero, n.Value.Pods));

    /// <summary>Waits until a webhook knows what new lists say, to the last byte.</summary>
    internal static async Task AreKnownAsync(ApiServer api, RunningWebhook webhook, string who)
    {
        await Eventually.IsTrueAsync($"{who} knows the nodes", async () =>
            webhook.State.Current is { } view && view.Nodes.SequenceEqual(await NodesAsync(api)));
        await Eventually.IsTrueAsync($"{who} knows what is requested on them", async () =>
        {
            var (known, fresh) = (Of(webhook.UsageCache), await UsedAsync(api));
            return known.Count == fresh.Count && known.All(k => fresh.TryGetValue(k.Key, out var used) && used == k.Value);
        });
    }

    static async Task<NodeFacts[]> NodesAsync(ApiServer api) =>
    [
        .. (await api.GetAsync("/api/v1/nodes"))["items"]!.AsArray()
            .Select(n => NodeReader.Read(n!.Deserialize<JsonElement>(), LatencyLabels.All)!).OrderBy(n => n.Name, StringComparer.Ordinal),
    ];

    static async Task<Dictionary<string, Used>> UsedAsync(ApiServer api) => (await api.GetAsync("/api/v1/pods"))["items"]!.AsArray()
        .Where(p => p!["spec"]!["nodeName"] is not null && p["status"]!["phase"]!.GetValue<string>() is not ("Succeeded" or "Failed"))
        .GroupBy(p => p!["spec"]!["nodeName"]!.GetValue<string>())
        .ToDictionary(g => g.Key, g => new Used(g.Sum(p => Sum(p!, "cpu", 1000)), g.Sum(p => Sum(p!, "memory", 1)), g.Count()));

    static long Sum(JsonNode pod, string resource, int scale) => pod["spec"]!["containers"]!.AsArray().Sum(c =>
        c!["resources"]?["requests"]?[resource] is { } amount ? scale == 1000 ? Milli(amount) : Bytes(amount) : 0);

    static long Milli(JsonNode amount) => Quantity.TryParseMilli(amount.GetValue<string>(), out var milli) ? milli : throw new FormatException($"{amount}");

    static long Bytes(JsonNode amount) => Quantity.TryParseUnits(amount.GetValue<string>(), out var bytes) ? bytes : throw new FormatException($"{amount}");
}
