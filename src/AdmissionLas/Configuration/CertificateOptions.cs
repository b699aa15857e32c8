using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;

namespace AdmissionLas.Configuration;

/// <summary>The policy for certificates; section <c>certificates</c> of <c>certs/policy.yaml</c>.</summary>
sealed class CertificateOptions
{
    internal const string Section = "certificates";

    /// <summary>The serving certificate's distinguished name.</summary>
    [Required]
    public string Subject { get; set; } = "";

    /// <summary>The authority's distinguished name.</summary>
    [Required]
    public string AuthoritySubject { get; set; } = "CN=AdmissionLas CA";

    /// <summary>The DNS names that the serving certificate is for.</summary>
    public IList<string> DnsNames { get; set; } = [];

    /// <summary>The IP addresses that the serving certificate is for.</summary>
    public IList<string> IpAddresses { get; set; } = [];

    /// <summary>The keys' type.</summary>
    public KeyType KeyType { get; set; } = KeyType.EcdsaP256;

    /// <summary>How long a serving certificate is valid, days.</summary>
    [Range(1, 825)]
    public int ServingDays { get; set; } = 90;

    /// <summary>How long an authority is valid, days.</summary>
    [Range(3, 7320)]
    public int AuthorityDays { get; set; } = 1826;

    /// <summary>The policy of these options.</summary>
    /// <exception cref="OptionsValidationException">They have faults; each is listed with its key.</exception>
    internal CertificatePolicy ToPolicy()
    {
        string[] faults =
        [
            .. new OptionsRules().Validate(null, this).Failures ?? [],
            .. NotDistinguished("subject", Subject),
            .. NotDistinguished("authoritySubject", AuthoritySubject),
            .. DnsNames.Where(n => Uri.CheckHostName(n.StartsWith("*.", StringComparison.Ordinal) ? n[2..] : n) != UriHostNameType.Dns)
                .Select(n => $"certificates.dnsNames: \"{n}\" is not a DNS name"),
            .. IpAddresses.Where(a => !IPAddress.TryParse(a, out _)).Select(a => $"certificates.ipAddresses: \"{a}\" is not an IP address"),
        ];
        if (DnsNames.Count + IpAddresses.Count == 0)
        {
            faults = [.. faults, "certificates.dnsNames: there is no name; write for example admission-las.admission-las.svc, the name that the API server calls"];
        }

        // An authority signs during two thirds of its life, and nothing that it signs may outlive it.
        if (AuthorityDays < 3 * ServingDays)
        {
            faults = [.. faults, $"certificates.authorityDays: {AuthorityDays} is too short for serving certificates of {ServingDays} days; write at least {3 * ServingDays}"];
        }

        return faults.Length > 0 ? throw OptionsRules.Refused(faults) : new CertificatePolicy
        {
            Subject = Subject,
            AuthoritySubject = AuthoritySubject,
            DnsNames = [.. DnsNames],
            IpAddresses = [.. IpAddresses.Select(IPAddress.Parse)],
            KeyType = KeyType,
            ServingLifetime = TimeSpan.FromDays(ServingDays),
            AuthorityLifetime = TimeSpan.FromDays(AuthorityDays),
        };
    }

    static IEnumerable<string> NotDistinguished(string key, string name)
    {
        try
        {
            return name.Length == 0 || new X500DistinguishedName(name).RawData.Length > 0 ? [] : [Fault()];
        }
        catch (CryptographicException)
        {
            return [Fault()];
        }

        string Fault() => $"certificates.{key}: \"{name}\" is not a distinguished name; write for example CN=admission-las.admission-las.svc";
    }
}
