using System.Collections.Immutable;

namespace AdmissionLas.Kubernetes;

/// <summary>What a pod uses of a node.</summary>
/// <param name="Uid">metadata.uid.</param>
/// <param name="Node">The node to which it is bound, or the one that its review chose.</param>
/// <param name="Request">What the scheduler counts for it.</param>
/// <param name="WaitingSince">When it was created; <see langword="null"/> once it is bound.</param>
/// <param name="Review">The uid of the review that placed it, in any replica; <see langword="null"/> for a pod that is not ours.</param>
public sealed record PodUsage(string Uid, string Node, Resources Request, DateTimeOffset? WaitingSince = null, string? Review = null)
{
    /// <summary>What the scheduler counts for it in scores.</summary>
    public Resources Scored { get; init; } = Request;

    /// <summary>Its priority (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/); pods of a higher one could evict it.</summary>
    public int Priority { get; init; }

    /// <summary>Its required anti-affinity, which keeps other pods away; <see langword="null"/> for none.</summary>
    public PodAntiAffinity? Repels { get; init; }
}

/// <summary>
/// Reads from a Pod what it uses of a node and drops the rest. Fields that are missing or have the wrong type count as absent.
/// </summary>
public static class PodUsageReader
{
    /// <summary>Reads a Pod object.</summary>
    /// <param name="pod">The object.</param>
    /// <param name="names">The resources that count beside CPU and memory; <see langword="null"/> for all.</param>
    /// <returns>
    /// <see langword="null"/> when it uses nothing: it has finished, or it waits and is not ours, or waits for something else than the default scheduler.
    /// </returns>
    public static PodUsage? Read(JsonElement pod, ResourceNames? names = null) => pod.ReadValid(p => ReadUsage(p, names));

    /// <summary>The node to which a Pod object is bound; <see langword="null"/> while it waits.</summary>
    public static string? BoundNode(JsonElement pod) => pod.Member("spec").Member("nodeName").Text() is { Length: > 0 } node ? node : null;

    /// <summary>The uid of the review that placed a Pod object, by its annotation; <see langword="null"/> where none has.</summary>
    public static string? Review(JsonElement pod) => Assumed(pod).Review;

    static PodUsage? ReadUsage(JsonElement pod, ResourceNames? names)
    {
        if (ObjectMetadata.Uid(pod) is not { Length: > 0 } uid || pod.Member("status").Member("phase").Text() is "Succeeded" or "Failed")
        {
            return null;
        }

        var (chosen, review) = Assumed(pod);
        var spec = pod.Member("spec");
        if (BoundNode(pod) is { } bound)
        {
            return Usage(bound, waitingSince: null);
        }

        // A gated pod may wait for hours, one for a scheduler that is not there for ever: no node's room is kept for it.
        var isScheduled = spec.Member("schedulerName").Text() is null or "" or PodFacts.DefaultScheduler && !spec.Member("schedulingGates").Items().Any();
        return chosen is null || !isScheduled ? null : Usage(chosen, ObjectMetadata.CreatedAt(pod) ?? DateTimeOffset.MinValue);

        PodUsage Usage(string node, DateTimeOffset? waitingSince)
        {
            var facts = Facts(spec, pod.Member("status"), names);
            return new PodUsage(uid, node, EffectiveRequest.Of(facts), waitingSince, review)
            {
                Scored = EffectiveRequest.Scored(facts),
                Priority = spec.Member("priority") is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var priority) ? priority : 0,
                Repels = AntiAffinityReader.Read(pod),
            };
        }
    }

    static (string? Node, string? Review) Assumed(JsonElement pod)
    {
        return ObjectMetadata.Annotation(pod, PodHints.AssumedKey) is { } assumed && assumed.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
            ? (assumed[..slash], assumed[(slash + 1)..])
            : default;
    }

    // What is being resized counts as the most of what it should have, has and is promised
    // (https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/; determineEffectiveRequests in
    // https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/component-helpers/resource/helpers.go).
    static PodFacts Facts(JsonElement spec, JsonElement status, ResourceNames? names)
    {
        var whole = spec.Member("resources");
        var isInfeasible = status.Member("conditions").Items().FirstOrDefault(c => c.Member("type").Text() == "PodResizePending").Member("reason").Text() == "Infeasible";
        var requested = whole.Member("requests").ResourceList(names);
        return new PodFacts
        {
            Containers = Containers(spec.Member("containers"), status.Member("containerStatuses"), isInfeasible, areSidecars: false, names),
            InitContainers = Containers(spec.Member("initContainers"), status.Member("initContainerStatuses"), isInfeasible, areSidecars: true, names),
            PodRequests = Effective(requested, status, isInfeasible, names) is { } effective ? Only(requested, effective) : requested,
            PodLimits = whole.Member("limits").ResourceList(names),
            Overhead = spec.Member("overhead").ResourceList(names),
        };
    }

    // Of the pod as a whole what it states counts, and of the rest its containers.
    static Resources Only(Resources stated, Resources amounts) => new(
        stated.CpuMilli is null ? null : amounts.CpuMilliOrZero, stated.MemoryBytes is null ? null : amounts.MemoryBytesOrZero,
        stated.Other?.Select(o => o with { Amount = amounts.AmountOf(o.Name) }).ToArray());

    static ImmutableArray<ContainerFacts> Containers(JsonElement list, JsonElement statuses, bool isInfeasible, bool areSidecars, ResourceNames? names)
    {
        Dictionary<string, JsonElement> byName = new(StringComparer.Ordinal);
        foreach (var status in statuses.Items())
        {
            byName[status.Member("name").Text() ?? ""] = status;
        }

        return [.. list.Items().Select(c =>
        {
            var requests = c.Member("resources").Member("requests").ResourceList(names);
            var alwaysRestarts = c.Member("restartPolicy").Text() == "Always";
            var status = areSidecars && !alwaysRestarts ? default : byName.GetValueOrDefault(c.Member("name").Text() ?? "");
            return Effective(requests, status, isInfeasible, names) is { } effective
                ? new ContainerFacts("", effective, Resources.None, alwaysRestarts)
                : new ContainerFacts("", requests, c.Member("resources").Member("limits").ResourceList(names), alwaysRestarts);
        })];
    }

    // Without resources a status says nothing: the kubelet is older, or has not started it yet.
    static Resources? Effective(Resources requests, JsonElement status, bool isInfeasible, ResourceNames? names) => status.Member("resources").ValueKind != JsonValueKind.Object
        ? null
        : (isInfeasible ? Resources.None : requests).Max(status.Member("resources").Member("requests").ResourceList(names)).Max(status.Member("allocatedResources").ResourceList(names));
}
