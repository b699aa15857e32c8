using System.Collections.Immutable;
using AdmissionLas.Kubernetes;
using AdmissionLas.Placement;

namespace AdmissionLas.Tests.Support;

/// <summary>What runs on the nodes, as tests write it.</summary>
static class Usages
{
    internal static ClusterUsage On(string node, string? cpu = null, string? memory = null, long pods = 1) => Of((node, new NodeUsage(Amounts.Of(cpu, memory), pods)));

    internal static ClusterUsage Of(params (string Node, NodeUsage Usage)[] used) => new(used.ToImmutableDictionary(u => u.Node, u => u.Usage));

    /// <summary>A ledger that has counted exactly this; on a clock that stands still nothing expires.</summary>
    internal static UsageLedger Ledger(ClusterUsage? usage = null, TimeProvider? time = null)
    {
        var ledger = new UsageLedger(time ?? TimeProvider.System, TimeSpan.FromMinutes(1));
        ledger.BeginList();
        foreach (var (node, (requested, pods)) in usage?.ByNode ?? ImmutableDictionary<string, NodeUsage>.Empty)
        {
            for (var i = 0; i < pods; i++)
            {
                var uid = $"{node}-{i}";
                ledger.Set(uid, new PodClaim(uid, node, i == 0 ? requested : Resources.None, IsUnschedulable: false, Review: null));
            }
        }

        ledger.EndList();
        return ledger;
    }
}
