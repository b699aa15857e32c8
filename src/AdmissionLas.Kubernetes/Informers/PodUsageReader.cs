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

    /// <summary>Its required anti-affinity, which keeps other pods away; <see langword="null"/> for none.</summary>
    public PodAntiAffinity? Repels { get; init; }
}

/// <summary>
/// Reads from a Pod what it uses of a node and drops the rest. Fields that are missing or have the wrong type count as absent.
/// </summary>
public static class PodUsageReader
{
    /// <summary>Reads a Pod object.</summary>
    /// <returns>
    /// <see langword="null"/> when it uses nothing: it has finished, or it waits and is not ours, or waits for something else than the default scheduler.
    /// </returns>
    public static PodUsage? Read(JsonElement pod) => pod.ReadValid(ReadUsage);

    /// <summary>The node to which a Pod object is bound; <see langword="null"/> while it waits.</summary>
    public static string? BoundNode(JsonElement pod) => pod.Member("spec").Member("nodeName").Text() is { Length: > 0 } node ? node : null;

    /// <summary>The uid of the review that placed a Pod object, by its annotation; <see langword="null"/> where none has.</summary>
    public static string? Review(JsonElement pod) => Assumed(pod).Review;

    static PodUsage? ReadUsage(JsonElement pod)
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
            var facts = Facts(spec);
            return new PodUsage(uid, node, EffectiveRequest.Of(facts), waitingSince, review) { Scored = EffectiveRequest.Scored(facts), Repels = AntiAffinityReader.Read(pod) };
        }
    }

    static (string? Node, string? Review) Assumed(JsonElement pod)
    {
        return ObjectMetadata.Annotation(pod, PodHints.AssumedKey) is { } assumed && assumed.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
            ? (assumed[..slash], assumed[(slash + 1)..])
            : default;
    }

    static PodFacts Facts(JsonElement spec)
    {
        var whole = spec.Member("resources");
        return new PodFacts
        {
            Containers = Containers(spec.Member("containers")),
            InitContainers = Containers(spec.Member("initContainers")),
            PodRequests = whole.Member("requests").ResourceList(),
            PodLimits = whole.Member("limits").ResourceList(),
            Overhead = spec.Member("overhead").ResourceList(),
        };
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
