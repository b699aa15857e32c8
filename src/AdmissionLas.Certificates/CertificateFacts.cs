using System.Formats.Asn1;

namespace AdmissionLas.Certificates;

/// <summary>What is shown and compared of a certificate; equal when the certificates are the same.</summary>
/// <param name="Pem">The certificate itself.</param>
/// <param name="Subject">Its distinguished name.</param>
/// <param name="Issuer">The distinguished name of its signer.</param>
/// <param name="Fingerprint">SHA-256 of its bytes, hexadecimal.</param>
/// <param name="NotBefore">The start of its validity, UTC.</param>
/// <param name="NotAfter">The end of its validity, UTC.</param>
public sealed record CertificateFacts(string Pem, string Subject, string Issuer, string Fingerprint, DateTimeOffset NotBefore, DateTimeOffset NotAfter)
{
    /// <summary>When it is due for renewal: after two thirds of its life.</summary>
    public DateTimeOffset RenewalDueAt => NotBefore + (NotAfter - NotBefore) * CertificatePolicy.RenewalShare;

    /// <summary>Reads the first certificate of a PEM text.</summary>
    /// <exception cref="CryptographicException">There is none, or it is broken.</exception>
    public static CertificateFacts Of(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return Of(certificate);
    }

    /// <summary>Reads a certificate.</summary>
    public static CertificateFacts Of(X509Certificate2 certificate) => new(
        certificate.ExportCertificatePem(),
        certificate.Subject,
        certificate.Issuer,
        certificate.GetCertHashString(HashAlgorithmName.SHA256),
        certificate.NotBefore.ToUniversalTime(),
        certificate.NotAfter.ToUniversalTime());

    /// <summary>The DNS names and IP addresses that it is for.</summary>
    public IReadOnlyList<string> Names()
    {
        using var certificate = X509Certificate2.CreateFromPem(Pem);
        try
        {
            var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
            return names is null ? [] : [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(a => a.ToString())];
        }
        catch (Exception fault) when (fault is CryptographicException or AsnContentException)
        {
            return [];
        }
    }

    /// <summary>Whether both are the same certificate.</summary>
    public bool Equals(CertificateFacts? other) => other is not null && Fingerprint == other.Fingerprint;

    /// <inheritdoc/>
    public override int GetHashCode() => Fingerprint.GetHashCode(StringComparison.Ordinal);
}
