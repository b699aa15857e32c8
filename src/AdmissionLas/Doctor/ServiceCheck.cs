using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>Checks that the registered Service exists and has ready pods.</summary>
static class ServiceCheck
{
    internal static Finding Evaluate(Admissionregistrationv1ServiceReference reference, V1Service? service, IReadOnlyList<V1Pod> pods)
    {
        var (name, port) = ($"{reference.NamespaceProperty}/{reference.Name}", reference.Port ?? 443);
        if (service is null)
        {
            return Finding.Failed(
                $"there is no Service {name}, which the registration names",
                "apply the manifests, or register with --namespace, --service or --url");
        }

        if ((service.Spec.Ports ?? []).All(p => p.Port != port))
        {
            return Finding.Failed($"the Service {name} has no port {port}, which the registration names", "register with --port, or apply the manifests");
        }

        // The admin makes the endpoints of such a Service.
        if (service.Spec.Selector is not { Count: > 0 })
        {
            return Finding.Ok($"the Service {name} has no selector: its endpoints were not checked");
        }

        var ready = pods.Count(ServicePods.IsReady);
        return ready > 0 ? Finding.Ok($"{ready} of {pods.Count} pods of the Service {name} are ready")
            : pods.Count == 0 ? Finding.Failed($"the Service {name} has no pods", $"kubectl -n {reference.NamespaceProperty} get deployments,pods")
            : Finding.Failed(
                $"none of the {pods.Count} pods of the Service {name} is ready: {string.Join("; ", pods.Select(Why).Distinct())}",
                $"kubectl -n {reference.NamespaceProperty} describe pods");
    }

    static string Why(V1Pod pod) =>
        (pod.Status?.ContainerStatuses ?? []).Select(c => c.State?.Waiting?.Reason ?? c.State?.Terminated?.Reason).FirstOrDefault(r => r is not null)
        ?? (pod.Status?.Conditions ?? []).FirstOrDefault(c => c.Status == "False" && c.Message is { Length: > 0 })?.Message
        ?? pod.Status?.Phase ?? "it has no status";
}
