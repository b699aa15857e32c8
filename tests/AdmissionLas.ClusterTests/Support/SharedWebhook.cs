namespace AdmissionLas.ClusterTests.Support;

/// <summary>The registration that the cluster tests share, after a test has had its own in its place.</summary>
static class SharedWebhook
{
    internal static async Task RestoreAsync(ControlPlane cluster)
    {
        await cluster.UnregisterAsync(ControlPlane.Registration);
        await cluster.RegisterAsync(ControlPlane.Registration);
        await using var ns = await cluster.CreateNamespaceAsync();
        await Eventually.IsTrueAsync("the shared webhook is called again", async () =>
            TestNamespace.DecisionOf(await ns.CreateAsync(Steps.Predict("HOME-EDGE"))) is not null);
    }
}
