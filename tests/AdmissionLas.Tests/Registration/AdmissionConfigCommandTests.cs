namespace AdmissionLas.Tests.Registration;

/// <summary>
/// The API server's part of mutual TLS, as https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#authenticate-apiservers
/// describes it. The control plane of the cluster tests runs with the same two texts.
/// </summary>
public sealed class AdmissionConfigCommandTests
{
    [Fact]
    public async Task It_prints_both_files_each_under_its_name()
    {
        var (exitCode, output, _) = await CommandLine.RunAsync("admission-config");

        Assert.Equal(0, exitCode);
        var documents = output.Split("---\n");
        Assert.StartsWith("# /etc/kubernetes/admission-las/admission.yaml\n", documents[0], StringComparison.Ordinal);
        Assert.StartsWith("# /etc/kubernetes/admission-las/webhooks.kubeconfig\n", documents[1], StringComparison.Ordinal);
        var (admission, kubeconfig) = (Yaml(documents[0]), Yaml(documents[1]));
        var plugin = Assert.Single(admission["plugins"]!.AsArray())!;
        Assert.Equal("MutatingAdmissionWebhook", plugin["name"]!.ToString());
        Assert.Equal("/etc/kubernetes/admission-las/webhooks.kubeconfig", plugin["configuration"]!["kubeConfigFile"]!.ToString());
        var user = Assert.Single(kubeconfig["users"]!.AsArray())!;
        Assert.Equal("admission-las.admission-las.svc", user["name"]!.ToString());
        Assert.Equal("/etc/kubernetes/pki/apiserver-kubelet-client.crt", user["user"]!["client-certificate"]!.ToString());
        Assert.Equal("/etc/kubernetes/pki/apiserver-kubelet-client.key", user["user"]!["client-key"]!.ToString());
    }

    [Fact]
    public async Task Paths_and_names_are_the_admins_own_whatever_is_in_them()
    {
        var (_, output, _) = await CommandLine.RunAsync("admission-config", "--folder", "/a \"b\"/", "--certificate", "/c: d", "--key", "/e#f", "--webhook", "10.0.0.7:8443");

        var documents = output.Split("---\n").Select(Yaml).ToArray();
        Assert.Equal("/a \"b\"/webhooks.kubeconfig", documents[0]["plugins"]![0]!["configuration"]!["kubeConfigFile"]!.ToString());
        var user = documents[1]["users"]![0]!;
        Assert.Equal(("10.0.0.7:8443", "/c: d", "/e#f"), (user["name"]!.ToString(), user["user"]!["client-certificate"]!.ToString(), user["user"]!["client-key"]!.ToString()));
    }

    static JsonObject Yaml(string text)
    {
        using var reader = new StringReader(text);
        return JsonObject.Create(YamlJson.ReadObjects(reader)[0])!;
    }
}
