using System.Net;
using AdmissionLas.Certificates;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// The lock of a rotation, as a Lease. Like client-go's leader election it never compares the clocks of two machines: a holder is gone when it has
/// not renewed the Lease for the Lease's duration, measured on this machine.
/// </summary>
sealed class RotationLease : IRotationLock
{
    static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);
    static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(4);
    static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    readonly KubeApi api;
    readonly TimeProvider time;
    readonly CancellationTokenSource lost = new();
    readonly CancellationTokenSource released = new();
    readonly Task renewal;
    V1Lease lease;

    RotationLease(KubeApi api, V1Lease lease, TimeProvider time)
    {
        (this.api, this.lease, this.time) = (api, lease, time);
        renewal = RenewAsync();
    }

    public CancellationToken Lost => lost.Token;

    internal static async Task<IRotationLock> AcquireAsync(KubeApi api, string namespaceName, string name, TimeProvider time, CancellationToken stop)
    {
        var identity = $"{Environment.MachineName}_{Guid.NewGuid():N}";
        (string? Holder, DateTime? RenewedAt, long Since) seen = default;
        while (true)
        {
            try
            {
                var lease = await api.FindAsync(ObjectKinds.Leases, namespaceName, name, stop).ConfigureAwait(false);
                var holder = lease?.Spec?.HolderIdentity;
                // The Lease changes, so its holder is alive.
                if (seen.Holder is not null && (holder != seen.Holder || lease?.Spec?.RenewTime != seen.RenewedAt))
                {
                    throw new RotationInProgressException($"another rotation is running: {seen.Holder} held the Lease {namespaceName}/{name} a moment ago; run this again when it is done");
                }

                if (lease is null || string.IsNullOrEmpty(holder) || IsGone())
                {
                    return new RotationLease(api, await TakeAsync(api, namespaceName, name, lease, identity, time, stop).ConfigureAwait(false), time);
                }

                seen = seen.Holder is null ? (holder, lease.Spec!.RenewTime, time.GetTimestamp()) : seen;
            }
            catch (HttpOperationException refused) when (refused.Is(HttpStatusCode.Conflict))
            {
                throw new RotationInProgressException($"another rotation has just taken the Lease {namespaceName}/{name}; run this again when it is done");
            }

            await Task.Delay(LookEvery, time, stop).ConfigureAwait(false);
        }

        bool IsGone() => seen.Holder is not null && time.GetElapsedTime(seen.Since) > Duration;
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
                var isTaken = fault is HttpOperationException refused && (refused.Is(HttpStatusCode.Conflict) || refused.Is(HttpStatusCode.NotFound));
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

    static async Task<V1Lease> TakeAsync(KubeApi api, string namespaceName, string name, V1Lease? lease, string identity, TimeProvider time, CancellationToken stop)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var spec = new V1LeaseSpec { HolderIdentity = identity, AcquireTime = now, RenewTime = now, LeaseDurationSeconds = (int)Duration.TotalSeconds };
        if (lease is not null)
        {
            spec.LeaseTransitions = (lease.Spec?.LeaseTransitions ?? 0) + 1;
            lease.Spec = spec;
            return await ReplaceAsync(api, lease, stop).ConfigureAwait(false);
        }

        var made = new V1Lease { ApiVersion = "coordination.k8s.io/v1", Kind = "Lease", Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = namespaceName }, Spec = spec };
        return await api.CreateAsync(ObjectKinds.Leases, namespaceName, made, stop).ConfigureAwait(false);
    }
}
