using System.Text;
using AdmissionLas.Certificates;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// Keeps certificates in two Secrets: one that the webhook mounts, and one with the authorities' keys that only the rotation may read. Every write
/// names the version on which it is based, so a rotation that lost its Lease without noticing cannot undo the work of another one.
/// </summary>
public sealed class SecretCertificateStore(KubeApi api, string namespaceName, TimeProvider time) : ICertificateStore
{
    readonly Dictionary<CertificateGroup, V1Secret?> read = [];

    /// <inheritdoc/>
    public string PlaceOf(CertificateGroup group) => $"Secret {namespaceName}/{NameOf(group)}";

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, string>?> ReadAsync(CertificateGroup group, CancellationToken stop)
    {
        var secret = await api.FindAsync(ObjectKinds.Secrets, namespaceName, NameOf(group), stop).ConfigureAwait(false);
        read[group] = secret;
        return secret is null ? null : (secret.Data ?? new Dictionary<string, byte[]>()).ToDictionary(d => d.Key, d => Encoding.UTF8.GetString(d.Value));
    }

    /// <inheritdoc/>
    public async Task WriteAsync(CertificateGroup group, IReadOnlyDictionary<string, string> texts, CancellationToken stop)
    {
        var known = read.GetValueOrDefault(group);
        var secret = known ?? New(group);
        secret.Data = texts.ToDictionary(t => t.Key, t => Encoding.UTF8.GetBytes(t.Value));
        try
        {
            await (known is null
                ? api.CreateAsync(ObjectKinds.Secrets, namespaceName, secret, stop)
                : api.ReplaceAsync(ObjectKinds.Secrets, namespaceName, NameOf(group), secret, stop)).ConfigureAwait(false);
        }
        // Deleted or changed since it was read.
        catch (HttpOperationException refused) when (refused is { Response.StatusCode: HttpStatusCode.Conflict }
            || (known is not null && refused is { Response.StatusCode: HttpStatusCode.NotFound }))
        {
            throw new ChangedMeanwhileException($"{PlaceOf(group)} was changed meanwhile", refused);
        }
    }

    /// <inheritdoc/>
    public Task<IRotationLock> LockAsync(CancellationToken stop) => RotationLease.AcquireAsync(api, namespaceName, ObjectNames.Rotation, time, stop);

    static string NameOf(CertificateGroup group) => group == CertificateGroup.Serving ? ObjectNames.ServingSecret : ObjectNames.AuthoritySecret;

    V1Secret New(CertificateGroup group) => new()
    {
        ApiVersion = "v1",
        Kind = "Secret",
        Metadata = new V1ObjectMeta
        {
            Name = NameOf(group),
            NamespaceProperty = namespaceName,
            Labels = new Dictionary<string, string> { ["app.kubernetes.io/name"] = ObjectNames.Webhook, ["app.kubernetes.io/component"] = "certificates" },
        },
        Type = group == CertificateGroup.Serving ? "kubernetes.io/tls" : "Opaque",
    };
}
