using System.Collections.Immutable;
using static AdmissionLas.Kubernetes.JsonElementFields;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// Reads from a Pod what it uses of a node and drops the rest. Fields that are missing or have the wrong type count as absent.
/// </summary>
public static class PodUsageReader
{
    /// <summary>Reads a Pod object.</summary>
    /// <returns><see langword="null"/> when it uses nothing: it has finished, or it waits and is not ours.</returns>
    public static PodUsage? Read(JsonElement pod) => ReadValid(pod, ReadUsage);

    static PodUsage? ReadUsage(JsonElement pod)
    {
        var status = Member(pod, "status");
        if (ObjectMetadata.Uid(pod) is not { Length: > 0 } uid || Text(Member(status, "phase")) is "Succeeded" or "Failed")
        {
            return null;
        }

        var (chosen, review) = Assumed(pod);
        var spec = Member(pod, "spec");
        if (Text(Member(spec, "nodeName")) is { Length: > 0 } bound)
        {
            return new PodUsage(uid, bound, Request(spec), IsUnschedulable: false, review);
        }

        return chosen is null ? null : new PodUsage(uid, chosen, Request(spec), IsUnschedulable(status), review);
    }

    static (string? Node, string? Review) Assumed(JsonElement pod)
    {
        var annotations = Member(Member(pod, "metadata"), "annotations");
        return Text(Member(annotations, PodHints.AssumedKey)) is { } assumed && assumed.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
            ? (assumed[..slash], assumed[(slash + 1)..])
            : default;
    }

    // The other reason, SchedulerError, stands for a fault, after which the scheduler tries the pod again.
    static bool IsUnschedulable(JsonElement status) => Items(Member(status, "conditions")).Any(c =>
        Text(Member(c, "type")) == "PodScheduled" && Text(Member(c, "status")) == "False" && Text(Member(c, "reason")) is "Unschedulable" or "SchedulingGated");

    static Resources Request(JsonElement spec)
    {
        var whole = Member(spec, "resources");
        return EffectiveRequest.Of(new PodFacts
        {
            Containers = Containers(Member(spec, "containers")),
            InitContainers = Containers(Member(spec, "initContainers")),
            PodRequests = ResourceList(Member(whole, "requests")),
            PodLimits = ResourceList(Member(whole, "limits")),
            Overhead = ResourceList(Member(spec, "overhead")),
        });
    }

    static ImmutableArray<ContainerFacts> Containers(JsonElement list) =>
    [
        .. Items(list).Select(c => new ContainerFacts(
            "", ResourceList(Member(Member(c, "resources"), "requests")), ResourceList(Member(Member(c, "resources"), "limits")), Text(Member(c, "restartPolicy")) == "Always"))
    ];
}
