using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>Keeps a <see cref="NodeUsageCache"/> up to date with the API server's pods that have not finished.</summary>
public sealed class PodInformer : IResourceEventHandler
{
    readonly Reflector reflector;
    readonly NodeUsageCache usageCache;
    readonly Func<JsonElement, PodUsage, bool> isTrusted;

    /// <summary>Sets up the informer; <see cref="RunAsync"/> starts it.</summary>
    /// <param name="api">The API server.</param>
    /// <param name="usageCache">Where the pods count.</param>
    /// <param name="isTrusted">Whether a pod that waits may count on the node that its annotation names: anybody who creates pods can write it.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where interruptions are told.</param>
    public PodInformer(KubeApi api, NodeUsageCache usageCache, Func<JsonElement, PodUsage, bool> isTrusted, TimeProvider time, ILogger<PodInformer> log)
    {
        (this.usageCache, this.isTrusted) = (usageCache, isTrusted);
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
            var usage = PodUsageReader.Read(item);
            usageCache.Set(uid, usage?.WaitingSince is null || isTrusted(item, usage) ? usage : null);
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
