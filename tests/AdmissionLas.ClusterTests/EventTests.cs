using AdmissionLas.Observers;

namespace AdmissionLas.ClusterTests;

/// <summary>What people see with kubectl of a step that cannot be placed near its location.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class EventTests(ControlPlane cluster)
{
    const string Nowhere = "NOWHERE-AT-ALL";

    [Fact]
    public async Task Kubectl_describes_the_owner_of_such_a_step_with_the_reason()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var owner = await cluster.Api.CreateAsync($"/api/v1/namespaces/{ns.Name}/replicationcontrollers", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "predictor" },
            ["spec"] = new JsonObject
            {
                ["replicas"] = 0,
                ["template"] = new JsonObject
                {
                    ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["app"] = "predictor" } },
                    ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = "alpine:3.20" }) },
                },
            },
        });

        var pod = await ns.CreateAsync(Owned(owner));

        var @event = Assert.Single(await EventsAsync(ns, atLeast: 1));
        Assert.Equal(("ReplicationController", "predictor", $"{owner["metadata"]!["uid"]}"), ($"{@event["involvedObject"]!["kind"]}", $"{@event["involvedObject"]!["name"]}", $"{@event["involvedObject"]!["uid"]}"));
        Assert.Equal(("LocationUnknown", "Warning"), ($"{@event["reason"]}", $"{@event["type"]}"));
        Assert.NotNull(pod["metadata"]!["uid"]);
        var described = await new Kubectl(cluster.Kubeconfig).RunAsync(null, "-n", ns.Name, "describe", "replicationcontroller", "predictor");
        Assert.Contains("this prediction step may run far from NOWHERE-AT-ALL", described.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubectl_shows_the_warning_to_who_creates_the_step()
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        var created = await new Kubectl(cluster.Kubeconfig).RunAsync(Steps.Predict("HOME-EGDE"), "-n", ns.Name, "create", "-f", "-");

        Assert.True(created.ExitCode == 0, created.Errors);
        Assert.Contains("Warning: admission-las: this prediction step may run far from HOME-EGDE: no such place is known; did you mean HOME-EDGE?", created.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kubectl_shows_no_warning_of_what_the_webhook_itself_adds()
    {
        await using var ns = await cluster.CreateNamespaceAsync();

        foreach (var step in (JsonObject[])[Steps.Predict("HOME-EDGE"), Steps.Training()])
        {
            // With requests of its own its QoS class stays as it is.
            step["spec"]!["containers"]![0]!["resources"] = JsonNode.Parse("""{ "requests": { "cpu": "10m" } }""");
            var created = await new Kubectl(cluster.Kubeconfig).RunAsync(step, "-n", ns.Name, "create", "-f", "-");

            Assert.True(created.ExitCode == 0, created.Errors);
            Assert.Empty(created.Errors);
        }
    }

    [Fact]
    public async Task A_burst_of_200_is_a_few_events_and_a_dry_run_is_none()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await cluster.Api.CreateAsync($"{ns.Pods}?dryRun=All", Owned(Workflow("tried")));

        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) => await ns.CreateAsync(Owned(Workflow($"run-{i}"))));

        var events = await EventsAsync(ns, EventAggregator.MaxSentSingly);
        Assert.Equal(200, (await ns.ListAsync()).Length);
        Assert.Equal(EventAggregator.MaxSentSingly, events.Length);
        Assert.All(events, e => Assert.StartsWith("run-", $"{e["involvedObject"]!["name"]}", StringComparison.Ordinal));
    }

    async Task<JsonObject[]> EventsAsync(TestNamespace ns, int atLeast)
    {
        JsonObject[] events = [];
        await Eventually.IsTrueAsync($"there are {atLeast} events", async () =>
        {
            // The scheduler writes events too.
            events = [.. (await cluster.Api.GetAsync($"/api/v1/namespaces/{ns.Name}/events"))["items"]!.AsArray().Select(e => e!.AsObject()).Where(e => $"{e["source"]!["component"]}" == "admission-las")];
            return events.Length >= atLeast;
        });
        return events;
    }

    static JsonObject Workflow(string name) => new()
    {
        ["apiVersion"] = "argoproj.io/v1alpha1",
        ["kind"] = "Workflow",
        ["metadata"] = new JsonObject { ["name"] = name, ["uid"] = Guid.NewGuid().ToString() },
    };

    static JsonObject Owned(JsonObject owner) => Steps.Predict(Nowhere).With(pod => pod["metadata"]!["ownerReferences"] = new JsonArray(new JsonObject
    {
        ["apiVersion"] = $"{owner["apiVersion"]}",
        ["kind"] = $"{owner["kind"]}",
        ["name"] = $"{owner["metadata"]!["name"]}",
        ["uid"] = $"{owner["metadata"]!["uid"]}",
        ["controller"] = true,
    }));
}
