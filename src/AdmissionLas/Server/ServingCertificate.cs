using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;
using AdmissionLas.Configuration;

namespace AdmissionLas.Server;

/// <summary>The certificate that callers see, and the TLS options. Immutable: a renewed certificate is a new instance.</summary>
sealed class ServingCertificate
{
    /// <summary>The clock difference between machines that is tolerated.</summary>
    static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    ServingCertificate(X509Certificate2 leaf, X509Certificate2Collection chain, CertificateFiles? files)
    {
        (Files, Facts, SerialNumber) = (files, CertificateFacts.Of(leaf), leaf.SerialNumber);
        Tls = new SslServerAuthenticationOptions
        {
            // Built once with its chain, so that a handshake does not build it again and never fetches intermediates from the network.
            ServerCertificateContext = SslStreamCertificateContext.Create(leaf, chain, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        if (files?.ClientCaText is { } authorities)
        {
            ClientAuthorities.ImportFromPem(authorities);
            Tls.RequireClientCertificates(ClientAuthorities.Count > 0 ? ClientAuthorities : throw new InvalidDataException($"the client CA {files.ClientCa} holds no certificate"));
        }
    }

    /// <summary>Its files; <see langword="null"/> when it exists in memory alone.</summary>
    internal CertificateFiles? Files { get; }

    /// <summary>The options of Kestrel's handshake.</summary>
    internal SslServerAuthenticationOptions Tls { get; }

    /// <summary>The authorities of client certificates; empty when callers need none.</summary>
    internal X509Certificate2Collection ClientAuthorities { get; } = [];

    /// <summary>Its subject, its validity and when its renewal is due.</summary>
    internal CertificateFacts Facts { get; }

    /// <summary>Its serial number, hexadecimal.</summary>
    internal string SerialNumber { get; }

    /// <summary>Loads the certificate, its chain and its key.</summary>
    /// <param name="files">The contents of its files.</param>
    /// <param name="names">The DNS names that it must contain.</param>
    /// <param name="now">The time.</param>
    /// <exception cref="InvalidDataException">
    /// A file is missing, empty or broken, the two do not belong together, or the certificate is not valid now or for another name; the message
    /// names the file.
    /// </exception>
    internal static ServingCertificate FromFiles(CertificateFiles files, IEnumerable<string> names, DateTimeOffset now)
    {
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(files.CertificateText);
            var leaf = X509Certificate2.CreateFromPem(files.CertificateText, files.KeyText);
            return now + ClockSkew < leaf.NotBefore ? throw new InvalidDataException($"the serving certificate {files.Certificate} is not valid before {leaf.NotBefore.ToUniversalTime():u}")
                : now - ClockSkew > leaf.NotAfter ? throw new InvalidDataException($"the serving certificate {files.Certificate} expired at {leaf.NotAfter.ToUniversalTime():u}")
                : names.FirstOrDefault(n => !leaf.MatchesHostname(n)) is { } missing ? throw new InvalidDataException(
                    $"the serving certificate {files.Certificate} is not for {missing}, but for {string.Join(", ", CertificateFacts.Of(leaf).Names())}")
                : new ServingCertificate(leaf, chain, files);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"the serving certificate {files} cannot be used: {fault.Message}", fault);
        }
    }

    /// <summary>Uses a certificate in memory.</summary>
    internal static ServingCertificate From(DevelopmentCertificate development) => new(development.Leaf, [development.Authority], null);
}

/// <summary>The serving certificate in force. A handshake reads it once; open connections keep theirs.</summary>
sealed class ServingTls(ServingCertificate initial)
{
    ServingCertificate current = initial;

    internal ServingCertificate Current
    {
        get => Volatile.Read(ref current);
        set
        {
            Volatile.Write(ref current, value);
            Changed?.Invoke();
        }
    }

    /// <summary>Raised after the certificate changes.</summary>
    internal event Action? Changed;
}

/// <summary>The contents of the files; equal when the contents are equal.</summary>
/// <param name="Certificate">The certificate's file.</param>
/// <param name="Key">The key's file.</param>
/// <param name="ClientCa">The file of the clients' authorities; empty for none.</param>
/// <param name="CertificateText">PEM.</param>
/// <param name="KeyText">PEM.</param>
/// <param name="ClientCaText">PEM; <see langword="null"/> for none.</param>
sealed record CertificateFiles(string Certificate, string Key, string ClientCa, string CertificateText, string KeyText, string? ClientCaText)
{
    /// <summary>Reads them.</summary>
    /// <exception cref="InvalidDataException">One is missing or empty; the message names it.</exception>
    internal static CertificateFiles Read(ServerOptions options) => new(
        options.Certificate,
        options.CertificateKey,
        options.ClientCa,
        ReadText(options.Certificate, "serving certificate", CertificateAdvice),
        ReadText(options.CertificateKey, "serving certificate's key", CertificateAdvice),
        options.ClientCa.Length == 0 ? null : ReadText(options.ClientCa, "client CA", "Name another with --client-ca."));

    // The default would print the key.
    public override string ToString() => ClientCa.Length == 0 ? $"{Certificate} and key {Key}" : $"{Certificate}, key {Key} and client CA {ClientCa}";

    const string CertificateAdvice =
        "Name another with --certificate and --certificate-key, or make one for this machine with --dev-certificate <directory>.";

    static string ReadText(string file, string what, string advice)
    {
        try
        {
            var text = File.ReadAllText(file);
            return text.Length > 0 ? text : throw new InvalidDataException($"the {what} {file} is empty");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"the {what} {file} cannot be read: {fault.Message} {advice}", fault);
        }
    }
}
