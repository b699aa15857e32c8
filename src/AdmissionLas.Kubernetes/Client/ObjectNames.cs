namespace AdmissionLas.Kubernetes;

/// <summary>The names that the manifests give the webhook's own objects.</summary>
public static class ObjectNames
{
    /// <summary>The namespace, and in it the Service, the ConfigMap and the webhook's service account; also the registration's field manager.</summary>
    public const string Webhook = "admission-las";

    /// <summary>
    /// The registration. The API server calls webhooks in the order of these names, and what decides where a pod runs has to see what the others make of it.
    /// Source: https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/admission/configuration/mutating_webhook_manager.go.
    /// </summary>
    public const string Registration = "zz-admission-las";

    /// <summary>The Secret with the serving certificate and its key.</summary>
    public const string ServingSecret = "admission-las-tls";

    /// <summary>The Secret with the authorities and their keys.</summary>
    public const string AuthoritySecret = "admission-las-ca";

    /// <summary>The rotation's service account, Lease and field manager.</summary>
    public const string Rotation = "admission-las-certificates";
}
