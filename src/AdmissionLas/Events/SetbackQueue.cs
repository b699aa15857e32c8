using System.Threading.Channels;
using AdmissionLas.Admission;
using AdmissionLas.Placement;
using AdmissionLas.Telemetry;

namespace AdmissionLas.Events;

/// <summary>
/// What reviews leave for the events: a short queue that never makes a review wait. When it is full, what comes is counted and forgotten.
/// </summary>
sealed class SetbackQueue(Settings settings, WebhookMetrics metrics)
{
    const int Places = 256;

    readonly Channel<Setback> waiting = Channel.CreateBounded<Setback>(new BoundedChannelOptions(Places) { SingleReader = true });

    volatile bool isOpen;

    /// <summary>For the sender; nothing is kept before it is there.</summary>
    internal ChannelReader<Setback> Open()
    {
        isOpen = true;
        return waiting.Reader;
    }

    /// <summary>Keeps what an author should hear of. A dry run creates nothing that anybody could wonder about.</summary>
    /// <param name="handled">The review.</param>
    /// <param name="body">Its bytes, which say whose the pod is.</param>
    internal void Note(in Handled handled, ReadOnlySpan<byte> body)
    {
        if (!isOpen || handled.Review.IsDryRun || handled.Decision is not { } decision || Setback.ReasonFor(decision, settings.Current.Policy) is not { } reason)
        {
            return;
        }

        var pod = handled.Review.Pod!;
        var owner = StepOwner.Of(body) ?? StepOwner.Pod(pod.Name);
        if (!waiting.Writer.TryWrite(new Setback(pod.Facts.Namespace, owner, reason, Setback.MessageFor(decision, reason, pod.Name))))
        {
            metrics.EventEnded("dropped");
        }
    }
}
