using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>How an informer comes to see a pod.</summary>
public enum PodSighting
{
    /// <summary>A list has it: it may be as old as the cluster.</summary>
    Listed,

    /// <summary>It was created after the list.</summary>
    Added,

    /// <summary>It has changed.</summary>
    Changed,

    /// <summary>It was deleted or has finished.</summary>
    Gone,
}

/// <summary>Follows the pods that an informer sees, one call at a time. It must be quick and must not throw.</summary>
public interface IPodObserver
{
    /// <summary>A list starts: what was seen before may be gone.</summary>
    void ListStarted();

    /// <summary>A pod is seen. The element is valid during the call only.</summary>
    void Seen(PodSighting sighting, JsonElement pod);
}

/// <summary>Keeps a <see cref="NodeUsageCache"/> up to date with the API server's pods that have not finished.</summary>
public sealed class PodInformer : IResourceEventHandler
{
    readonly Reflector reflector;
    readonly NodeUsageCache usageCache;
    readonly Func<JsonElement, PodUsage, bool> isTrusted;
    readonly IPodObserver? observer;
    readonly ResourceNames? names;

    /// <summary>Sets up the informer; <see cref="RunAsync"/> starts it.</summary>
    /// <param name="api">The API server.</param>
    /// <param name="usageCache">Where the pods count.</param>
    /// <param name="isTrusted">Whether a pod that waits may count on the node that its annotation names: anybody who creates pods can write it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Gets a line for each interruption.</param>
    /// <param name="observer">Who else follows the pods.</param>
    /// <param name="names">The resources that count beside CPU and memory; <see langword="null"/> for all.</param>
    public PodInformer(
        KubeApi api, NodeUsageCache usageCache, Func<JsonElement, PodUsage, bool> isTrusted, TimeProvider time, ILogger<PodInformer> log,
        IPodObserver? observer = null, ResourceNames? names = null)
    {
        (this.usageCache, this.isTrusted, this.observer, this.names) = (usageCache, isTrusted, observer, names);
        reflector = new Reflector(api, WatchedResource.UnfinishedPods, this, time, log);
    }

    /// <inheritdoc cref="NodeInformer.Restarts"/>
    public long Restarts => reflector.Restarts;

    /// <inheritdoc cref="NodeInformer.Skipped"/>
    public long Skipped => reflector.Skipped;

    /// <summary>Runs until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => reflector.RunAsync(stop);

    int IResourceEventHandler.Count => usageCache.Count;

    void IResourceEventHandler.OnListStarted()
    {
        usageCache.BeginList();
        observer?.ListStarted();
    }

    void IResourceEventHandler.OnListed(JsonElement item) => Count(PodSighting.Listed, item);

    void IResourceEventHandler.OnSkipped(JsonElement head)
    {
        if (ObjectMetadata.Uid(head) is { } uid)
        {
            usageCache.Keep(uid);
        }
    }

    void IResourceEventHandler.OnListCompleted() => usageCache.EndList();

    void IResourceEventHandler.OnAdded(JsonElement item) => Count(PodSighting.Added, item);

    void IResourceEventHandler.OnAddOrUpdate(JsonElement item) => Count(PodSighting.Changed, item);

    void IResourceEventHandler.OnDelete(JsonElement item) => Count(PodSighting.Gone, item);

    void IResourceEventHandler.OnContact() => usageCache.Resume();

    void IResourceEventHandler.OnInterrupted() => usageCache.Pause();

    void IResourceEventHandler.OnForbidden() => usageCache.Forget();

    void Count(PodSighting sighting, JsonElement item)
    {
        if (ObjectMetadata.Uid(item) is { } uid)
        {
            var usage = sighting == PodSighting.Gone ? null : PodUsageReader.Read(item, names);
            usageCache.Set(uid, usage?.WaitingSince is null || isTrusted(item, usage) ? usage : null);
            // A list has its pods in no order of time.
            if (sighting != PodSighting.Listed && usageCache.AssumedCount > 0 && ObjectMetadata.CreatedAt(item) is { } created)
            {
                usageCache.Reached(created);
            }

            observer?.Seen(sighting, item);
        }
    }
}
