using System.Net;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;
using k8s.Autorest;
using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>Checks the server to which the registration points, and its certificate, as seen from this machine.</summary>
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
        var (shown, fault) = await TlsDial.DialAsync(url.DnsSafeHost, url.Port, url.Host, stop).ConfigureAwait(false);
        return shown is not null
            ? ServedCertificateCheck.Evaluate(ChainOf(shown, $"{url.Host}:{url.Port}"), bundle, url.Host, now)
            : [Finding.Warning($"no webhook answers from here at {url}: {fault}", "start it, or " + RunElsewhere)];
    }

    static async Task<IReadOnlyList<Finding>> ServiceAsync(
        KubeApi api, Admissionregistrationv1ServiceReference reference, TrustBundle? bundle, DateTimeOffset now, CancellationToken stop)
    {
        var service = await ServicePods.FindAsync(api, reference, stop).ConfigureAwait(false);
        List<Finding> findings = [ServiceCheck.Evaluate(reference, service.Service, service.Pods)];
        if (service.Service is null)
        {
            return findings;
        }

        var chains = await SeenAsync(service, stop).ConfigureAwait(false);
        if (chains.Count == 0)
        {
            findings.Add(Finding.Warning($"neither {service.Host} nor its pods can be reached from here", RunElsewhere));
            chains = await StoredAsync(api, reference.NamespaceProperty, stop).ConfigureAwait(false);
        }

        findings.AddRange(chains.SelectMany(c => ServedCertificateCheck.Evaluate(c, bundle, service.Host, now)));
        return findings;
    }

    static async Task<IReadOnlyList<ServedChain>> SeenAsync(ServicePods service, CancellationToken stop)
    {
        if ((await TlsDial.DialAsync(service.Host, service.Port, service.Host, stop).ConfigureAwait(false)).Shown is { } shown)
        {
            return [ChainOf(shown, service.Host)];
        }

        var dialled = await service.DialAsync(service.Pods.Where(ServicePods.IsReady).Take(MaxDialledPods), stop).ConfigureAwait(false);
        return [.. dialled.Where(d => d.Shown is not null).Select(d => ChainOf(d.Shown!, $"pod {d.Pod.Metadata.Name}"))];
    }

    static ServedChain ChainOf(X509Certificate2Collection certificates, string where) => new(certificates[0], [.. certificates.Skip(1)], where);

    /// <summary>The Secret that the pods mount, when the pods themselves cannot be reached.</summary>
    static async Task<IReadOnlyList<ServedChain>> StoredAsync(KubeApi api, string ns, CancellationToken stop)
    {
        V1Secret? secret;
        try
        {
            secret = await api.FindAsync(ObjectKinds.Secrets, ns, ObjectNames.ServingSecret, stop).ConfigureAwait(false);
        }
        // Few admins may read Secrets, and this one is only a stopgap.
        catch (HttpOperationException fault) when (fault.Response.StatusCode == HttpStatusCode.Forbidden)
        {
            return [];
        }

        // A server's chain is read like a bundle of authorities.
        var certificates = secret?.Data?.TryGetValue("tls.crt", out var pem) == true ? TrustBundle.Read(Encoding.UTF8.GetString(pem)) : null;
        return certificates is { Authorities.Count: > 0 }
            ? [ChainOf([.. certificates.Authorities.Select(c => X509Certificate2.CreateFromPem(c.Pem))], $"Secret {ns}/{ObjectNames.ServingSecret}")]
            : [];
    }
}
