using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.Kubernetes;

/// <summary>Looks at a TLS server's certificates, trusted or not, and says nothing to it.</summary>
public static class TlsDial
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Opens a connection, takes the certificates and hangs up.</summary>
    /// <param name="address">Where to connect.</param>
    /// <param name="port">Its port.</param>
    /// <param name="host">The name to ask for (SNI).</param>
    /// <param name="stop">Ends the attempt.</param>
    /// <returns>The server's own certificate and then those that it sends along, or why there are none.</returns>
    public static async Task<(X509Certificate2Collection? Shown, string? Fault)> DialAsync(string address, int port, string host, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        X509Certificate2Collection? shown = null;
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(address, port, patience.Token).ConfigureAwait(false);
            var tls = new SslStream(tcp.GetStream(), leaveInnerStreamOpen: false, Seen);
            await using (tls.ConfigureAwait(false))
            {
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = host }, patience.Token).ConfigureAwait(false);
            }

            return (shown, shown is null ? "it showed no certificate" : null);
        }
        // A server that wants a client certificate hangs up, but only after it has shown its own.
        catch (Exception fault) when (fault is SocketException or IOException or AuthenticationException || (fault is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return shown is not null ? (shown, null)
                : (null, fault is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : fault.Message);
        }

        // Nothing is sent to this server, so nothing depends on whether it is the right one; that is what is to be found out.
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
