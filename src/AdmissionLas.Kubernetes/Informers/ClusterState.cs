namespace AdmissionLas.Kubernetes;

/// <summary>
/// The view in force. A review reads one reference and keeps it; the informer replaces the view as a whole. Readers never wait.
/// </summary>
public sealed class ClusterState(TimeProvider time)
{
    readonly TaskCompletionSource known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    ClusterView? current;
    long contactAt;

    /// <summary>The last view published; <see langword="null"/> before the first.</summary>
    public ClusterView? Current => Volatile.Read(ref current);

    /// <summary>Completes with the first view.</summary>
    public Task Known => known.Task;

    /// <summary>
    /// How long ago the API server last confirmed the view, with a list, an event or a bookmark (about one a minute);
    /// <see langword="null"/> before the first.
    /// </summary>
    public TimeSpan? Age => Interlocked.Read(ref contactAt) is var at and not 0 ? time.GetElapsedTime(at) : null;

    /// <summary>Raised with each new view.</summary>
    public event Action<ClusterView>? Published;

    /// <summary>Puts a view in force.</summary>
    public void Publish(ClusterView view)
    {
        Volatile.Write(ref current, view);
        known.TrySetResult();
        Published?.Invoke(view);
    }

    /// <summary>Notes that the API server has answered.</summary>
    public void NoteContact() => Interlocked.Exchange(ref contactAt, time.GetTimestamp());
}
