using System.Collections.Immutable;

namespace AdmissionLas.Tests.Support;

/// <summary>What runs on the nodes, as tests write it.</summary>
static class Usages
{
    internal static ClusterUsage On(string node, string? cpu = null, string? memory = null, long pods = 1) => Of((node, new NodeUsage(Amounts.Of(cpu, memory), pods)));

    internal static ClusterUsage Of(params (string Node, NodeUsage Usage)[] used) => new(used.ToImmutableDictionary(u => u.Node, u => u.Usage));

    /// <summary>A usage cache that has counted exactly this; on a clock that stands still nothing expires.</summary>
    internal static NodeUsageCache UsageCache(ClusterUsage? usage = null, TimeProvider? time = null)
    {
        var usageCache = new NodeUsageCache(time ?? TimeProvider.System, TimeSpan.FromMinutes(1));
        usageCache.BeginList();
        foreach (var (node, (requested, pods)) in usage?.ByNode ?? ImmutableDictionary<string, NodeUsage>.Empty)
        {
            for (var i = 0; i < pods; i++)
            {
                var uid = $"{node}-{i}";
                usageCache.Set(uid, new PodUsage(uid, node, i == 0 ? requested : Resources.None));
            }
        }

        usageCache.EndList();
        return usageCache;
    }
}
