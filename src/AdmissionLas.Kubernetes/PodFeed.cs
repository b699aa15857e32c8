using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>Keeps a <see cref="UsageLedger"/> up to date with the API server's pods. Those that have finished are not even sent.</summary>
public sealed class PodFeed : IFollower
{
    readonly ListWatch following;
    readonly UsageLedger ledger;

    /// <summary>Sets up the feed; <see cref="RunAsync"/> starts it.</summary>
    public PodFeed(KubeApi api, UsageLedger ledger, TimeProvider time, ILogger<PodFeed> log)
    {
        this.ledger = ledger;
        following = new ListWatch(api, FollowedResource.UnfinishedPods, this, time, log);
    }

    /// <inheritdoc cref="NodeFeed.Restarts"/>
    public long Restarts => following.Restarts;

    /// <summary>Runs until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => following.RunAsync(stop);

    int IFollower.Count => ledger.Count;

    void IFollower.BeginList() => ledger.BeginList();

    void IFollower.Listed(JsonElement item) => Set(item);

    void IFollower.EndList() => ledger.EndList();

    void IFollower.Heard() => ledger.Heard();

    void IFollower.Interrupted() => ledger.Interrupted();

    void IFollower.Set(JsonElement item) => Set(item);

    void IFollower.Deleted(JsonElement item)
    {
        if (ObjectMetadata.Uid(item) is { } uid)
        {
            ledger.Set(uid, null);
        }
    }

    void IFollower.Refused() => ledger.Forget();

    void Set(JsonElement item)
    {
        if (ObjectMetadata.Uid(item) is { } uid)
        {
            ledger.Set(uid, PodClaimReader.Read(item));
        }
    }
}
