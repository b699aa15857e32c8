using AdmissionLas.Certificates;
using k8s;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// The lock of a rotation, as a Lease. Like client-go's leader election it never compares the clocks of two machines: a holder is gone when it has
/// not renewed the Lease for the Lease's duration, measured on this machine.
/// </summary>
sealed class RotationLease(KubeApi api, V1Lease lease, TimeProvider time) : IRotationLock
{
    static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);
    static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(4);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    readonly CancellationTokenSource lost = new();
    readonly CancellationTokenSource released = new();
    Task renewal = Task.CompletedTask;

    public CancellationToken Lost => lost.Token;

    internal static async Task<IRotationLock> AcquireAsync(KubeApi api, string namespaceName, string name, TimeProvider time, CancellationToken stop)
    {
        var identity = $"{Environment.MachineName}_{Guid.NewGuid():N}";
        (string Holder, DateTime? RenewedAt, long Since)? seen = null;
        while (true)
        {
            try
            {
                var lease = await api.FindAsync(ObjectKinds.Leases, namespaceName, name, stop).ConfigureAwait(false);
                var (holder, renewedAt) = (lease?.Spec?.HolderIdentity, lease?.Spec?.RenewTime);
                // The Lease changes, so its holder is alive.
                if (seen is { } before && (holder, renewedAt) != (before.Holder, before.RenewedAt))
                {
                    throw new RotationInProgressException($"another rotation is running: {before.Holder} held the Lease {namespaceName}/{name} a moment ago; run this again when it is done");
                }

                if (string.IsNullOrEmpty(holder) || (seen is { } gone && time.GetElapsedTime(gone.Since) > Duration))
                {
                    var held = new RotationLease(api, await TakeAsync(api, namespaceName, name, lease, identity, time, stop).ConfigureAwait(false), time);
                    held.renewal = held.RenewAsync();
                    return held;
                }

                seen ??= (holder, renewedAt, time.GetTimestamp());
            }
            catch (HttpOperationException refused) when (refused is { Response.StatusCode: HttpStatusCode.Conflict })
            {
                throw new RotationInProgressException($"another rotation has just taken the Lease {namespaceName}/{name}; run this again when it is done");
            }

            await Task.Delay(LookEvery, time, stop).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await released.CancelAsync().ConfigureAwait(false);
        await renewal.ConfigureAwait(false);
        if (!lost.IsCancellationRequested)
        {
            lease.Spec.HolderIdentity = "";
            try
            {
                await ReplaceAsync(api, lease, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception fault) when (fault is HttpOperationException or HttpRequestException or TimeoutException)
            {
                // The Lease expires by itself.
            }
        }

        lost.Dispose();
        released.Dispose();
    }

    async Task RenewAsync()
    {
        var renewedAt = time.GetTimestamp();
        while (true)
        {
            try
            {
                await Task.Delay(RenewEvery, time, released.Token).ConfigureAwait(false);
                lease.Spec.RenewTime = time.GetUtcNow().UtcDateTime;
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(released.Token);
                patience.CancelAfter(RenewEvery);
                lease = await ReplaceAsync(api, lease, patience.Token).ConfigureAwait(false);
                renewedAt = time.GetTimestamp();
            }
            catch (OperationCanceledException) when (released.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is HttpOperationException or HttpRequestException or OperationCanceledException)
            {
                var isTaken = fault is HttpOperationException { Response.StatusCode: HttpStatusCode.Conflict or HttpStatusCode.NotFound };
                // Otherwise try again until another rotation may take the Lease.
                if (isTaken || time.GetElapsedTime(renewedAt) > Duration - RenewEvery)
                {
                    await lost.CancelAsync().ConfigureAwait(false);
                    return;
                }
            }
        }
    }

    static Task<V1Lease> ReplaceAsync(KubeApi api, V1Lease lease, CancellationToken stop) =>
        api.ReplaceAsync(ObjectKinds.Leases, lease.Namespace(), lease.Name(), lease, stop);

    static Task<V1Lease> TakeAsync(KubeApi api, string namespaceName, string name, V1Lease? lease, string identity, TimeProvider time, CancellationToken stop)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var taken = lease ?? new V1Lease
        {
            ApiVersion = "coordination.k8s.io/v1",
            Kind = "Lease",
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = namespaceName },
        };
        taken.Spec = new V1LeaseSpec
        {
            HolderIdentity = identity,
            AcquireTime = now,
            RenewTime = now,
            LeaseDurationSeconds = (int)Duration.TotalSeconds,
            LeaseTransitions = lease is null ? null : (lease.Spec?.LeaseTransitions ?? 0) + 1,
        };
        return lease is null ? api.CreateAsync(ObjectKinds.Leases, namespaceName, taken, stop) : ReplaceAsync(api, taken, stop);
    }
}
