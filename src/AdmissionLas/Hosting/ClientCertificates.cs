using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.Hosting;

/// <summary>
/// Callers that must show who they are: the handshake refuses everyone without a client certificate of the admin's own authority, and the
/// allow-list everyone with another name, because a cluster's authority signs many client certificates.
/// </summary>
/// <remarks>
/// The one place that knows how client certificates are checked: Kestrel's own validation against a private trust root.
/// Microsoft.AspNetCore.Authentication.Certificate would take the place of these two methods.
/// </remarks>
static class ClientCertificates
{
    const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>Refuses handshakes without a certificate for client authentication that chains to one of the authorities.</summary>
    internal static void RequireClientCertificates(this SslServerAuthenticationOptions tls, X509Certificate2Collection authorities)
    {
        // Nobody but these authorities: the machine's own list of roots has no say.
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(authorities);
        policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        tls.ClientCertificateRequired = true;
        tls.CertificateChainPolicy = policy;
        // A resumed session would outlive the authority that it was checked against.
        tls.AllowTlsResume = false;
    }

    /// <summary>Whether the caller's common name or one of its DNS names is on the list.</summary>
    /// <param name="caller">What the handshake accepted; <see langword="null"/> when the caller showed nothing.</param>
    /// <param name="allowed">The names.</param>
    internal static bool IsAllowed(X509Certificate2? caller, IList<string> allowed)
    {
        if (caller is null)
        {
            return false;
        }

        if (allowed.Contains(CommonName(caller)))
        {
            return true;
        }

        var names = caller.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        return names is not null && names.EnumerateDnsNames().Any(allowed.Contains);
    }

    /// <summary>The name under which a caller is told of.</summary>
    internal static string CommonName(X509Certificate2 caller) => caller.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
}
