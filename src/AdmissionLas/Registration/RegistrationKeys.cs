namespace AdmissionLas.Registration;

/// <summary>The names and labels that tell our registration and the namespaces it covers.</summary>
static class RegistrationKeys
{
    /// <summary>The label of a namespace whose pods go to the webhook; its value is <see cref="OptedIn"/>.</summary>
    internal const string OptIn = "admissionlas.io/inject";

    internal const string OptedIn = "enabled";

    /// <summary>The label in which the API server keeps a namespace's name, for selectors (Kubernetes 1.21 and later).</summary>
    internal const string NamespaceName = "kubernetes.io/metadata.name";

    /// <summary>The label of our registration; its value is <see cref="Kubernetes.ObjectNames.Webhook"/>.</summary>
    internal const string App = "app.kubernetes.io/name";

    internal const string KubeSystem = "kube-system";

    /// <summary>The namespaces whose pods never go to the webhook: they must not wait for it.</summary>
    internal static IEnumerable<string> NeverIn(string ownNamespace) => ((string[])[KubeSystem, ownNamespace]).Distinct();
}
