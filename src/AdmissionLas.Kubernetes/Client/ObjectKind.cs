using System.Text.Json.Serialization.Metadata;

namespace AdmissionLas.Kubernetes;

/// <summary>A kind of object that is read and written one by one: its path at the API server, and its JSON.</summary>
/// <param name="GroupPath">The path of its API group, such as <c>apis/coordination.k8s.io/v1</c>.</param>
/// <param name="Resource">The plural name, as in paths and in RBAC rules.</param>
/// <param name="Json">How it is read and written.</param>
public sealed record ObjectKind<T>(string GroupPath, string Resource, JsonTypeInfo<T> Json)
{
    /// <summary>The path of one object or of all objects, in a namespace or in the cluster.</summary>
    internal string Path(string? namespaceName, string? name = null) =>
        $"{GroupPath}/{(namespaceName is null ? "" : $"namespaces/{Uri.EscapeDataString(namespaceName)}/")}{Resource}{(name is null ? "" : $"/{Uri.EscapeDataString(name)}")}";
}

/// <summary>The kinds of objects that AdmissionLas reads and writes.</summary>
public static class ObjectKinds
{
    const string Core = "api/v1";

    /// <summary>ConfigMaps.</summary>
    public static ObjectKind<V1ConfigMap> ConfigMaps { get; } = new(Core, "configmaps", KubeJson.Default.V1ConfigMap);

    /// <summary>Events of core/v1, of which kubectl shows the count.</summary>
    public static ObjectKind<Corev1Event> Events { get; } = new(Core, "events", KubeJson.Default.Corev1Event);

    /// <summary>Leases.</summary>
    public static ObjectKind<V1Lease> Leases { get; } = new("apis/coordination.k8s.io/v1", "leases", KubeJson.Default.V1Lease);

    /// <summary>Lists of namespaces.</summary>
    public static ObjectKind<V1NamespaceList> NamespaceLists { get; } = new(Core, "namespaces", KubeJson.Default.V1NamespaceList);

    /// <summary>Namespaces.</summary>
    public static ObjectKind<V1Namespace> Namespaces { get; } = new(Core, "namespaces", KubeJson.Default.V1Namespace);

    /// <summary>Lists of pods.</summary>
    public static ObjectKind<V1PodList> PodLists { get; } = new(Core, "pods", KubeJson.Default.V1PodList);

    /// <summary>Pods.</summary>
    public static ObjectKind<V1Pod> Pods { get; } = new(Core, "pods", KubeJson.Default.V1Pod);

    /// <summary>Registrations of mutating webhooks.</summary>
    public static ObjectKind<V1MutatingWebhookConfiguration> Registrations { get; } =
        new("apis/admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", KubeJson.Default.V1MutatingWebhookConfiguration);

    /// <summary>Access reviews: may an account do something?</summary>
    public static ObjectKind<V1SubjectAccessReview> AccessReviews { get; } = new("apis/authorization.k8s.io/v1", "subjectaccessreviews", KubeJson.Default.V1SubjectAccessReview);

    /// <summary>Secrets.</summary>
    public static ObjectKind<V1Secret> Secrets { get; } = new(Core, "secrets", KubeJson.Default.V1Secret);

    /// <summary>Service accounts.</summary>
    public static ObjectKind<V1ServiceAccount> ServiceAccounts { get; } = new(Core, "serviceaccounts", KubeJson.Default.V1ServiceAccount);

    /// <summary>Services.</summary>
    public static ObjectKind<V1Service> Services { get; } = new(Core, "services", KubeJson.Default.V1Service);
}
