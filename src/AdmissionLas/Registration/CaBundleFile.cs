using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;

namespace AdmissionLas.Registration;

/// <summary>Reads the admin's CA bundle file and refuses one that the API server could not use.</summary>
static class CaBundleFile
{
    /// <summary>Reads the file as the caBundle of a registration.</summary>
    /// <exception cref="InvalidDataException">The file cannot be used; the message names it and says why.</exception>
    internal static byte[] Read(string file, DateTimeOffset now)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"the CA bundle {file} cannot be read: {fault.Message}", fault);
        }

        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
        {
            throw new InvalidDataException(
                $"the CA bundle {file} contains a private key, which everyone who can read registrations could read; give a file with certificates only");
        }

        var authorities = TrustBundle.Read(text)?.Authorities ?? throw new InvalidDataException($"the CA bundle {file} contains no valid PEM certificate");
        return authorities.Count == 0 ? throw new InvalidDataException($"the CA bundle {file} is empty")
            : authorities.Select(a => WhyUnusable(a, now)).FirstOrDefault(w => w is not null) is { } why
                ? throw new InvalidDataException($"the CA bundle {file} cannot be used: {why}")
            : Encoding.ASCII.GetBytes(string.Concat(authorities.Select(a => a.Pem + "\n")));
    }

    static string? WhyUnusable(CertificateFacts authority, DateTimeOffset now)
    {
        using var certificate = X509Certificate2.CreateFromPem(authority.Pem);
        return certificate.Extensions.OfType<X509BasicConstraintsExtension>().FirstOrDefault() is not { CertificateAuthority: true }
                ? $"{authority.Subject} is not a CA certificate; give the certificate of the authority that signed the webhook's"
            : now > authority.NotAfter ? $"{authority.Subject} expired at {authority.NotAfter:u}; give one that is still valid"
            : now < authority.NotBefore ? $"{authority.Subject} is not valid before {authority.NotBefore:u}; is this machine's clock right?"
            : null;
    }
}
