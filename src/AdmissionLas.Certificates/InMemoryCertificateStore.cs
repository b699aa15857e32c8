namespace AdmissionLas.Certificates;

/// <summary>A copy of both stores in memory, for a dry run. Its replicas serve at once what is stored.</summary>
sealed class InMemoryCertificateStore(
    ICertificateStore certificates,
    ICaBundleStore caBundles,
    Dictionary<CertificateGroup, IReadOnlyDictionary<string, string>?> groups,
    IReadOnlyDictionary<string, TrustBundle?>? trusted,
    IReadOnlyList<Replica>? replicas) : ICertificateStore, ICaBundleStore, IRotationLock
{
    public string Place => caBundles.Place;

    internal static async Task<InMemoryCertificateStore> CopyAsync(ICertificateStore certificates, ICaBundleStore caBundles, CancellationToken stop)
    {
        Dictionary<CertificateGroup, IReadOnlyDictionary<string, string>?> groups = [];
        foreach (var group in Enum.GetValues<CertificateGroup>())
        {
            groups[group] = await certificates.ReadAsync(group, stop).ConfigureAwait(false);
        }

        var trusted = await caBundles.ReadAsync(stop).ConfigureAwait(false);
        return new InMemoryCertificateStore(certificates, caBundles, groups, trusted, await caBundles.ReplicasAsync(stop).ConfigureAwait(false));
    }

    public string PlaceOf(CertificateGroup group) => certificates.PlaceOf(group);

    public Task<IReadOnlyDictionary<string, string>?> ReadAsync(CertificateGroup group, CancellationToken stop) => Task.FromResult(groups[group]);

    public Task WriteAsync(CertificateGroup group, IReadOnlyDictionary<string, string> texts, CancellationToken stop)
    {
        groups[group] = texts;
        if (group == CertificateGroup.Serving)
        {
            var served = CertificateFacts.Of(texts[StoredCertificates.ServingCertificate]);
            replicas = replicas?.Select(r => r with { Served = served, Fault = null }).ToList();
        }

        return Task.CompletedTask;
    }

    public Task<IRotationLock> LockAsync(CancellationToken stop) => Task.FromResult<IRotationLock>(this);

    public Task<IReadOnlyDictionary<string, TrustBundle?>?> ReadAsync(CancellationToken stop) => Task.FromResult(trusted);

    public Task WriteAsync(TrustBundle bundle, CancellationToken stop)
    {
        trusted = trusted?.Keys.ToDictionary(caller => caller, _ => (TrustBundle?)bundle);
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<Replica>?> ReplicasAsync(CancellationToken stop) => Task.FromResult(replicas);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
