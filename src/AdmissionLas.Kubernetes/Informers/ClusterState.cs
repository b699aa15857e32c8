using AdmissionLas.Placement;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// The view in force. A review reads one reference and keeps it; the feed replaces it whole. No reader ever waits.
/// </summary>
public sealed class ClusterState(TimeProvider time)
{
    ClusterView? current;
    long heardAt;

    /// <summary>The last view published; <see langword="null"/> before the first.</summary>
    public ClusterView? Current => Volatile.Read(ref current);

    /// <summary>
    /// How long ago the API server last confirmed what we know, with a list, an event or a bookmark (it sends those about once a minute);
    /// <see langword="null"/> before the first.
    /// </summary>
    public TimeSpan? Age => Interlocked.Read(ref heardAt) is var at and not 0 ? time.GetElapsedTime(at) : null;

    /// <summary>Tells that views were replaced, with the new one.</summary>
    public event Action<ClusterView>? Published;

    /// <summary>Puts a view in force.</summary>
    public void Publish(ClusterView view)
    {
        Volatile.Write(ref current, view);
        Published?.Invoke(view);
    }

    /// <summary>Notes a sign of life from the API server.</summary>
    public void Heard() => Interlocked.Exchange(ref heardAt, time.GetTimestamp());
}
