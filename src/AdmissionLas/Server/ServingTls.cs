namespace AdmissionLas.Server;

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
