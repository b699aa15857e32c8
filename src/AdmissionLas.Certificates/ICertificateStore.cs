namespace AdmissionLas.Certificates;

/// <summary>
/// Stores certificates and keys: groups of small texts, each group written at once or not at all. A Secret is such a group, and so is
/// a folder behind a symbolic link.
/// </summary>
public interface ICertificateStore
{
    /// <summary>Where the group is, for messages.</summary>
    string PlaceOf(CertificateGroup group);

    /// <summary>Reads a group.</summary>
    /// <returns>Its texts by name; <see langword="null"/> when it does not exist.</returns>
    Task<IReadOnlyDictionary<string, string>?> ReadAsync(CertificateGroup group, CancellationToken stop);

    /// <summary>Replaces a group.</summary>
    /// <exception cref="ChangedMeanwhileException">It has changed since it was read.</exception>
    Task WriteAsync(CertificateGroup group, IReadOnlyDictionary<string, string> texts, CancellationToken stop);

    /// <summary>Locks out other rotations until disposed of.</summary>
    /// <exception cref="RotationInProgressException">Another rotation is running.</exception>
    Task<IRotationLock> LockAsync(CancellationToken stop);
}

/// <summary>A group of a certificate store.</summary>
public enum CertificateGroup
{
    /// <summary>The authorities and the keys that sign: for the rotation only.</summary>
    Authorities,

    /// <summary>The serving certificate and its key: for the webhook.</summary>
    Serving,
}

/// <summary>The lock of a rotation.</summary>
public interface IRotationLock : IAsyncDisposable
{
    /// <summary>Cancelled when the lock is lost and nothing more may be written. Most locks cannot be lost.</summary>
    CancellationToken Lost => CancellationToken.None;
}

/// <summary>Another rotation is running; the message says which.</summary>
public sealed class RotationInProgressException(string message) : Exception(message);

/// <summary>What was to be written has changed since it was read. Read it again.</summary>
public sealed class ChangedMeanwhileException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>Converts between certificates and the texts of a certificate store.</summary>
static class StoredCertificates
{
    internal const string ServingCertificate = "tls.crt";
    internal const string ServingKey = "tls.key";
    internal const string Bundle = "ca.crt";
    const string SignerCertificate = "signer.crt";
    const string SignerKey = "signer.key";
    const string NextCertificate = "next.crt";
    const string NextKey = "next.key";
    const string OldCertificates = "old.crt";

    internal static Dictionary<string, string> Write(Authorities authorities)
    {
        var texts = new Dictionary<string, string>
        {
            [SignerCertificate] = authorities.Signer.Certificate.Pem,
            [SignerKey] = authorities.Signer.KeyPem,
        };
        if (authorities.Next is { } next)
        {
            (texts[NextCertificate], texts[NextKey]) = (next.Certificate.Pem, next.KeyPem);
        }

        if (authorities.Old.Count > 0)
        {
            texts[OldCertificates] = new TrustBundle(authorities.Old).Pem;
        }

        return texts;
    }

    internal static Dictionary<string, string> Write(KeyPair serving, TrustBundle bundle) => new()
    {
        [ServingCertificate] = serving.Certificate.Pem,
        [ServingKey] = serving.KeyPem,
        [Bundle] = bundle.Pem,
    };

    /// <exception cref="InvalidDataException">One of them is missing or broken.</exception>
    internal static Authorities ReadAuthorities(IReadOnlyDictionary<string, string> texts) => new(
        ReadPair(texts, SignerCertificate, SignerKey),
        texts.ContainsKey(NextCertificate) ? ReadPair(texts, NextCertificate, NextKey) : null,
        (texts.TryGetValue(OldCertificates, out var old) ? TrustBundle.Read(old) : TrustBundle.Empty)?.Authorities
            ?? throw new InvalidDataException($"{OldCertificates} is broken"));

    /// <exception cref="InvalidDataException">The certificate or its key is missing or broken.</exception>
    internal static KeyPair ReadServing(IReadOnlyDictionary<string, string> texts) => ReadPair(texts, ServingCertificate, ServingKey);

    static KeyPair ReadPair(IReadOnlyDictionary<string, string> texts, string certificate, string key)
    {
        try
        {
            using var both = X509Certificate2.CreateFromPem(Text(certificate), Text(key));
            return new KeyPair(CertificateFacts.Of(both), Text(key));
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"{certificate} and {key} cannot be used: {broken.Message}", broken);
        }

        string Text(string name) => texts.TryGetValue(name, out var text) ? text : throw new InvalidDataException($"{name} is missing");
    }
}
