namespace AdmissionLas.ClusterTests;

/// <summary>The thesis's application on the real control plane, as far as it needs no platform.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class TaxiTests(ControlPlane cluster)
{
    [Fact]
    public async Task The_plain_job_is_accepted_and_its_pod_lands_near_those_who_ask()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var job = Checkout.Yaml("manifests/samples/chicago-taxi/job.yaml");

        var (status, body) = await cluster.Api.TryCreateAsync($"/apis/batch/v1/namespaces/{ns.Name}/jobs?dryRun=All", job);
        Assert.True(status == HttpStatusCode.Created, $"{body["message"]}");

        // As the server has it; no Job controller runs here to make the pod.
        var pod = body["spec"]!["template"]!.DeepClone().AsObject();
        pod["metadata"]!["generateName"] = "chicago-taxi-predict-";
        Assert.Equal("home-edge-node", await ns.NodeOfAsync(await ns.CreateAsync(pod)));
    }
}
