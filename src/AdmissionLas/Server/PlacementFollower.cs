using AdmissionLas.Observers;
using AdmissionLas.Realised;

namespace AdmissionLas.Server;

/// <summary>
/// Watches what becomes of decisions: where the scheduler binds the pods that carry one, and which steps come without. It counts what happens while
/// it watches, each pod once, and not what a list finds. Every replica counts the pods of all.
/// </summary>
sealed class PlacementFollower(
    Func<string, bool> hasOptedIn, ClusterState state, Settings settings, WebhookMetrics metrics, RecentDecisions? decisions) : IPodObserver
{
    /// <summary>More waiting pods are not followed: it bounds the memory.</summary>
    internal const int MaxWaiting = 100_000;

    // Uids of pods with a record that are not bound yet.
    readonly HashSet<string> waiting = new(StringComparer.Ordinal);

    public void ListStarted() => waiting.Clear();

    public void Seen(PodSighting sighting, JsonElement pod)
    {
        try
        {
            Follow(sighting, pod);
        }
        // Text that is not valid Unicode, which passes the parser and fails only when it is read.
        catch (InvalidOperationException)
        {
        }
    }

    void Follow(PodSighting sighting, JsonElement pod)
    {
        if (sighting == PodSighting.Gone)
        {
            waiting.Remove(ObjectMetadata.Uid(pod) ?? "");
        }
        else if (!ObjectMetadata.HasAnnotation(pod, PodHints.RecordKey))
        {
            if (sighting == PodSighting.Added && BypassedStep.Is(pod, hasOptedIn, settings.Current))
            {
                metrics.Bypassed();
            }
        }
        else if (PodUsageReader.BoundNode(pod) is { } node)
        {
            if (waiting.Remove(ObjectMetadata.Uid(pod) ?? ""))
            {
                Bound(pod, node);
            }
        }
        // Nobody else's pods come from the webhook, whatever they carry.
        else if (waiting.Count < MaxWaiting && hasOptedIn(ObjectMetadata.Namespace(pod) ?? "") && ObjectMetadata.Uid(pod) is { } uid)
        {
            waiting.Add(uid);
        }
    }

    void Bound(JsonElement pod, string node)
    {
        if (PlacementRecord.TryRead(ObjectMetadata.Annotation(pod, PodHints.RecordKey)) is { } record &&
            RealisedPlacement.Of(record, node, state.Current ?? ClusterView.Empty) is { } placement)
        {
            metrics.Bound(placement);
            if (PodUsageReader.Review(pod) is { Length: > 0 } review)
            {
                decisions?.Bound(review, node, placement.Result);
            }
        }
    }
}
