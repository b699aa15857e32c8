using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.Hosting;

/// <summary>The TLS side of the webhook: what is shown to the API server, and how.</summary>
sealed class ServingCertificate
{
    ServingCertificate(X509Certificate2 leaf, X509Certificate2Collection chain)
    {
        Tls = new SslServerAuthenticationOptions
        {
            // Built once with its chain, so that a handshake allocates nothing of it and never looks for intermediates on the network.
            ServerCertificateContext = SslStreamCertificateContext.Create(leaf, chain, offline: true),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
    }

    /// <summary>What Kestrel's handshake uses.</summary>
    internal SslServerAuthenticationOptions Tls { get; }

    /// <summary>Loads the certificate, its chain and its key.</summary>
    /// <exception cref="InvalidDataException">A file is missing, empty or broken, or the two do not belong together; the message names the file.</exception>
    internal static ServingCertificate FromFiles(string certificateFile, string keyFile)
    {
        var certificate = ReadText(certificateFile, "serving certificate");
        var key = ReadText(keyFile, "serving certificate's key");
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(certificate);
            return new ServingCertificate(X509Certificate2.CreateFromPem(certificate, key), chain);
        }
        catch (Exception fault) when (fault is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"the serving certificate {certificateFile} and key {keyFile} cannot be used: {fault.Message}", fault);
        }
    }

    /// <summary>Uses a certificate that is only in memory.</summary>
    internal static ServingCertificate From(DevelopmentCertificate development) => new(development.Leaf, [development.Authority]);

    static string ReadText(string file, string what)
    {
        try
        {
            var text = File.ReadAllText(file);
            return text.Length > 0 ? text : throw new InvalidDataException($"the {what} {file} is empty");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"the {what} {file} cannot be read: {fault.Message} Name another with --certificate and --certificate-key, or make one for this machine with --dev-certificate <directory>.", fault);
        }
    }
}
