namespace AdmissionLas.ClusterTests;

/// <summary>The verification tables of the LAS thesis, chapter 4, on the unmodified default scheduler.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class ThesisTests(ControlPlane cluster)
{
    const int Repetitions = 5;

    [Theory]
    [InlineData("predict-nitos-cloud", "nitos-cloud-node")]
    [InlineData("predict-nitlab-edge", "nitlab-edge-node")]
    [InlineData("predict-home-edge", "home-edge-node")]
    public async Task Predict_steps_land_on_the_node_nearest_to_their_location(string sample, string nearest)
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        for (var i = 0; i < Repetitions; i++)
        {
            Assert.Equal(nearest, await ns.NodeOfAsync(await ns.CreateAsync(Steps.Sample(sample))));
        }
    }

    [Fact]
    public async Task Training_steps_land_on_a_cloud_node_every_time()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        for (var i = 0; i < 3; i++)
        {
            var pod = await ns.CreateAsync(Steps.Sample("training"));

            Assert.Equal("nitos-cloud-node", await ns.NodeOfAsync(pod));
            Assert.Equal("2", pod["spec"]!["containers"]!.AsArray().Single(c => c!["name"]!.ToString() == "main")!["resources"]!["requests"]!["cpu"]!.ToString());
        }
    }

    [Theory]
    [InlineData("data-fetching")]
    [InlineData("evaluation")]
    public async Task Other_steps_are_untouched(string sample)
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        var pod = await ns.CreateAsync(Steps.Sample(sample));

        Assert.Null(TestNamespace.DecisionOf(pod));
        Assert.Null(pod["spec"]!["affinity"]);
        Assert.NotEmpty(await ns.NodeOfAsync(pod));
    }
}
