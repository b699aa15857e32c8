using System.Threading.Channels;

namespace AdmissionLas.Observers;

/// <summary>
/// What reviews leave for the Events: a short queue that never makes a review wait. When it is full, what comes is counted and dropped.
/// </summary>
sealed class PlacementEventQueue(Settings settings, WebhookMetrics metrics) : IReviewObserver
{
    const int Capacity = 256;

    readonly Channel<PlacementProblem> waiting = Channel.CreateBounded<PlacementProblem>(new BoundedChannelOptions(Capacity) { SingleReader = true });

    volatile bool isOpen;
    volatile Func<string, bool> optsIn = static _ => false;

    /// <summary>
    /// Tells which namespaces have opted in; until then, and where that may not be known, there are no Events. Any caller that reaches the port can
    /// send a review, and must not write into a namespace whose pods do not come here.
    /// </summary>
    internal void LetIn(Func<string, bool> optsIn) => this.optsIn = optsIn;

    /// <summary>For the sender; nothing is kept before it is there.</summary>
    internal ChannelReader<PlacementProblem> Open()
    {
        isOpen = true;
        return waiting.Reader;
    }

    public void Answered(in ReviewObservation observation)
    {
        if (isOpen && PlacementProblem.Of(observation.Result, settings.Current.Policy) is { } problem && optsIn(problem.Namespace) && !waiting.Writer.TryWrite(problem))
        {
            metrics.EventEnded("dropped");
        }
    }
}
