using System.Collections.Concurrent;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Certificate;
using Microsoft.Extensions.Options;

namespace AdmissionLas.Server;

/// <summary>
/// Callers that must show who they are: the handshake refuses everyone without a client certificate of the admin's own authority, and the
/// allow-list everyone with another name, because a cluster's authority signs many client certificates.
/// </summary>
/// <remarks>
/// The one place that knows how client certificates are checked: by Kestrel in the handshake, so that a stranger gets no further, and by
/// Microsoft.AspNetCore.Authentication.Certificate with each review, so that a connection does not outlive the authority it came with.
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

    /// <summary>Sets up what <see cref="IsAllowedAsync"/> asks.</summary>
    /// <param name="services">Where it is added.</param>
    /// <param name="allowed">The names that may call: common names or DNS names.</param>
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
        services.AddSingleton<ICertificateValidationCache, KnownCallers>();
        services.AddOptions<CertificateAuthenticationOptions>(CertificateAuthenticationDefaults.AuthenticationScheme)
            .Configure<ServingTls>((options, tls) => options.CustomTrustStore = tls.Current.ClientAuthorities);
    }

    /// <summary>Makes a changed authority count for the connections that are open.</summary>
    internal static void FollowClientAuthorities(this IServiceProvider services)
    {
        var known = services.GetRequiredService<IOptionsMonitorCache<CertificateAuthenticationOptions>>();
        services.GetRequiredService<ServingTls>().Changed += () => known.TryRemove(CertificateAuthenticationDefaults.AuthenticationScheme);
    }

    /// <summary>Whether the caller showed a certificate of the authority in force that bears one of the names.</summary>
    internal static async ValueTask<bool> IsAllowedAsync(HttpContext http) =>
        (await http.AuthenticateAsync(CertificateAuthenticationDefaults.AuthenticationScheme).ConfigureAwait(false)).Succeeded;

    static bool HasNameOf(X509Certificate2 caller, IList<string> allowed) =>
        allowed.Contains(CommonName(caller)) ||
        caller.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault()?.EnumerateDnsNames().Any(allowed.Contains) == true;

    /// <summary>The name under which a caller is told of.</summary>
    internal static string CommonName(X509Certificate2 caller) => caller.GetNameInfo(X509NameType.SimpleName, forIssuer: false);

    /// <summary>
    /// Who was accepted under the authority in force. To build a chain costs more than a review, and an API server calls with the same
    /// certificate for months; the package's own cache would keep a caller for as long as it goes on calling.
    /// </summary>
    sealed class KnownCallers(ServingTls tls, TimeProvider time) : ICertificateValidationCache
    {
        // There are as many as a cluster has API servers.
        const int Most = 64;

        readonly ConditionalWeakTable<ServingCertificate, ConcurrentDictionary<string, AuthenticateResult>> known = [];

        public AuthenticateResult? Get(HttpContext context, X509Certificate2 certificate) =>
            time.GetUtcNow() < certificate.NotAfter && known.TryGetValue(tls.Current, out var callers) ? callers.GetValueOrDefault(certificate.Thumbprint) : null;

        public void Put(HttpContext context, X509Certificate2 certificate, AuthenticateResult result)
        {
            var callers = known.GetOrCreateValue(tls.Current);
            if (result.Succeeded && callers.Count < Most)
            {
                callers[certificate.Thumbprint] = result;
            }
        }
    }
}
