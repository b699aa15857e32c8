namespace AdmissionLas.ClusterTests.Support;

/// <summary>
/// The two kinds of cert-manager that we use, with any content: enough to see that the API server takes the overlay. cert-manager itself, and
/// so its word on our certificates, is not to be had in these tests.
/// </summary>
sealed class StandInForCertManager(Kubectl kubectl, JsonObject[] definitions) : IAsyncDisposable
{
    internal static async Task<StandInForCertManager> InstallAsync(ControlPlane cluster)
    {
        var kubectl = new Kubectl(cluster.Kubeconfig);
        JsonObject[] definitions = [Definition("Certificate", "certificates"), Definition("Issuer", "issuers")];
        await kubectl.ApplyAsync(definitions);
        foreach (var definition in definitions)
        {
            await Eventually.IsTrueAsync($"{Overlay.NameOf(definition)} is served", async () =>
                (await cluster.Api.GetAsync($"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{Overlay.NameOf(definition)}"))["status"]?["conditions"]?.AsArray()
                    .Any(c => $"{c!["type"]}={c["status"]}" == "Established=True") == true);
        }

        return new StandInForCertManager(kubectl, definitions);
    }

    public async ValueTask DisposeAsync() => await kubectl.DeleteAsync(definitions);

    static JsonObject Definition(string kind, string plural) => JsonNode.Parse($$$"""
        {
          "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "{{{plural}}}.cert-manager.io" },
          "spec": {
            "group": "cert-manager.io", "scope": "Namespaced", "names": { "kind": "{{{kind}}}", "plural": "{{{plural}}}" },
            "versions": [{
              "name": "v1", "served": true, "storage": true,
              "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } }
            }]
          }
        }
        """)!.AsObject();
}
