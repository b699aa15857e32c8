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
        var authorities = await UsableAsync(CertificateGroup.Authorities, StoredCertificates.ReadAuthorities).ConfigureAwait(false);
        var serving = await UsableAsync(CertificateGroup.Serving, StoredCertificates.ReadServing).ConfigureAwait(false);
        return new CertificateInventory(authorities, serving, await caBundles.ReadAsync(stop).ConfigureAwait(false), faults);

        // With a fault in one of the authorities there are none: new ones are made then, and those that callers trust stay trusted.
        async Task<T?> UsableAsync<T>(CertificateGroup group, Func<IReadOnlyDictionary<string, string>, T> read) where T : class
        {
            var texts = await certificates.ReadAsync(group, stop).ConfigureAwait(false);
            try
            {
                return texts is null ? null : read(texts);
            }
            catch (InvalidDataException fault)
            {
                faults.Add($"{certificates.PlaceOf(group)}: {fault.Message}");
                return null;
            }
        }
    }
}
