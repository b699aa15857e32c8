namespace AdmissionLas.Certificates;

/// <summary>A copy of both stores in memory, for a dry run. Its replicas serve at once what is stored.</summary>
sealed class InMemoryCertificateStore : ICertificateStore, ICaBundleStore, IRotationLock
{
    readonly Dictionary<CertificateGroup, IReadOnlyDictionary<string, string>?> groups = [];
    readonly ICertificateStore certificates;
    readonly ICaBundleStore caBundles;
    IReadOnlyDictionary<string, TrustBundle?>? trusted;
    IReadOnlyList<Replica>? replicas;

    InMemoryCertificateStore(ICertificateStore certificates, ICaBundleStore caBundles) => (this.certificates, this.caBundles) = (certificates, caBundles);

    public string Place => caBundles.Place;

    public CancellationToken Lost => CancellationToken.None;

    internal static async Task<InMemoryCertificateStore> CopyAsync(ICertificateStore certificates, ICaBundleStore caBundles, CancellationToken stop)
    {
        var copy = new InMemoryCertificateStore(certificates, caBundles);
        foreach (var group in Enum.GetValues<CertificateGroup>())
        {
            copy.groups[group] = await certificates.ReadAsync(group, stop).ConfigureAwait(false);
        }

        copy.trusted = await caBundles.ReadAsync(stop).ConfigureAwait(false);
        copy.replicas = await caBundles.ReplicasAsync(stop).ConfigureAwait(false);
        return copy;
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
