using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.Doctor;

/// <summary>Looks at a TLS server's certificates, whatever they are, and says nothing to it.</summary>
static class TlsDial
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <param name="address">Where to connect.</param>
    /// <param name="port">Its port.</param>
    /// <param name="host">The name to ask for.</param>
    /// <param name="where">The server in words.</param>
    /// <param name="stop">Ends the attempt.</param>
    /// <returns>The certificates, or why there are none.</returns>
    internal static async Task<(ServedChain? Served, string? Fault)> DialAsync(string address, int port, string host, string where, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(Patience);
        ServedChain? served = null;
        try
        {
            using var tcp = new TcpClient();
            await tcp.ConnectAsync(address, port, patience.Token).ConfigureAwait(false);
            await using var tls = new SslStream(tcp.GetStream(), leaveInnerStreamOpen: false, Seen);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = host }, patience.Token).ConfigureAwait(false);
        }
        // A server that wants a client certificate hangs up, but only after it has shown its own.
        catch (Exception fault) when (fault is SocketException or IOException or AuthenticationException or OperationCanceledException && !stop.IsCancellationRequested)
        {
            if (served is null)
            {
                return (null, fault is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : fault.Message);
            }
        }

        return (served, null);

        // Nothing is sent to this server, so nothing depends on whether it is the right one; that is what is to be found out.
#pragma warning disable CA5359
        bool Seen(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            if (certificate is not null)
            {
                served = new ServedChain(
                    X509CertificateLoader.LoadCertificate(certificate.GetRawCertData()),
                    [.. (chain?.ChainPolicy.ExtraStore ?? []).Select(c => X509CertificateLoader.LoadCertificate(c.RawData))],
                    where);
            }

            return true;
        }
#pragma warning restore CA5359
    }
}
