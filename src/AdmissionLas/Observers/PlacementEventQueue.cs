using System.Threading.Channels;
using AdmissionLas.Placement;
using AdmissionLas.Webhook;

namespace AdmissionLas.Observers;

/// <summary>
/// What reviews leave for the events: a short queue that never makes a review wait. When it is full, what comes is counted and forgotten.
/// </summary>
sealed class PlacementEventQueue(Settings settings, WebhookMetrics metrics)
{
    const int Places = 256;

    readonly Channel<PlacementProblem> waiting = Channel.CreateBounded<PlacementProblem>(new BoundedChannelOptions(Places) { SingleReader = true });

    volatile bool isOpen;

    /// <summary>For the sender; nothing is kept before it is there.</summary>
    internal ChannelReader<PlacementProblem> Open()
    {
        isOpen = true;
        return waiting.Reader;
    }

    /// <summary>Keeps what an author should hear of. A dry run creates nothing that anybody could wonder about.</summary>
    /// <param name="result">The review.</param>
    /// <param name="body">Its bytes, which say whose the pod is.</param>
    internal void Note(in ReviewResult result, ReadOnlySpan<byte> body)
    {
        if (!isOpen || result.Review.IsDryRun || result.Decision is not { } decision || PlacementProblem.ReasonFor(decision, settings.Current.Policy) is not { } reason)
        {
            return;
        }

        var pod = result.Review.Pod!;
        var owner = InvolvedObject.Of(body) ?? InvolvedObject.Pod(pod.Name);
        if (!waiting.Writer.TryWrite(new PlacementProblem(pod.Facts.Namespace, owner, reason, PlacementProblem.MessageFor(decision, reason, pod.Name))))
        {
            metrics.EventEnded("dropped");
        }
    }
}
