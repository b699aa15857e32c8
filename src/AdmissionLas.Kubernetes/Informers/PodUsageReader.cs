using System.Collections.Immutable;

namespace AdmissionLas.Kubernetes;

/// <summary>What a pod uses of a node.</summary>
/// <param name="Uid">metadata.uid.</param>
/// <param name="Node">The node to which it is bound, or the one that its review chose.</param>
/// <param name="Request">What the scheduler counts for it.</param>
/// <param name="IsUnschedulable">The scheduler found no node for it: it may take the room later, or wait for something that never comes.</param>
/// <param name="Review">The uid of the review that placed it, in any replica; <see langword="null"/> for a pod that is not ours.</param>
public sealed record PodUsage(string Uid, string Node, Resources Request, bool IsUnschedulable, string? Review);

/// <summary>
/// Reads from a Pod what it uses of a node and drops the rest. Fields that are missing or have the wrong type count as absent.
/// </summary>
public static class PodUsageReader
{
    /// <summary>Reads a Pod object.</summary>
    /// <returns><see langword="null"/> when it uses nothing: it has finished, or it waits and is not ours.</returns>
    public static PodUsage? Read(JsonElement pod) => pod.ReadValid(ReadUsage);

    static PodUsage? ReadUsage(JsonElement pod)
    {
        var status = pod.Member("status");
        if (ObjectMetadata.Uid(pod) is not { Length: > 0 } uid || status.Member("phase").Text() is "Succeeded" or "Failed")
        {
            return null;
        }

        var (chosen, review) = Assumed(pod);
        var spec = pod.Member("spec");
        if (spec.Member("nodeName").Text() is { Length: > 0 } bound)
        {
            return new PodUsage(uid, bound, Request(spec), IsUnschedulable: false, review);
        }

        // A gated pod may wait for hours: no node's room is kept for it.
        return chosen is null || spec.Member("schedulingGates").Items().Any() ? null : new PodUsage(uid, chosen, Request(spec), IsUnschedulable(status), review);
    }

    static (string? Node, string? Review) Assumed(JsonElement pod)
    {
        var annotations = pod.Member("metadata").Member("annotations");
        return annotations.Member(PodHints.AssumedKey).Text() is { } assumed && assumed.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
            ? (assumed[..slash], assumed[(slash + 1)..])
            : default;
    }

    // The other reason, SchedulerError, stands for a fault, after which the scheduler tries the pod again.
    static bool IsUnschedulable(JsonElement status) => status.Member("conditions").Items().Any(c =>
        c.Member("type").Text() == "PodScheduled" && c.Member("status").Text() == "False" && c.Member("reason").Text() is "Unschedulable" or "SchedulingGated");

    static Resources Request(JsonElement spec)
    {
        var whole = spec.Member("resources");
        return EffectiveRequest.Of(new PodFacts
        {
            Containers = Containers(spec.Member("containers")),
            InitContainers = Containers(spec.Member("initContainers")),
            PodRequests = whole.Member("requests").ResourceList(),
            PodLimits = whole.Member("limits").ResourceList(),
            Overhead = spec.Member("overhead").ResourceList(),
        });
    }

    static ImmutableArray<ContainerFacts> Containers(JsonElement list) =>
    [
        .. list.Items().Select(c => new ContainerFacts(
            "",
            c.Member("resources").Member("requests").ResourceList(),
            c.Member("resources").Member("limits").ResourceList(),
            c.Member("restartPolicy").Text() == "Always")),
    ];
}
