using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.Kubernetes;

/// <summary>The pods behind the Service that a webhook registration names, and the certificates that they show.</summary>
public sealed class ServicePods
{
    ServicePods(Admissionregistrationv1ServiceReference reference, V1Service? service, IReadOnlyList<V1Pod> pods)
    {
        (Service, Pods, Port, Host) = (service, pods, reference.Port ?? 443, $"{reference.Name}.{reference.NamespaceProperty}.svc");
        ServicePort = service?.Spec.Ports?.FirstOrDefault(p => p.Port == Port);
    }

    /// <summary>The Service; <see langword="null"/> when it does not exist.</summary>
    public V1Service? Service { get; }

    /// <summary>The pods that the Service selects.</summary>
    public IReadOnlyList<V1Pod> Pods { get; }

    /// <summary>The port that the registration names.</summary>
    public int Port { get; }

    /// <summary>The Service's port of that number; <see langword="null"/> when it has none.</summary>
    public V1ServicePort? ServicePort { get; }

    /// <summary>The host name by which the API server calls.</summary>
    public string Host { get; }

    /// <summary>Reads the Service and its pods.</summary>
    public static async Task<ServicePods> FindAsync(KubeApi api, Admissionregistrationv1ServiceReference reference, CancellationToken stop)
    {
        var service = await api.FindAsync(ObjectKinds.Services, reference.NamespaceProperty, reference.Name, stop).ConfigureAwait(false);
        var selector = string.Join(',', (service?.Spec.Selector ?? new Dictionary<string, string>()).Select(s => $"{s.Key}={s.Value}"));
        var pods = selector.Length == 0 ? [] : (await api.ReadListAsync(ObjectKinds.PodLists, reference.NamespaceProperty, selector, stop).ConfigureAwait(false)).Items;
        return new ServicePods(reference, service, [.. pods]);
    }

    /// <summary>Whether the Service sends calls to a pod.</summary>
    public static bool IsReady(V1Pod pod) =>
        pod.Metadata.DeletionTimestamp is null && (pod.Status?.Conditions ?? []).Any(c => c is { Type: "Ready", Status: "True" });

    /// <summary>Reads the certificates of pods at the port to which the Service sends calls.</summary>
    public Task<(V1Pod Pod, X509Certificate2Collection? Shown, string? Fault)[]> DialAsync(IEnumerable<V1Pod> pods, CancellationToken stop) =>
        Task.WhenAll(pods.Where(p => p.Status?.PodIP is { Length: > 0 }).Select(async pod =>
        {
            var (shown, fault) = await TlsDial.DialAsync(pod.Status.PodIP, PortOf(pod), Host, stop).ConfigureAwait(false);
            return (pod, shown, fault);
        }));

    // A number, or the name of a container's port.
    int PortOf(V1Pod pod) =>
        ServicePort?.TargetPort?.Value is not { Length: > 0 } target ? Port
        : int.TryParse(target, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : pod.Spec.Containers.SelectMany(c => c.Ports ?? []).FirstOrDefault(p => p.Name == target)?.ContainerPort ?? Port;
}
