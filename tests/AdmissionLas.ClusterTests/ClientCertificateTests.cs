namespace AdmissionLas.ClusterTests;

/// <summary>The API server shows its certificate to a webhook that asks for one, by its own AdmissionConfiguration.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class ClientCertificateTests(ControlPlane cluster)
{
    [Fact]
    public async Task The_api_server_is_let_in_by_its_certificate()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        try
        {
            await using var webhook = await cluster.StartWebhookForAsync(ControlPlane.ApiServerName);
            await cluster.StopWebhookAsync();

            await ns.WebhookIsCalledAsync();
        }
        finally
        {
            await cluster.StartWebhookAsync();
            await cluster.RestoreRegistrationAsync();
        }
    }

    [Fact]
    public async Task An_api_server_that_is_not_on_the_list_creates_its_pods_without_us()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        try
        {
            await using var webhook = await cluster.StartWebhookForAsync("another-api-server");
            await ns.WebhookIsNotCalledAsync();

            var pod = await ns.CreateAsync(Steps.Predict("HOME-EDGE"));

            Assert.Null(TestNamespace.DecisionOf(pod));
            Assert.NotEmpty(await ns.NodeOfAsync(pod));
        }
        finally
        {
            await cluster.RestoreRegistrationAsync();
        }
    }
}
