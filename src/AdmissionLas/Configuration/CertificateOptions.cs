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
        const string NotDistinguished = "is not a distinguished name; write for example CN=admission-las.admission-las.svc";
        string[] faults =
        [
            .. new OptionsRules().Validate(null, this).Failures ?? [],
            .. Fault(!IsDistinguishedName(Subject), $"subject: \"{Subject}\" {NotDistinguished}"),
            .. Fault(!IsDistinguishedName(AuthoritySubject), $"authoritySubject: \"{AuthoritySubject}\" {NotDistinguished}"),
            .. DnsNames.SelectMany(n => Fault(!IsDnsName(n), $"dnsNames: \"{n}\" is not a DNS name")),
            .. IpAddresses.SelectMany(a => Fault(!IPAddress.TryParse(a, out _), $"ipAddresses: \"{a}\" is not an IP address")),
            .. Fault(
                DnsNames.Count + IpAddresses.Count == 0,
                "dnsNames: there is no name; write for example admission-las.admission-las.svc, the name that the API server calls"),
            // An authority signs during two thirds of its life, and nothing that it signs may outlive it.
            .. Fault(
                AuthorityDays < 3 * ServingDays,
                $"authorityDays: {AuthorityDays} is too short for serving certificates of {ServingDays} days; write at least {3 * ServingDays}"),
        ];
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

    static string[] Fault(bool isOne, string message) => isOne ? [$"{Section}.{message}"] : [];

    static bool IsDnsName(string text) =>
        Uri.CheckHostName(text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text) == UriHostNameType.Dns;

    // That it is there at all is checked by its attribute.
    static bool IsDistinguishedName(string text)
    {
        try
        {
            return text.Length == 0 || new X500DistinguishedName(text).RawData.Length > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
