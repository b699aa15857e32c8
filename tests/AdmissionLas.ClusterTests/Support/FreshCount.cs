namespace AdmissionLas.ClusterTests.Support;

/// <summary>What is requested on a node: thousandths of a core, bytes, pods.</summary>
readonly record struct Used(long CpuMilli, long MemoryBytes, long Pods);

/// <summary>What is requested on the nodes, counted anew from a list of all pods; for the plain pods that the tests make.</summary>
static class FreshCount
{
    internal static async Task<Dictionary<string, Used>> OfAsync(ApiServer api) => (await api.GetAsync("/api/v1/pods"))["items"]!.AsArray()
        .Where(p => p!["spec"]!["nodeName"] is not null && p["status"]!["phase"]!.GetValue<string>() is not ("Succeeded" or "Failed"))
        .GroupBy(p => p!["spec"]!["nodeName"]!.GetValue<string>())
        .ToDictionary(g => g.Key, g => new Used(g.Sum(p => Sum(p!, "cpu", 1000)), g.Sum(p => Sum(p!, "memory", 1)), g.Count()));

    internal static Dictionary<string, Used> Of(NodeUsageCache usageCache) => usageCache.Current.ByNode
        .ToDictionary(n => n.Key, n => new Used(n.Value.Requested.CpuMilliOrZero, n.Value.Requested.MemoryBytesOrZero, n.Value.Pods));

    /// <summary>Waits until the usage cache says what a fresh count says, to the last byte.</summary>
    internal static Task EqualsAsync(ApiServer api, NodeUsageCache usageCache, string who) => Eventually.IsTrueAsync($"{who} knows what a fresh count says", async () =>
    {
        var known = Of(usageCache);
        var fresh = await OfAsync(api);
        return known.Count == fresh.Count && known.All(k => fresh.TryGetValue(k.Key, out var used) && used == k.Value);
    });

    static long Sum(JsonNode pod, string resource, int scale) => pod["spec"]!["containers"]!.AsArray().Sum(c =>
        c!["resources"]?["requests"]?[resource] is { } amount ? scale == 1000 ? Milli(amount) : Bytes(amount) : 0);

    static long Milli(JsonNode amount) => Quantity.TryParseMilli(amount.GetValue<string>(), out var milli) ? milli : throw new FormatException($"{amount}");

    static long Bytes(JsonNode amount) => Quantity.TryParseUnits(amount.GetValue<string>(), out var bytes) ? bytes : throw new FormatException($"{amount}");
}
