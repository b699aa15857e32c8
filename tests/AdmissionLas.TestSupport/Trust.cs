using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.TestSupport;

/// <summary>What a client of TLS trusts.</summary>
static class Trust
{
    /// <summary>These authorities and nothing else.</summary>
    internal static SslClientAuthenticationOptions In(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(authorities);
        return new() { CertificateChainPolicy = policy };
    }
}
