using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.Hosting;

/// <summary>
/// A certificate for this machine's loopback and the authority that signed it, for the demo, tests and a control plane on the same machine.
/// The authority's key is thrown away at once, so nothing else can ever be signed with it.
/// </summary>
sealed record DevelopmentCertificate(X509Certificate2 Authority, X509Certificate2 Leaf)
{
    const string AuthorityFile = "ca.crt";
    const string CertificateFile = "tls.crt";
    const string KeyFile = "tls.key";
    const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    static readonly TimeSpan Lifetime = TimeSpan.FromDays(30);
    static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    /// <summary>Makes one that is valid from now on.</summary>
    internal static DevelopmentCertificate Create(DateTimeOffset now)
    {
        var (from, to) = (now - ClockSkew, now + Lifetime);
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=AdmissionLas development CA", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        authorityRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var authority = authorityRequest.CreateSelfSigned(from, to);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=admission-las", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        names.AddIpAddress(IPAddress.IPv6Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ServerAuthentication)], false));
        using var signed = request.Create(authority, from, to, RandomNumberGenerator.GetBytes(16));
        return new DevelopmentCertificate(X509CertificateLoader.LoadCertificate(authority.Export(X509ContentType.Cert)), signed.CopyWithPrivateKey(key));
    }

    /// <summary>
    /// The files of a certificate in this directory; makes them when they are missing or about to expire. The key is readable by its owner alone.
    /// </summary>
    /// <returns>The certificate's and the key's file.</returns>
    internal static (string Certificate, string Key) InDirectory(string directory, DateTimeOffset now)
    {
        var (certificate, key) = (Path.Combine(directory, CertificateFile), Path.Combine(directory, KeyFile));
        if (!File.Exists(key) || !IsValidAt(certificate, now + TimeSpan.FromDays(1)))
        {
            Directory.CreateDirectory(directory);
            var made = Create(now);
            File.Delete(key);
            var access = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                access.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var file = new StreamWriter(key, access))
            {
                file.Write(made.Leaf.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
            }

            File.WriteAllText(certificate, made.Leaf.ExportCertificatePem());
            File.WriteAllText(Path.Combine(directory, AuthorityFile), made.Authority.ExportCertificatePem());
        }

        return (certificate, key);
    }

    static bool IsValidAt(string certificateFile, DateTimeOffset when)
    {
        if (!File.Exists(certificateFile))
        {
            return false;
        }

        using var certificate = X509CertificateLoader.LoadCertificateFromFile(certificateFile);
        return certificate.NotBefore <= when && when < certificate.NotAfter;
    }
}
