using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using AdmissionLas.Certificates;
using AdmissionLas.Kubernetes;
using k8s.Autorest;
using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>Checks what answers at the registered address, and its certificate. The connection starts here, not at the API server.</summary>
static class ServingCheck
{
    const int MaxDialledPods = 3;
    const string RunElsewhere = "if the dry run below fails, run doctor where the webhook can be reached, such as in the cluster";

    internal static Task<IReadOnlyList<Finding>> EvaluateAsync(KubeApi api, V1MutatingWebhook entry, DateTimeOffset now, CancellationToken stop) =>
        entry.ClientConfig.Service is { } service ? ServiceAsync(api, service, CaBundleCheck.Read(entry), now, stop)
        : Uri.TryCreate(entry.ClientConfig.Url, UriKind.Absolute, out var url) ? UrlAsync(url, CaBundleCheck.Read(entry), now, stop)
        : Task.FromResult<IReadOnlyList<Finding>>([Finding.Failed($"{entry.Name} names neither a Service nor a URL", "run admission-las register")]);

    static async Task<IReadOnlyList<Finding>> UrlAsync(Uri url, TrustBundle? bundle, DateTimeOffset now, CancellationToken stop)
    {
        var (served, fault) = await DialAsync(url.DnsSafeHost, url.Port, url.Host, $"{url.Host}:{url.Port}", stop).ConfigureAwait(false);
        return served is not null
            ? ServedCertificateCheck.Evaluate(served, bundle, url.Host, now)
            : [Finding.Warning($"no webhook answers from here at {url}: {fault}", "start it, or " + RunElsewhere)];
    }

    static async Task<IReadOnlyList<Finding>> ServiceAsync(
        KubeApi api, Admissionregistrationv1ServiceReference reference, TrustBundle? bundle, DateTimeOffset now, CancellationToken stop)
    {
        var ns = reference.NamespaceProperty;
        var service = await api.FindAsync(ObjectKinds.Services, ns, reference.Name, stop).ConfigureAwait(false);
        IReadOnlyList<V1Pod> pods = service?.Spec.Selector is { Count: > 0 } selector
            ? [.. (await api.ReadListAsync(ObjectKinds.PodLists, ns, string.Join(',', selector.Select(s => $"{s.Key}={s.Value}")), stop).ConfigureAwait(false)).Items]
            : [];
        List<Finding> findings = [ServiceCheck.Evaluate(reference, service, pods)];
        if (service is null)
        {
            return findings;
        }

        var host = $"{reference.Name}.{ns}.svc";
        var chains = await SeenAsync(reference, service, pods, host, stop).ConfigureAwait(false);
        if (chains.Count == 0)
        {
            findings.Add(Finding.Warning($"neither {host} nor its pods can be reached from here", RunElsewhere));
            chains = await StoredAsync(api, ns, stop).ConfigureAwait(false);
        }

        findings.AddRange(chains.SelectMany(c => ServedCertificateCheck.Evaluate(c, bundle, host, now)));
        return findings;
    }

    static async Task<IReadOnlyList<ServedChain>> SeenAsync(
        Admissionregistrationv1ServiceReference reference, V1Service service, IReadOnlyList<V1Pod> pods, string host, CancellationToken stop)
    {
        var port = reference.Port ?? 443;
        if ((await DialAsync(host, port, host, host, stop).ConfigureAwait(false)).Served is { } served)
        {
            return [served];
        }

        var target = (service.Spec.Ports ?? []).FirstOrDefault(p => p.Port == port)?.TargetPort?.Value;
        var dials = pods.Where(p => ServiceCheck.IsReady(p) && p.Status.PodIP is { Length: > 0 }).Take(MaxDialledPods)
            .Select(p => DialAsync(p.Status.PodIP, PortOf(p, target) ?? port, host, $"pod {p.Metadata.Name}", stop));
        return [.. (await Task.WhenAll(dials).ConfigureAwait(false)).Select(d => d.Served).OfType<ServedChain>()];
    }

    static async Task<(ServedChain? Served, string? Fault)> DialAsync(string address, int port, string host, string where, CancellationToken stop)
    {
        var (shown, fault) = await TlsDial.DialAsync(address, port, host, stop).ConfigureAwait(false);
        return (shown is null ? null : new ServedChain(shown[0], [.. shown.Skip(1)], where), fault);
    }

    // A number, or the name of a container's port.
    static int? PortOf(V1Pod pod, string? target) =>
        int.TryParse(target, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : pod.Spec.Containers.SelectMany(c => c.Ports ?? []).FirstOrDefault(p => p.Name == target)?.ContainerPort;

    /// <summary>The certificate in the Secret, for when no pod can be reached.</summary>
    static async Task<IReadOnlyList<ServedChain>> StoredAsync(KubeApi api, string ns, CancellationToken stop)
    {
        V1Secret? secret;
        try
        {
            secret = await api.FindAsync(ObjectKinds.Secrets, ns, PermissionsCheck.ServingSecret, stop).ConfigureAwait(false);
        }
        // Few accounts may read Secrets, and this check can do without.
        catch (HttpOperationException fault) when (fault.Response.StatusCode == HttpStatusCode.Forbidden)
        {
            return [];
        }

        if (secret?.Data?.TryGetValue("tls.crt", out var pem) != true)
        {
            return [];
        }

        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(Encoding.UTF8.GetString(pem!));
        }
        catch (CryptographicException)
        {
            return [];
        }

        return certificates.Count == 0 ? [] : [new ServedChain(certificates[0], [.. certificates.Skip(1)], $"Secret {ns}/{PermissionsCheck.ServingSecret}")];
    }
}
