namespace AdmissionLas.Registration;

/// <summary>The labels that a registration goes by.</summary>
static class RegistrationKeys
{
    /// <summary>A namespace whose pods come to the webhook says <see cref="OptedIn"/> here.</summary>
    internal const string OptIn = "admissionlas.io/inject";

    internal const string OptedIn = "enabled";

    /// <summary>The API server puts a namespace's name here, so that selectors can tell it (Kubernetes 1.21 and later).</summary>
    internal const string NamespaceName = "kubernetes.io/metadata.name";

    /// <summary>Tells our registration from anybody else's.</summary>
    internal const string App = "app.kubernetes.io/name";

    internal const string AppIsOurs = "admission-las";

    internal const string KubeSystem = "kube-system";

    /// <summary>The namespaces whose pods must never wait for the webhook.</summary>
    internal static IEnumerable<string> NeverIn(string ownNamespace) => ((string[])[KubeSystem, ownNamespace]).Distinct();
}
