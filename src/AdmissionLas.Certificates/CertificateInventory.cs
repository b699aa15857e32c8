namespace AdmissionLas.Certificates;

/// <summary>What the stores hold, as it was read.</summary>
/// <param name="Authorities">The authorities; <see langword="null"/> when there are no usable ones.</param>
/// <param name="Serving">The serving certificate; <see langword="null"/> when there is no usable one.</param>
/// <param name="Trusted">See <see cref="ICaBundleStore.ReadAsync"/>.</param>
/// <param name="Faults">What is stored and unusable, for messages.</param>
public sealed record CertificateInventory(
    Authorities? Authorities, KeyPair? Serving, IReadOnlyDictionary<string, TrustBundle?>? Trusted, IReadOnlyList<string> Faults)
{
    /// <summary>Reads both stores.</summary>
    public static async Task<CertificateInventory> ReadAsync(ICertificateStore certificates, ICaBundleStore caBundles, CancellationToken stop)
    {
        List<string> faults = [];
        Authorities? authorities = null;
        KeyPair? serving = null;
        if (await certificates.ReadAsync(CertificateGroup.Authorities, stop).ConfigureAwait(false) is { } kept)
        {
            authorities = StoredCertificates.ReadAuthorities(kept, out var fault);
            Note(CertificateGroup.Authorities, fault);
        }

        if (await certificates.ReadAsync(CertificateGroup.Serving, stop).ConfigureAwait(false) is { } served)
        {
            serving = StoredCertificates.ReadServing(served, out var fault);
            Note(CertificateGroup.Serving, fault);
        }

        return new CertificateInventory(authorities, serving, await caBundles.ReadAsync(stop).ConfigureAwait(false), faults);

        void Note(CertificateGroup group, string? fault)
        {
            if (fault is not null)
            {
                faults.Add($"{certificates.PlaceOf(group)}: {fault}");
            }
        }
    }
}
