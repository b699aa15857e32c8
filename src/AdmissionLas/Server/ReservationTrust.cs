using System.Runtime.InteropServices;

namespace AdmissionLas.Server;

/// <summary>
/// Which waiting pods may keep room on a node. A replica tells the others of its placements by an annotation, and anybody who creates pods can write
/// that. So it counts only on a pod that could have come to the webhook, is a step, and fits the node; and only for a while (<see cref="NodeUsageCache"/>).
/// </summary>
sealed class ReservationTrust(NamespaceInformer namespaces, ClusterState state, Settings settings)
{
    /// <summary>Whether it counts.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="usage">What it would use, and where.</param>
    /// <remarks>Of what it asks for all counts here, also what no node has: such a pod waits for ever.</remarks>
    internal bool Trusts(JsonElement pod, PodUsage usage) =>
        namespaces.Contains(ObjectMetadata.Namespace(pod) ?? "") && state.Current?.Find(usage.Node) is { } node &&
        settings.Current is var current && current.Reader.ReadPod(JsonMarshal.GetRawUtf8Value(pod)) is { } read && current.Rules.Classify(read.Facts).Kind is not null &&
        NodeFilter.IsWithinLimits(read.Facts) && PodUsageReader.Read(pod) is { } whole &&
        new NodeFilter(read.Facts with { ClaimsDevices = true }, whole.Request, ClusterUsage.Unknown).FitsWhenEmpty(node) == FilterResult.CanRun;
}
