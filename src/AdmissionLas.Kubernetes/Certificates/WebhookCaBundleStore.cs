using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using AdmissionLas.Certificates;

namespace AdmissionLas.Kubernetes;

/// <summary>The CA bundles of the API server: the <c>caBundle</c> of every entry of a MutatingWebhookConfiguration.</summary>
public sealed class WebhookCaBundleStore(KubeApi api, string name) : ICaBundleStore
{
    V1MutatingWebhookConfiguration? read;

    /// <inheritdoc/>
    public string Place => $"MutatingWebhookConfiguration {name}";

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<string, TrustBundle?>?> ReadAsync(CancellationToken stop)
    {
        read = await api.FindAsync(ObjectKinds.Registrations, null, name, stop).ConfigureAwait(false);
        return read is null ? null : (read.Webhooks ?? []).ToDictionary(
            w => w.Name,
            w => w.ClientConfig.CaBundle is { Length: > 0 } bundle ? TrustBundle.Read(Encoding.UTF8.GetString(bundle)) : TrustBundle.Empty);
    }

    /// <inheritdoc/>
    public async Task WriteAsync(TrustBundle bundle, CancellationToken stop)
    {
        var registration = read ?? throw new InvalidOperationException("there is no registration to write to");
        try
        {
            // A patch of these fields only: fields of the object that only a newer API server has stay.
            read = await api.PatchAsync(
                ObjectKinds.Registrations, name, ObjectPatch.Operations(PatchOf(registration, bundle)), ObjectNames.Rotation, stop).ConfigureAwait(false);
        }
        catch (HttpOperationException refused)
            when (refused is { Response.StatusCode: HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity or HttpStatusCode.NotFound })
        {
            throw new ChangedMeanwhileException($"{Place} was changed meanwhile", refused);
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Replica>?> ReplicasAsync(CancellationToken stop)
    {
        List<Replica> replicas = [];
        foreach (var client in (read?.Webhooks ?? []).Select(w => w.ClientConfig).DistinctBy(c => (c.Url, c.Service?.NamespaceProperty, c.Service?.Name, c.Service?.Port)))
        {
            if (client.Url is { } url && Uri.TryCreate(url, UriKind.Absolute, out var address))
            {
                var (shown, fault) = await TlsDial.DialAsync(address.Host, address.Port, address.Host, stop).ConfigureAwait(false);
                replicas.Add(ReplicaOf(address.Authority, shown, fault));
            }
            else if (client.Service is { } reference && await ServicePods.FindAsync(api, reference, stop).ConfigureAwait(false) is { ServicePort: not null } service)
            {
                var dialled = await service.DialAsync(service.Pods.Where(p => p.Status?.Phase is not ("Succeeded" or "Failed")), stop).ConfigureAwait(false);
                // A pod that is not ready may be unreachable: one that starts mounts the current Secret, and one that stops does not serve much longer.
                replicas.AddRange(dialled.Where(d => d.Shown is not null || ServicePods.IsReady(d.Pod)).Select(d => ReplicaOf($"pod {d.Pod.Metadata.Name}", d.Shown, d.Fault)));
            }
        }

        return replicas;
    }

    static Replica ReplicaOf(string name, X509Certificate2Collection? shown, string? fault) =>
        shown is not null ? new Replica(name, CertificateFacts.Of(shown[0])) : new Replica(name, null, $"cannot be seen from here ({fault})");

    static string PatchOf(V1MutatingWebhookConfiguration registration, TrustBundle bundle)
    {
        var caBundle = Convert.ToBase64String(Encoding.UTF8.GetBytes(bundle.Pem));
        JsonNode[] operations =
        [
            Operation("test", "/metadata/resourceVersion", registration.Metadata.ResourceVersion),
            .. registration.Webhooks.Select((_, i) => Operation("add", string.Create(CultureInfo.InvariantCulture, $"/webhooks/{i}/clientConfig/caBundle"), caBundle)),
        ];
        return new JsonArray(operations).ToJsonString();

        static JsonObject Operation(string op, string path, string value) => new() { ["op"] = op, ["path"] = path, ["value"] = value };
    }
}
