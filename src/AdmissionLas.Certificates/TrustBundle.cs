namespace AdmissionLas.Certificates;

/// <summary>The authorities that a caller trusts, as a registration's <c>caBundle</c> holds them; equal when they hold the same authorities, in any order.</summary>
public sealed record TrustBundle
{
    /// <summary>No authority is trusted.</summary>
    public static readonly TrustBundle Empty = new([]);

    /// <summary>Trusts these authorities.</summary>
    public TrustBundle(IEnumerable<CertificateFacts> authorities) => Authorities = [.. authorities.DistinctBy(a => a.Fingerprint)];

    /// <summary>The authorities, the signer first.</summary>
    public IReadOnlyList<CertificateFacts> Authorities { get; }

    /// <summary>The certificates one after the other, PEM.</summary>
    public string Pem => string.Concat(Authorities.Select(a => a.Pem + "\n"));

    /// <summary>Reads a PEM text; one broken certificate makes the whole text broken.</summary>
    /// <returns>The bundle; <see langword="null"/> when the text is broken.</returns>
    public static TrustBundle? Read(string pem)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(pem);
            return certificates.Count == 0 && pem.AsSpan().Trim().Length > 0 ? null : new TrustBundle(certificates.Select(CertificateFacts.Of));
        }
        catch (CryptographicException)
        {
            return null;
        }
        finally
        {
            foreach (var certificate in certificates)
            {
                certificate.Dispose();
            }
        }
    }

    /// <summary>
    /// Whether a caller trusts the signer of a server's certificate: an authority that is valid now. The certificate's own validity and its names are
    /// not looked at.
    /// </summary>
    /// <param name="leaf">The server's certificate.</param>
    /// <param name="intermediates">The certificates that the server sends along.</param>
    /// <param name="now">The caller's clock.</param>
    public bool Trusts(X509Certificate2 leaf, IEnumerable<X509Certificate2> intermediates, DateTimeOffset now) =>
        Builds(leaf, intermediates, Authorities.Where(a => a.NotBefore <= now && now <= a.NotAfter));

    /// <summary>Whether one of the authorities signed it, valid now or not.</summary>
    public bool Signed(CertificateFacts served)
    {
        // The authorities' names are unique, so most answers need no look at a signature.
        var named = Authorities.Where(a => a.Subject == served.Issuer).ToList();
        if (named.Count == 0)
        {
            return false;
        }

        using var leaf = X509Certificate2.CreateFromPem(served.Pem);
        return Builds(leaf, [], named);
    }

    /// <inheritdoc/>
    public bool Equals(TrustBundle? other) => other is not null && Authorities.Select(a => a.Fingerprint).ToHashSet().SetEquals(other.Authorities.Select(a => a.Fingerprint));

    /// <inheritdoc/>
    public override int GetHashCode() => Authorities.Aggregate(0, (sum, a) => sum ^ a.GetHashCode());

    static bool Builds(X509Certificate2 leaf, IEnumerable<X509Certificate2> intermediates, IEnumerable<CertificateFacts> authorities)
    {
        X509Certificate2[] roots = [.. authorities.Select(a => X509Certificate2.CreateFromPem(a.Pem))];
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
                VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid,
                ApplicationPolicy = { new Oid(Authority.ServerAuthentication) },
            },
        };
        try
        {
            chain.ChainPolicy.CustomTrustStore.AddRange(roots);
            chain.ChainPolicy.ExtraStore.AddRange(intermediates.ToArray());
            return roots.Length > 0 && chain.Build(leaf);
        }
        finally
        {
            foreach (var root in roots)
            {
                root.Dispose();
            }
        }
    }
}
