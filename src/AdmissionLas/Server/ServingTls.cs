using System.Net.Security;

namespace AdmissionLas.Server;

/// <summary>The serving certificate in force. A handshake reads it once; open connections keep the one they were made with.</summary>
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

    /// <summary>Another one came into force.</summary>
    internal event Action? Changed;

    /// <summary>For Kestrel.</summary>
    internal SslServerAuthenticationOptions Options => Current.Tls;
}
