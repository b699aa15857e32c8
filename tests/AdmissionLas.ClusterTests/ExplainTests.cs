namespace AdmissionLas.ClusterTests;

/// <summary><c>explain</c> and <c>snapshot</c> beside the webhook and the default scheduler that they are about.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class ExplainTests(ControlPlane cluster) : IDisposable
{
    readonly DirectoryInfo files = Directory.CreateTempSubdirectory("admissionlas-explain-");

    [Theory]
    [InlineData("HOME-EDGE", "100m", "home-edge-node")]
    [InlineData("HOME-EDGE", "3", "nitos-cloud-node")]
    [InlineData("NITLAB-EDGE", "100m", "nitlab-edge-node")]
    public async Task It_says_the_node_that_the_scheduler_then_binds_and_says_it_of_the_live_pod_too(string location, string cpu, string node)
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var pod = Steps.Predict(location, cpu);
        var before = await ExplainAsync(Write(pod), "-n", ns.Name);

        var created = await ns.CreateAsync(pod);
        var bound = await ns.NodeOfAsync(created);
        var live = await ExplainAsync($"{ns.Name}/{created["metadata"]!["name"]}");

        Assert.Equal(node, bound);
        Assert.Equal((bound, bound), (Chosen(before), Chosen(live)));
        Assert.Equal([bound], Leading(before));
        Assert.Equal([bound], Leading(live));
        Assert.Equal(before["decision"]!.GetValue<string>(), TestNamespace.DecisionOf(created));
        Assert.Contains($"when it was created: {TestNamespace.DecisionOf(created)}", live["notes"]!.AsArray().Select(n => n!.GetValue<string>()));
    }

    [Fact]
    public async Task With_the_nearest_node_full_it_says_so_and_the_next_and_a_snapshot_says_the_same()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await ns.CreateAsync(Steps.Filler("home-edge-node", cpu: "1950m"));
        var pod = Steps.Predict("HOME-EDGE", cpu: "100m");
        var (file, saved) = (Write(pod), Path.Combine(files.FullName, "snapshot.yaml"));

        var live = await ExplainAsync(file, "-n", ns.Name);
        var taken = await Verb.RunAsync("snapshot", "--kubeconfig", cluster.Kubeconfig, "--file", saved);
        var offline = await Verb.RunAsync("explain", file, "-n", ns.Name, "--snapshot", saved, "--config", Checkout.PathOf("tests/Corpus/rules.yaml"), "-o", "json");

        Assert.True(taken.ExitCode == 0, taken.Errors);
        Assert.True(JsonNode.DeepEquals(live, JsonNode.Parse(offline.Output)!["steps"]![0]));
        Assert.Equal("too little cpu", live["nodes"]![0]!["verdict"]!.GetValue<string>());
        Assert.Equal("50m", live["nodes"]![0]!["free"]!["cpu"]!.GetValue<string>());
        Assert.Equal(Chosen(live), await ns.NodeOfAsync(await ns.CreateAsync(pod)));
    }

    [Fact]
    public async Task The_patch_that_it_shows_is_the_one_that_the_API_server_applies()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        var pod = Steps.Training();

        var explained = await ExplainAsync(Write(pod), "-n", ns.Name);
        var created = await ns.CreateAsync(pod);

        var patch = explained["patch"]!.AsArray().ToDictionary(o => o!["path"]!.GetValue<string>(), o => o!["value"]!);
        Assert.True(JsonNode.DeepEquals(patch["/spec/affinity"], created["spec"]!["affinity"]));
        Assert.True(JsonNode.DeepEquals(patch["/spec/containers/0/resources"]["requests"], created["spec"]!["containers"]![0]!["resources"]!["requests"]));
    }

    [Fact]
    public async Task Nothing_secret_is_in_a_snapshot()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await ns.AddAsync("secrets", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "keys" }, ["stringData"] = new JsonObject { ["key"] = "hunter2" } });
        await ns.AddAsync("configmaps", new JsonObject { ["metadata"] = new JsonObject { ["name"] = "settings" }, ["data"] = new JsonObject { ["key"] = "hunter2" } });
        await ns.CreateAsync(Steps.Predict("HOME-EDGE").With(p =>
        {
            p["metadata"]!["annotations"] = new JsonObject { ["vault"] = "hunter2" };
            p["metadata"]!["labels"]!["token"] = "hunter2";
            var container = p["spec"]!["containers"]![0]!;
            container["env"] = new JsonArray(new JsonObject { ["name"] = "PASSWORD", ["value"] = "hunter2" });
            container["args"] = new JsonArray("--token=hunter2");
            container["image"] = "registry.example/hunter2";
        }));

        var snapshot = await Verb.RunAsync("snapshot", "--kubeconfig", cluster.Kubeconfig);

        Assert.True(snapshot.ExitCode == 0, snapshot.Errors);
        Assert.Contains($"namespace: {ns.Name}", snapshot.Output, StringComparison.Ordinal);
        Assert.Contains("admissionlas.io/decision", snapshot.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", snapshot.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("managedFields", snapshot.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("kind: Secret", snapshot.Output, StringComparison.Ordinal);
    }

    public void Dispose() => files.Delete(recursive: true);

    async Task<JsonNode> ExplainAsync(string what, params string[] options)
    {
        var explain = await Verb.RunAsync(["explain", what, "--kubeconfig", cluster.Kubeconfig, "--config", Checkout.PathOf("tests/Corpus/rules.yaml"), "-o", "json", .. options]);
        Assert.True(explain.ExitCode == 0, explain.Errors + explain.Output);
        return Assert.Single(JsonNode.Parse(explain.Output)!["steps"]!.AsArray())!;
    }

    static string? Chosen(JsonNode step) => step["chosen"]?.GetValue<string>();

    static IEnumerable<string> Leading(JsonNode step) => step["leading"]!.AsArray().Select(n => n!.GetValue<string>());

    string Write(JsonObject pod)
    {
        var file = Path.Combine(files.FullName, "pod.json");
        File.WriteAllText(file, pod.ToJsonString());
        return file;
    }
}
