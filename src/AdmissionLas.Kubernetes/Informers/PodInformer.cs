using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>Keeps a <see cref="NodeUsageCache"/> up to date with the API server's pods that have not finished.</summary>
public sealed class PodInformer : IResourceEventHandler
{
    readonly Reflector reflector;
    readonly NodeUsageCache usageCache;

    /// <summary>Sets up the informer; <see cref="RunAsync"/> starts it.</summary>
    public PodInformer(KubeApi api, NodeUsageCache usageCache, TimeProvider time, ILogger<PodInformer> log)
    {
        this.usageCache = usageCache;
        reflector = new Reflector(api, WatchedResource.UnfinishedPods, this, time, log);
    }

    /// <inheritdoc cref="NodeInformer.Restarts"/>
    public long Restarts => reflector.Restarts;

    /// <summary>Runs until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => reflector.RunAsync(stop);

    int IResourceEventHandler.Count => usageCache.Count;

    void IResourceEventHandler.OnListStarted() => usageCache.BeginList();

    void IResourceEventHandler.OnListCompleted() => usageCache.EndList();

    void IResourceEventHandler.OnAddOrUpdate(JsonElement item)
    {
        if (ObjectMetadata.Uid(item) is { } uid)
        {
            usageCache.Set(uid, PodUsageReader.Read(item));
        }
    }

    void IResourceEventHandler.OnDelete(JsonElement item)
    {
        if (ObjectMetadata.Uid(item) is { } uid)
        {
            usageCache.Set(uid, null);
        }
    }

    void IResourceEventHandler.OnContact() => usageCache.Resume();

    void IResourceEventHandler.OnInterrupted() => usageCache.Pause();

    void IResourceEventHandler.OnForbidden() => usageCache.Forget();
}
