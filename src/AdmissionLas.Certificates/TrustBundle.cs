using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.Certificates;

/// <summary>The authorities that a caller trusts, as a registration's <c>caBundle</c> holds them; equal when they are the same, in any order.</summary>
public sealed class TrustBundle : IEquatable<TrustBundle>
{
    /// <summary>Nobody is trusted.</summary>
    public static readonly TrustBundle Empty = new([]);

    /// <summary>Trusts these authorities.</summary>
    public TrustBundle(IEnumerable<CertificateFacts> authorities) => Authorities = [.. authorities.DistinctBy(a => a.Fingerprint)];

    /// <summary>The authorities, the signer first.</summary>
    public IReadOnlyList<CertificateFacts> Authorities { get; }

    /// <summary>The certificates one after the other, PEM.</summary>
    public string Pem => string.Concat(Authorities.Select(a => a.Pem + "\n"));

    /// <summary>Reads a PEM text; what is no certificate in it makes the whole text nobody's bundle.</summary>
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

    /// <summary>Whether a server with this certificate is trusted: signed by one of the authorities, valid, and for this host.</summary>
    /// <param name="served">The server's certificate.</param>
    /// <param name="host">The name that the caller uses.</param>
    /// <param name="now">The caller's clock.</param>
    public bool Accepts(CertificateFacts served, string host, DateTimeOffset now)
    {
        using var leaf = X509Certificate2.CreateFromPem(served.Pem);
        return leaf.MatchesHostname(host) && Builds(leaf, Authorities, now, X509VerificationFlags.NoFlag);
    }

    /// <summary>Whether one of the authorities signed it, now valid or not.</summary>
    public bool Signed(CertificateFacts served)
    {
        // Their names are unique, so most answers need no look at a signature.
        var named = Authorities.Where(a => a.Subject == served.Issuer).ToList();
        if (named.Count == 0)
        {
            return false;
        }

        using var leaf = X509Certificate2.CreateFromPem(served.Pem);
        return Builds(leaf, named, served.NotBefore, X509VerificationFlags.IgnoreNotTimeValid);
    }

    /// <inheritdoc/>
    public bool Equals(TrustBundle? other) => other is not null && Authorities.Select(a => a.Fingerprint).ToHashSet().SetEquals(other.Authorities.Select(a => a.Fingerprint));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TrustBundle);

    /// <inheritdoc/>
    public override int GetHashCode() => Authorities.Aggregate(0, (sum, a) => sum ^ a.GetHashCode());

    static bool Builds(X509Certificate2 leaf, IReadOnlyList<CertificateFacts> authorities, DateTimeOffset at, X509VerificationFlags flags)
    {
        var roots = new X509Certificate2Collection();
        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
                VerificationTime = at.UtcDateTime,
                VerificationTimeIgnored = false,
                VerificationFlags = flags,
            },
        };
        try
        {
            foreach (var authority in authorities)
            {
                roots.Add(X509Certificate2.CreateFromPem(authority.Pem));
            }

            chain.ChainPolicy.CustomTrustStore.AddRange(roots);
            return authorities.Count > 0 && chain.Build(leaf);
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
