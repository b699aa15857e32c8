using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Certificate;

namespace AdmissionLas.Server;

/// <summary>
/// How client certificates are checked. Kestrel refuses a handshake without a certificate of the admin's own authority.
/// Microsoft.AspNetCore.Authentication.Certificate checks the name, because a cluster's authority signs many client certificates, and checks the
/// chain again after the authorities change, so that a connection does not outlive its authority.
/// </summary>
static class ClientCertificates
{
    const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>Refuses handshakes without a certificate for client authentication that chains to one of the authorities.</summary>
    internal static void RequireClientCertificates(this SslServerAuthenticationOptions tls, X509Certificate2Collection authorities)
    {
        // Only these authorities count, and not the machine's own list of roots.
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
        // A resumed session would outlive the authority that was checked when it began.
        tls.AllowTlsResume = false;
    }

    /// <summary>Registers the check of <see cref="IsAllowedAsync"/>.</summary>
    /// <param name="services">The server's services.</param>
    /// <param name="allowed">The common names or DNS names of the callers that are allowed.</param>
    internal static void AddClientCertificates(this IServiceCollection services, IList<string> allowed)
    {
        services.AddAuthentication(CertificateAuthenticationDefaults.AuthenticationScheme)
            .AddCertificate(options =>
            {
                options.AllowedCertificateTypes = CertificateTypes.Chained;
                options.ChainTrustValidationMode = X509ChainTrustMode.CustomRootTrust;
                options.RevocationMode = X509RevocationMode.NoCheck;
                options.Events = new CertificateAuthenticationEvents
                {
                    OnCertificateValidated = context =>
                    {
                        if (!HasNameOf(context.ClientCertificate, allowed))
                        {
                            context.Fail("not on the list");
                        }

                        return Task.CompletedTask;
                    },
                };
            });
        services.AddSingleton<ICertificateValidationCache, ConnectionResults>();
        services.AddOptions<CertificateAuthenticationOptions>(CertificateAuthenticationDefaults.AuthenticationScheme)
            .Configure<ServingTls>((options, tls) => options.CustomTrustStore = tls.Current.ClientAuthorities);
    }

    /// <summary>Applies changed authorities to open connections too.</summary>
    internal static void FollowClientAuthorities(this IServiceProvider services)
    {
        var known = services.GetRequiredService<IOptionsMonitorCache<CertificateAuthenticationOptions>>();
        services.GetRequiredService<ServingTls>().Changed += () => known.TryRemove(CertificateAuthenticationDefaults.AuthenticationScheme);
    }

    /// <summary>Whether the caller's certificate is of an authority in force and has one of the allowed names.</summary>
    internal static async ValueTask<bool> IsAllowedAsync(HttpContext http) =>
        (await http.AuthenticateAsync(CertificateAuthenticationDefaults.AuthenticationScheme).ConfigureAwait(false)).Succeeded;

    static bool HasNameOf(X509Certificate2 caller, IList<string> allowed) =>
        allowed.Contains(CommonName(caller)) ||
        caller.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault()?.EnumerateDnsNames().Any(allowed.Contains) == true;

    /// <summary>The name of a caller in messages.</summary>
    internal static string CommonName(X509Certificate2 caller) => caller.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    /// <summary>
    /// Keeps what the package found with the certificate that the connection came with, for as long as its authorities are in force: to build a chain
    /// costs more than a review. The package's own cache would accept a caller for up to 30 minutes after its authority is removed.
    /// </summary>
    sealed class ConnectionResults(ServingTls tls, TimeProvider time) : ICertificateValidationCache
    {
        // By reference: the handshake makes one certificate object for each connection.
        readonly ConditionalWeakTable<X509Certificate2, Tuple<ServingCertificate, AuthenticateResult>> results = [];

        public AuthenticateResult? Get(HttpContext context, X509Certificate2 certificate) =>
            results.TryGetValue(certificate, out var found) && found.Item1 == tls.Current && time.GetUtcNow() < certificate.NotAfter ? found.Item2 : null;

        public void Put(HttpContext context, X509Certificate2 certificate, AuthenticateResult result) =>
            results.AddOrUpdate(certificate, Tuple.Create(tls.Current, result));
    }
}
