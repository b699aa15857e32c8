using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.Kubernetes;

/// <summary>Reads a TLS server's certificates, trusted or not, and sends it nothing.</summary>
public static class TlsDial
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    /// <summary>Connects, reads the certificates and disconnects.</summary>
    /// <param name="address">Where to connect.</param>
    /// <param name="port">Its port.</param>
    /// <param name="host">The name to ask for (SNI).</param>
    /// <param name="stop">Ends the attempt.</param>
    /// <returns>The server's own certificate followed by the intermediates that it sends, or why there are none.</returns>
    public static async Task<(X509Certificate2Collection? Shown, string? Fault)> DialAsync(string address, int port, string host, CancellationToken stop)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stop);
        timeout.CancelAfter(Timeout);
        X509Certificate2Collection? shown = null;
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(address, port, timeout.Token).ConfigureAwait(false);
            await using var tls = new SslStream(tcp.GetStream(), leaveInnerStreamOpen: false, Seen);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = host }, timeout.Token).ConfigureAwait(false);
            return (shown, shown is null ? "it showed no certificate" : null);
        }
        // A server that requires a client certificate disconnects, but only after it has shown its own.
        catch (Exception fault) when (fault is SocketException or IOException or AuthenticationException || (fault is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return shown is not null ? (shown, null)
                : (null, fault is OperationCanceledException ? $"no answer within {Timeout.TotalSeconds:0} s" : fault.Message);
        }

        // Whether the server is the right one is what the caller finds out from the certificates; nothing is sent to it.
        bool Seen(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            if (certificate is not null)
            {
                shown = [X509CertificateLoader.LoadCertificate(certificate.GetRawCertData())];
                foreach (var along in chain?.ChainPolicy.ExtraStore ?? [])
                {
                    shown.Add(X509CertificateLoader.LoadCertificate(along.RawData));
                }
            }

            return shown is not null;
        }
    }
}
