namespace AdmissionLas.Certificates;

/// <summary>Stores the CA bundles of the webhook's callers, and sees what the replicas serve.</summary>
public interface ICaBundleStore
{
    /// <summary>Where it is, for messages.</summary>
    string Place { get; }

    /// <summary>Reads the bundles.</summary>
    /// <returns>Each caller's bundle by the caller's name, <see langword="null"/> for a broken one; <see langword="null"/> when there is no registration.</returns>
    Task<IReadOnlyDictionary<string, TrustBundle?>?> ReadAsync(CancellationToken stop);

    /// <summary>Gives every caller this bundle.</summary>
    /// <exception cref="ChangedMeanwhileException">The registration has changed since it was read.</exception>
    Task WriteAsync(TrustBundle bundle, CancellationToken stop);

    /// <summary>Reads the certificate of each replica.</summary>
    /// <returns>The replicas; <see langword="null"/> when they cannot be seen.</returns>
    Task<IReadOnlyList<Replica>?> ReplicasAsync(CancellationToken stop);
}

/// <summary>A server and the certificate that it shows.</summary>
/// <param name="Name">The server, for messages.</param>
/// <param name="Served">Its certificate; <see langword="null"/> when it could not be seen.</param>
/// <param name="Fault">Why it could not be seen.</param>
public sealed record Replica(string Name, CertificateFacts? Served, string? Fault = null);
