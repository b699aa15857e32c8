using System.Net;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;

namespace AdmissionLas.Server;

/// <summary>
/// A certificate for this machine's loopback and its authority, for the demo, tests and a control plane on the same machine. The authority's key
/// is discarded, so it can sign nothing else.
/// </summary>
sealed record DevelopmentCertificate(X509Certificate2 Authority, X509Certificate2 Leaf)
{
    static readonly CertificatePolicy Policy = new()
    {
        Subject = "CN=admission-las",
        AuthoritySubject = "CN=AdmissionLas development CA",
        DnsNames = ["localhost"],
        IpAddresses = [IPAddress.Loopback, IPAddress.IPv6Loopback],
        ServingLifetime = TimeSpan.FromDays(30),
        AuthorityLifetime = TimeSpan.FromDays(30),
    };

    /// <summary>Makes a certificate that is valid from now on.</summary>
    internal static DevelopmentCertificate Create(DateTimeOffset now)
    {
        var authority = Certificates.Authority.Create(Policy, now);
        var leaf = authority.Issue(Policy, now);
        return new DevelopmentCertificate(X509Certificate2.CreateFromPem(authority.Certificate.Pem), X509Certificate2.CreateFromPem(leaf.Certificate.Pem, leaf.KeyPem));
    }

    /// <summary>
    /// The certificate files in this directory; creates them when they are missing or about to expire. Only their owner can read the key.
    /// </summary>
    /// <returns>The paths of the certificate and of the key.</returns>
    /// <exception cref="IOException">Other users can change the directory; the message says what to do.</exception>
    internal static (string Certificate, string Key) InDirectory(string directory, DateTimeOffset now)
    {
        PrivateFiles.CreateDirectory(directory);
        var (certificate, key) = (Path.Combine(directory, "tls.crt"), Path.Combine(directory, "tls.key"));
        if (!File.Exists(key) || !IsValidAt(certificate, now + TimeSpan.FromDays(1)))
        {
            var made = Create(now);
            Write(key, made.Leaf.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
            Write(certificate, made.Leaf.ExportCertificatePem());
            Write(Path.Combine(directory, "ca.crt"), made.Authority.ExportCertificatePem());
        }

        return (certificate, key);

        static void Write(string file, string text)
        {
            File.Delete(file);
            PrivateFiles.Write(file, text);
        }
    }

    static bool IsValidAt(string certificateFile, DateTimeOffset when)
    {
        using var certificate = File.Exists(certificateFile) ? X509CertificateLoader.LoadCertificateFromFile(certificateFile) : null;
        return certificate is not null && certificate.NotBefore <= when && when < certificate.NotAfter;
    }
}
