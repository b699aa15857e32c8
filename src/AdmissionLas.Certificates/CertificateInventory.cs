namespace AdmissionLas.Certificates;

/// <summary>What is stored and who is trusted, as it was found.</summary>
/// <param name="Authorities">The authorities; <see langword="null"/> when there are none that can be used.</param>
/// <param name="Serving">The serving certificate; <see langword="null"/> when there is none that can be used.</param>
/// <param name="Trusted">See <see cref="ICaBundleStore.ReadAsync"/>.</param>
/// <param name="Faults">What is there and cannot be used, in words.</param>
public sealed record CertificateInventory(
    Authorities? Authorities, KeyPair? Serving, IReadOnlyDictionary<string, TrustBundle?>? Trusted, IReadOnlyList<string> Faults)
{
    /// <summary>Looks at all of it.</summary>
    public static async Task<CertificateInventory> ReadAsync(ICertificateStore vault, ICaBundleStore trust, CancellationToken stop)
    {
        List<string> faults = [];
        Authorities? authorities = null;
        KeyPair? serving = null;
        if (await vault.ReadAsync(CertificateGroup.Authorities, stop).ConfigureAwait(false) is { } kept)
        {
            authorities = VaultFormat.ReadAuthorities(kept, out var fault);
            Note(CertificateGroup.Authorities, fault);
        }

        if (await vault.ReadAsync(CertificateGroup.Serving, stop).ConfigureAwait(false) is { } served)
        {
            serving = VaultFormat.ReadServing(served, out var fault);
            Note(CertificateGroup.Serving, fault);
        }

        return new CertificateInventory(authorities, serving, await trust.ReadAsync(stop).ConfigureAwait(false), faults);

        void Note(CertificateGroup group, string? fault)
        {
            if (fault is not null)
            {
                faults.Add($"{vault.PlaceOf(group)}: {fault}");
            }
        }
    }
}
