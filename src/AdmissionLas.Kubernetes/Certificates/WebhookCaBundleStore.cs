using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using AdmissionLas.Certificates;
using k8s.Autorest;
using k8s.Models;

namespace AdmissionLas.Kubernetes;

/// <summary>The API server's trust: the <c>caBundle</c> of every entry of a MutatingWebhookConfiguration.</summary>
public sealed class WebhookCaBundleStore(KubeApi api, string name) : ICaBundleStore
{
    const string FieldManager = "admission-las-certificates";

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
            // A patch of these fields alone: whatever else a newer API server knows of the object stays.
            read = await api.PatchAsync(
                ObjectKinds.Registrations, name, ObjectPatch.Operations(PatchOf(registration, Encoding.UTF8.GetBytes(bundle.Pem))), FieldManager, stop).ConfigureAwait(false);
        }
        catch (HttpOperationException refused) when (refused.Is(HttpStatusCode.Conflict) || refused.Is(HttpStatusCode.UnprocessableEntity) || refused.Is(HttpStatusCode.NotFound))
        {
            throw new ChangedMeanwhileException($"{Place} was changed by somebody else", refused);
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Replica>?> ReplicasAsync(CancellationToken stop)
    {
        List<Task<Replica?>> probes = [];
        foreach (var client in (read?.Webhooks ?? []).Select(w => w.ClientConfig).DistinctBy(c => (c.Url, c.Service?.NamespaceProperty, c.Service?.Name, c.Service?.Port)))
        {
            if (client.Url is { } url && Uri.TryCreate(url, UriKind.Absolute, out var address))
            {
                probes.Add(LookAsync(address.Authority, address.Host, address.Port, address.Host, mayBeAway: false, stop));
            }
            else if (client.Service is { } service)
            {
                probes.AddRange(await ProbePodsAsync(service, stop).ConfigureAwait(false));
            }
        }

        return [.. (await Task.WhenAll(probes).ConfigureAwait(false)).OfType<Replica>()];
    }

    async Task<IEnumerable<Task<Replica?>>> ProbePodsAsync(Admissionregistrationv1ServiceReference reference, CancellationToken stop)
    {
        if (await api.FindAsync(ObjectKinds.Services, reference.NamespaceProperty, reference.Name, stop).ConfigureAwait(false) is not { } service)
        {
            // Then nobody can be called through it.
            return [];
        }

        var selector = string.Join(',', (service.Spec.Selector ?? new Dictionary<string, string>()).Select(s => $"{s.Key}={s.Value}"));
        var port = service.Spec.Ports?.FirstOrDefault(p => p.Port == (reference.Port ?? 443));
        if (selector.Length == 0 || port is null)
        {
            return [];
        }

        var pods = await api.ReadListAsync(ObjectKinds.PodLists, reference.NamespaceProperty, selector, stop).ConfigureAwait(false);
        var host = $"{reference.Name}.{reference.NamespaceProperty}.svc";
        return pods.Items
            .Where(p => p.Status?.PodIP is { Length: > 0 } && p.Status.Phase is not ("Succeeded" or "Failed"))
            .Select(p => LookAsync(
                $"pod {p.Metadata.Name}", p.Status.PodIP, PortOf(p, port), host,
                // One that is starting mounts the present Secret, and one that is ending answers nobody for long.
                mayBeAway: p.Metadata.DeletionTimestamp is not null || p.Status.Conditions?.Any(c => c is { Type: "Ready", Status: "True" }) != true, stop));
    }

    /// <returns>What was seen; <see langword="null"/> for a server that may be away and is.</returns>
    static async Task<Replica?> LookAsync(string name, string address, int port, string host, bool mayBeAway, CancellationToken stop)
    {
        var (shown, fault) = await TlsDial.DialAsync(address, port, host, stop).ConfigureAwait(false);
        return shown is not null ? new Replica(name, CertificateFacts.Of(shown[0]))
            : mayBeAway ? null
            : new Replica(name, null, $"cannot be seen from here ({fault})");
    }

    static int PortOf(V1Pod pod, V1ServicePort port) =>
        port.TargetPort?.Value is not { Length: > 0 } target ? port.Port
        : int.TryParse(target, CultureInfo.InvariantCulture, out var number) ? number
        : pod.Spec.Containers.SelectMany(c => c.Ports ?? []).FirstOrDefault(p => p.Name == target)?.ContainerPort ?? port.Port;

    static string PatchOf(V1MutatingWebhookConfiguration registration, ReadOnlySpan<byte> bundle)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            json.WriteStartObject();
            json.WriteString("op", "test");
            json.WriteString("path", "/metadata/resourceVersion");
            json.WriteString("value", registration.Metadata.ResourceVersion);
            json.WriteEndObject();
            for (var i = 0; i < registration.Webhooks.Count; i++)
            {
                json.WriteStartObject();
                json.WriteString("op", "add");
                json.WriteString("path", string.Create(CultureInfo.InvariantCulture, $"/webhooks/{i}/clientConfig/caBundle"));
                json.WriteBase64String("value", bundle);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
