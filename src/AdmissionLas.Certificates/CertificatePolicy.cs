using System.Net;

namespace AdmissionLas.Certificates;

/// <summary>The curve of a key.</summary>
public enum KeyType
{
    /// <summary>ECDSA on NIST P-256.</summary>
    EcdsaP256,

    /// <summary>ECDSA on NIST P-384.</summary>
    EcdsaP384,
}

/// <summary>How certificates are made; an admin sets it in <c>certs/policy.yaml</c>.</summary>
public sealed record CertificatePolicy
{
    /// <summary>The share of a certificate's life after which it is renewed.</summary>
    public const double RenewalShare = 2.0 / 3;

    /// <summary>
    /// How far clocks may differ: certificates are valid this long before they are made, so that a machine whose clock is behind accepts them.
    /// </summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(10);

    /// <summary>The serving certificate's subject, a distinguished name.</summary>
    public required string Subject { get; init; }

    /// <summary>The authority's subject, a distinguished name; a serial number is added, so that no two authorities share a name.</summary>
    public required string AuthoritySubject { get; init; }

    /// <summary>The DNS names that the serving certificate is for.</summary>
    public required IReadOnlyList<string> DnsNames { get; init; }

    /// <summary>The IP addresses that the serving certificate is for.</summary>
    public IReadOnlyList<IPAddress> IpAddresses { get; init; } = [];

    /// <summary>The key of authorities and serving certificates.</summary>
    public KeyType KeyType { get; init; } = KeyType.EcdsaP256;

    /// <summary>How long a serving certificate is valid.</summary>
    public required TimeSpan ServingLifetime { get; init; }

    /// <summary>How long an authority is valid; longer than what it signs.</summary>
    public required TimeSpan AuthorityLifetime { get; init; }
}
