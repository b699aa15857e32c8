using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>Keeps a <see cref="NodeUsageCache"/> up to date with the API server's pods. Those that have finished are not even sent.</summary>
public sealed class PodInformer : IResourceEventHandler
{
    readonly Reflector following;
    readonly NodeUsageCache usageCache;

    /// <summary>Sets up the feed; <see cref="RunAsync"/> starts it.</summary>
    public PodInformer(KubeApi api, NodeUsageCache usageCache, TimeProvider time, ILogger<PodInformer> log)
    {
        this.usageCache = usageCache;
        following = new Reflector(api, WatchedResource.UnfinishedPods, this, time, log);
    }

    /// <inheritdoc cref="NodeInformer.Restarts"/>
    public long Restarts => following.Restarts;

    /// <summary>Runs until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => following.RunAsync(stop);

    int IResourceEventHandler.Count => usageCache.Count;

    void IResourceEventHandler.BeginList() => usageCache.BeginList();

    void IResourceEventHandler.Listed(JsonElement item) => Set(item);

    void IResourceEventHandler.EndList() => usageCache.EndList();

    void IResourceEventHandler.Heard() => usageCache.Heard();

    void IResourceEventHandler.Interrupted() => usageCache.Interrupted();

    void IResourceEventHandler.Set(JsonElement item) => Set(item);

    void IResourceEventHandler.Deleted(JsonElement item)
    {
        if (ObjectMetadata.Uid(item) is { } uid)
        {
            usageCache.Set(uid, null);
        }
    }

    void IResourceEventHandler.Refused() => usageCache.Forget();

    void Set(JsonElement item)
    {
        if (ObjectMetadata.Uid(item) is { } uid)
        {
            usageCache.Set(uid, PodUsageReader.Read(item));
        }
    }
}
