namespace AdmissionLas.Certificates;

/// <summary>Whom callers trust, and what they are shown.</summary>
public interface ICaBundleStore
{
    /// <summary>The place in words, for messages.</summary>
    string Place { get; }

    /// <summary>Reads the bundles.</summary>
    /// <returns>Each caller's bundle by its name, one that is broken as <see langword="null"/>; <see langword="null"/> when nobody is registered.</returns>
    Task<IReadOnlyDictionary<string, TrustBundle?>?> ReadAsync(CancellationToken stop);

    /// <summary>Gives every caller this bundle.</summary>
    /// <exception cref="ChangedMeanwhileException">The registration is no longer what was read last.</exception>
    Task WriteAsync(TrustBundle bundle, CancellationToken stop);

    /// <summary>Looks at what each replica serves.</summary>
    /// <returns>The replicas; <see langword="null"/> when there is no way to tell.</returns>
    Task<IReadOnlyList<Replica>?> ReplicasAsync(CancellationToken stop);
}

/// <summary>A server and the certificate that it shows.</summary>
/// <param name="Name">The server, for messages.</param>
/// <param name="Served">Its certificate; <see langword="null"/> when it could not be seen.</param>
/// <param name="Fault">Why it could not be seen.</param>
public sealed record Replica(string Name, CertificateFacts? Served, string? Fault = null);
