using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;

namespace AdmissionLas.Doctor;

/// <summary>The certificates of a TLS server or of a file.</summary>
/// <param name="Leaf">The server's own certificate.</param>
/// <param name="Intermediates">The other certificates that the server sends.</param>
/// <param name="Where">Where they come from, as messages name it.</param>
sealed record ServedChain(X509Certificate2 Leaf, IReadOnlyList<X509Certificate2> Intermediates, string Where);

/// <summary>Checks that the API server accepts the certificate that the webhook serves.</summary>
static class ServedCertificateCheck
{
    const string Renew = "run admission-las certs rotate, or give the webhook another certificate";

    /// <param name="served">What the webhook serves.</param>
    /// <param name="bundle">The authorities that the API server trusts; <see langword="null"/> when they are unknown.</param>
    /// <param name="host">The name that the API server calls.</param>
    /// <param name="now">This machine's clock.</param>
    internal static IReadOnlyList<Finding> Evaluate(ServedChain served, TrustBundle? bundle, string host, DateTimeOffset now)
    {
        var facts = CertificateFacts.Of(served.Leaf);
        Finding?[] faults =
        [
            now < facts.NotBefore ? Finding.Failed(
                $"the certificate of {served.Where} is not valid before {facts.NotBefore:u}, and it is {now:u}",
                "check the clocks of this machine, of the nodes and of the machine that made the certificate")
            : now > facts.NotAfter ? Finding.Failed($"the certificate of {served.Where} expired at {facts.NotAfter:u}", Renew)
            : now >= facts.RenewalDueAt
                ? Finding.Warning($"the certificate of {served.Where} has less than a third of its life left: until {facts.NotAfter:u}", Renew)
            : null,
            IsFor(served.Leaf, host) ? null : Finding.Failed(
                $"the certificate of {served.Where} is not for {host}, the name that the API server calls, but for "
                + (facts.Names() is { Count: > 0 } names ? string.Join(", ", names) : "no name"),
                "add that name to the certificate policy and " + Renew),
            bundle is null || bundle.Trusts(served.Leaf, served.Intermediates, now) ? null : Finding.Failed(
                $"the certificate of {served.Where} was not signed by a valid authority of the caBundle, but by {facts.Issuer}",
                "run admission-las certs rotate, or admission-las register --ca-bundle <file> with that authority"),
        ];
        return faults.Any(f => f is not null)
            ? [.. faults.OfType<Finding>()]
            : [Finding.Ok($"the certificate of {served.Where} is for {host}{(bundle is null ? "" : ", trusted")} and valid until {facts.NotAfter:u}")];
    }

    // As the API server's Go runtime does: by the alternative names alone.
    static bool IsFor(X509Certificate2 leaf, string host)
    {
        try
        {
            return leaf.MatchesHostname(IPAddress.TryParse(host.Trim('[', ']'), out var address) ? address.ToString() : host, allowWildcards: true, allowCommonName: false);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}
