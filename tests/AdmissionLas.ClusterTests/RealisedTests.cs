using AdmissionLas.Observers;
using Microsoft.Extensions.DependencyInjection;

namespace AdmissionLas.ClusterTests;

/// <summary>What the webhook and <c>doctor</c> tell of where steps really run.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class RealisedTests(ControlPlane cluster)
{
    [Fact]
    public async Task A_step_that_the_scheduler_places_as_decided_one_that_somebody_binds_elsewhere_and_one_that_nobody_decided_on_are_told_apart()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var nodes = await OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 110), ("4", "4000Mi", 110));
        using var measured = new Measurements(cluster.Webhook.Services.GetRequiredService<WebhookMetrics>());

        Assert.Equal(nodes.Names[0], await ns.NodeOfAsync(await ns.CreateAsync(Steps.Predict(nodes.Location))));
        await AreCountedAsync(("predict/as-decided", 1));
        Assert.Equal([0], measured.Of("admission_las.realised_regret"));

        await using (await cluster.StopSchedulerAsync())
        {
            await BindAsync(await ns.CreateAsync(Steps.Predict(nodes.Location)), "nitos-cloud-node");
            await AreCountedAsync(("predict/as-decided", 1), ("predict/elsewhere", 1));
        }

        // That node has no latency to the location.
        Assert.Single(measured.Of("admission_las.realised_regret"));
        Assert.Equal(0, Bypassed());
        await cluster.UnregisterAsync();
        try
        {
            await ns.WebhookIsNotCalledAsync();
            var before = await SettledAsync(await ns.ListAsync());
            await ns.CreateAsync(Steps.Predict(nodes.Location));
            await Eventually.IsTrueAsync("the step without a decision is counted", () => Task.FromResult(Bypassed() == before + 1));
        }
        finally
        {
            await cluster.RestoreRegistrationAsync();
        }

        var doctor = await Verb.RunAsync("doctor", "--kubeconfig", cluster.Kubeconfig, "--test-namespace", ns.Name);
        Assert.Contains(doctor.Lines("warning"), l => l.Contains(" of the placements of the last hour went elsewhere (1 of ", StringComparison.Ordinal));
        Assert.Contains(doctor.Lines("warning"), l => l.Contains(" of the last hour in namespaces that opt in came without a decision", StringComparison.Ordinal));

        Task AreCountedAsync(params (string, double)[] expected) => Eventually.IsTrueAsync(
            "the placements are counted", () => Task.FromResult(measured.Sums("admission_las.placements").SequenceEqual(expected)));

        double Bypassed() => measured.Of("admission_las.bypassed_steps").Sum();

        // The namespace has one more already: by it the test knows that the webhook is not called.
        async Task<int> SettledAsync(JsonObject[] pods)
        {
            var undecided = pods.Count(p => TestNamespace.DecisionOf(p) is null);
            await Eventually.IsTrueAsync("the steps before are counted", () => Task.FromResult(Bypassed() == undecided));
            return undecided;
        }

        Task BindAsync(JsonObject pod, string node) => cluster.Api.CreateAsync($"{ns.Pods}/{pod["metadata"]!["name"]}/binding", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Binding",
            ["metadata"] = new JsonObject { ["name"] = pod["metadata"]!["name"]!.DeepClone() },
            ["target"] = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Node", ["name"] = node },
        });
    }
}
