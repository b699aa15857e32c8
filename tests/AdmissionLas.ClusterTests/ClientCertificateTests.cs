namespace AdmissionLas.ClusterTests;

/// <summary>The API server shows its certificate to a webhook that asks for one, by its own AdmissionConfiguration.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class ClientCertificateTests(ControlPlane cluster)
{
    [Fact]
    public async Task The_api_server_is_let_in_by_its_certificate()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await cluster.UnregisterAsync(ControlPlane.Registration);
        try
        {
            await using var webhook = await cluster.StartWebhookForAsync("admission-las-mtls", ControlPlane.ApiServerName);

            await Eventually.IsTrueAsync("a pod is placed over mutual TLS", async () =>
                TestNamespace.DecisionOf(await ns.CreateAsync(Steps.Predict("HOME-EDGE"))) is not null);
        }
        finally
        {
            await cluster.RegisterAsync(ControlPlane.Registration);
        }

        await Eventually.IsTrueAsync("the first webhook is called again", async () =>
            TestNamespace.DecisionOf(await ns.CreateAsync(Steps.Predict("HOME-EDGE"))) is not null);
    }

    [Fact]
    public async Task An_api_server_that_is_not_on_the_list_creates_its_pods_without_us()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await cluster.UnregisterAsync(ControlPlane.Registration);
        try
        {
            await using var webhook = await cluster.StartWebhookForAsync("admission-las-mtls", "another-api-server");
            await Eventually.IsTrueAsync("the first webhook is no longer called", async () =>
                TestNamespace.DecisionOf(await ns.CreateAsync(Steps.Predict("HOME-EDGE"))) is null);

            var pod = await ns.CreateAsync(Steps.Predict("HOME-EDGE"));

            Assert.Null(TestNamespace.DecisionOf(pod));
            Assert.NotEmpty(await ns.NodeOfAsync(pod));
        }
        finally
        {
            await cluster.RegisterAsync(ControlPlane.Registration);
        }

        await Eventually.IsTrueAsync("the first webhook is called again", async () =>
            TestNamespace.DecisionOf(await ns.CreateAsync(Steps.Predict("HOME-EDGE"))) is not null);
    }
}
