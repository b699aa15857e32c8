namespace AdmissionLas.Registration;

/// <summary>
/// The two files with which an API server shows a client certificate to this webhook
/// (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#authenticate-apiservers).
/// </summary>
/// <param name="Folder">Where the files are, as the API server sees it.</param>
/// <param name="Certificate">The client certificate's PEM file, as the API server sees it.</param>
/// <param name="Key">The file of its key.</param>
/// <param name="Webhook">The DNS name of the webhook's Service, or the host and port of its URL; <c>*</c> for every webhook.</param>
sealed record AdmissionConfiguration(string Folder, string Certificate, string Key, string Webhook)
{
    /// <summary>The file that <c>--admission-control-config-file</c> names.</summary>
    internal string AdmissionFile => $"{Folder}/admission.yaml";

    /// <summary>The kubeconfig that it refers to.</summary>
    internal string KubeconfigFile => $"{Folder}/webhooks.kubeconfig";

    /// <summary>The content of <see cref="AdmissionFile"/>.</summary>
    internal string Admission => $"""
        apiVersion: apiserver.config.k8s.io/v1
        kind: AdmissionConfiguration
        plugins:
          - name: MutatingAdmissionWebhook
            configuration:
              apiVersion: apiserver.config.k8s.io/v1
              kind: WebhookAdmissionConfiguration
              kubeConfigFile: {Quoted(KubeconfigFile)}
        """;

    /// <summary>The content of <see cref="KubeconfigFile"/>.</summary>
    internal string Kubeconfig => $"""
        apiVersion: v1
        kind: Config
        users:
          - name: {Quoted(Webhook)}
            user:
              client-certificate: {Quoted(Certificate)}
              client-key: {Quoted(Key)}
        """;

    // A JSON string is a YAML one.
    static string Quoted(string text) => $"\"{JsonEncodedText.Encode(text)}\"";
}
