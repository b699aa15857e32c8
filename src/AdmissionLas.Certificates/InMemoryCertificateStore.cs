namespace AdmissionLas.Certificates;

/// <summary>A copy of a vault and its callers in memory, where a plan can be tried. Replicas there serve what is stored at once.</summary>
sealed class InMemoryCertificateStore : ICertificateStore, ICaBundleStore, IRotationLock
{
    readonly Dictionary<CertificateGroup, IReadOnlyDictionary<string, string>?> groups = [];
    readonly ICertificateStore vault;
    readonly ICaBundleStore trust;
    IReadOnlyDictionary<string, TrustBundle?>? trusted;
    IReadOnlyList<Replica>? replicas;

    InMemoryCertificateStore(ICertificateStore vault, ICaBundleStore trust) => (this.vault, this.trust) = (vault, trust);

    public string Place => trust.Place;

    public CancellationToken Lost => CancellationToken.None;

    internal static async Task<InMemoryCertificateStore> CopyAsync(ICertificateStore vault, ICaBundleStore trust, CancellationToken stop)
    {
        var copy = new InMemoryCertificateStore(vault, trust);
        foreach (var group in Enum.GetValues<CertificateGroup>())
        {
            copy.groups[group] = await vault.ReadAsync(group, stop).ConfigureAwait(false);
        }

        copy.trusted = await trust.ReadAsync(stop).ConfigureAwait(false);
        copy.replicas = await trust.ReplicasAsync(stop).ConfigureAwait(false);
        return copy;
    }

    public string PlaceOf(CertificateGroup group) => vault.PlaceOf(group);

    public Task<IReadOnlyDictionary<string, string>?> ReadAsync(CertificateGroup group, CancellationToken stop) => Task.FromResult(groups[group]);

    public Task WriteAsync(CertificateGroup group, IReadOnlyDictionary<string, string> texts, CancellationToken stop)
    {
        groups[group] = texts;
        if (group == CertificateGroup.Serving && VaultFormat.ReadServing(texts, out _) is { } serving)
        {
            replicas = replicas?.Select(r => r with { Served = serving.Certificate, Fault = null }).ToList();
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
