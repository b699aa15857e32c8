using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;

namespace AdmissionLas.Kubernetes;

/// <summary>Looks at the certificate that a server shows, trusted or not.</summary>
public static class ServedCertificate
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Opens a connection, takes the certificate and hangs up.</summary>
    /// <param name="name">The server's name for messages.</param>
    /// <param name="address">Where to connect to.</param>
    /// <param name="port">The port there.</param>
    /// <param name="host">The name that callers use, for SNI.</param>
    /// <param name="mayBeAway">Whether a server that does not answer is of no interest.</param>
    /// <param name="stop">Ends the attempt.</param>
    /// <returns>What was seen; <see langword="null"/> for a server that may be away and is.</returns>
    public static async Task<Replica?> ProbeAsync(string name, string address, int port, string host, bool mayBeAway, CancellationToken stop)
    {
        CertificateFacts? seen = null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(address, port, patience.Token).ConfigureAwait(false);
            var tls = new SslStream(tcp.GetStream());
            await using (tls.ConfigureAwait(false))
            {
                await tls.AuthenticateAsClientAsync(
                    new SslClientAuthenticationOptions
                    {
                        TargetHost = host,
                        RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                        {
                            seen = certificate is X509Certificate2 shown ? CertificateFacts.Of(shown) : null;
                            return seen is not null;
                        },
                    },
                    patience.Token).ConfigureAwait(false);
            }
        }
        // A server that wants a certificate of ours hangs up, but only after it has shown its own.
        catch (Exception fault) when (fault is SocketException or IOException or AuthenticationException || (fault is OperationCanceledException && !stop.IsCancellationRequested))
        {
            return seen is not null ? new Replica(name, seen)
                : mayBeAway ? null
                : new Replica(name, null, $"cannot be seen from here ({(fault is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : fault.Message)})");
        }

        return new Replica(name, seen, seen is null ? "showed no certificate" : null);
    }
}
