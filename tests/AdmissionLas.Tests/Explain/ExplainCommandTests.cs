using Microsoft.AspNetCore.Http;

namespace AdmissionLas.Tests.Explain;

/// <summary>The verb as its user types it: what is shown, what is told, and what the shell gets back.</summary>
[Collection(ConsoleCollection.Name)]
public sealed class ExplainCommandTests : IDisposable
{
    readonly DirectoryInfo files = Directory.CreateTempSubdirectory("admissionlas-explain-");

    [Fact]
    public async Task A_step_that_would_be_placed_is_explained_in_plain_columns_with_0()
    {
        var (exitCode, output, errors) = await CommandLine.RunAsync("explain", Write(Text.PredictPod), "--demo");

        Assert.Equal((0, ""), (exitCode, errors));
        Assert.Contains(Assert.Single(Text.Explain(Text.PredictPod)).Sentence, output, StringComparison.Ordinal);
        Assert.Matches("(?m)^home-edge-node +9.8 ms +2/2 +3.7Gi/3.7Gi +110/110 +can run it, chosen +100 +yes *$", output);
        Assert.Matches("(?m)^nitos-cloud-node +89.667 ms +8/8 +14.9Gi/14.9Gi +110/110 +can run it +1 +yes *$", output);
        Assert.Contains("+            - home-edge-node", output, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', output);
        Assert.DoesNotContain('│', output);
    }

    [Theory]
    [InlineData("OurLocation: HOME-EDG", Outcome.UnknownLocation)]
    [InlineData("other: x", Outcome.NoLocation)]
    public async Task A_step_without_a_place_is_explained_with_2(string instead, Outcome outcome)
    {
        var pod = Text.PredictPod.Replace("OurLocation: HOME-EDGE", instead, StringComparison.Ordinal);

        var (exitCode, output, _) = await CommandLine.RunAsync("explain", Write(pod), "--demo");

        var explained = Assert.Single(Text.Explain(pod));
        Assert.Equal((2, outcome), (exitCode, explained.Explanation!.Decision.Outcome));
        Assert.Contains(explained.Sentence, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_step_whose_requests_change_its_QoS_class_is_explained_with_0_and_a_warning()
    {
        var (exitCode, output, _) = await CommandLine.RunAsync(
            "explain", Write("kind: Pod\nmetadata: { name: fit, labels: { typeOfComponent: Training } }\nspec: { containers: [{ name: main }] }\n"), "--demo");

        Assert.Equal(0, exitCode);
        Assert.Contains("warning: added requests make it Burstable", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pipeline_without_labels_says_which_to_set_with_2()
    {
        var (exitCode, output, errors) = await CommandLine.RunAsync("explain", Write("# a pod\nkind: Pod\nmetadata: { name: a }\nspec: {}\n---\nkind: Pod\nmetadata: { name: b }\nspec: {}\n"), "--demo");

        Assert.Equal(2, exitCode);
        Assert.Contains("no step of a known type (no rule): the pod is left as it is", output, StringComparison.Ordinal);
        Assert.Equal("admission-las: line 2: none of the 2 pods says that it is a step; label them typeOfComponent=Predict and OurLocation=<location>, or typeOfComponent=Training\n", errors);
    }

    [Fact]
    public async Task What_can_be_explained_is_although_something_cannot_with_1()
    {
        var file = Write($"{Text.PredictPod}\n---\nkind: Pod\nmetadata: {{ name: broken }}\nspec: {{ containers: 7 }}\n");

        var (exitCode, output, errors) = await CommandLine.RunAsync("explain", file, "--demo");

        Assert.Equal(1, exitCode);
        Assert.Contains(Assert.Single(Text.Explain(Text.PredictPod)).Sentence, output, StringComparison.Ordinal);
        Assert.Equal($"admission-las: {file}: line 13: broken: the pod cannot be read: spec.containers is not a list; the API server would refuse it too; see kubectl explain pod\n", errors);
    }

    [Theory]
    [InlineData("", "the input is empty")]
    [InlineData("a: [", "line ")]
    [InlineData("PK\u0003\u0004zip", "this is an archive; unpack it and give the YAML file in it")]
    [InlineData("\u0001\u0002", "line 1: this is text and no object; give a Pod, ")]
    public async Task What_cannot_be_used_is_told_in_a_line_with_1(string text, string told)
    {
        var (exitCode, output, errors) = await CommandLine.RunAsync("explain", Write(text), "--demo");

        Assert.Equal((1, ""), (exitCode, output));
        Assert.Contains(told, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_many_megabytes_is_told_with_1()
    {
        var (exitCode, _, errors) = await CommandLine.RunAsync("explain", Write(new string('#', 20 * 1024 * 1024)), "--demo");

        Assert.Equal(1, exitCode);
        Assert.Contains("MB, and the API server takes no more than 3; give the object or pipeline alone", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nowhere.yaml", "there is no file nowhere.yaml; a pod of the cluster is written namespace/name")]
    [InlineData("team-a/pod", "there is no file team-a/pod; a pod of the cluster can only be read from the cluster, not from a snapshot")]
    [InlineData("/", "/ is a directory; give one of its files")]
    public async Task What_is_not_there_is_told(string what, string told)
    {
        var (exitCode, _, errors) = await CommandLine.RunAsync("explain", what, "--demo");

        Assert.Equal((1, $"admission-las: {told}\n"), (exitCode, errors));
    }

    [Fact]
    public async Task Text_that_a_terminal_would_obey_is_only_shown()
    {
        var (_, output, errors) = await CommandLine.RunAsync("explain", Write(Text.PredictPod.Replace("name: predict", "name: \"a\\e[2Jb\\u202e\"", StringComparison.Ordinal)), "--demo");

        Assert.DoesNotContain('\e', output + errors);
        Assert.DoesNotContain('\u202e', output + errors);
        Assert.Contains("a?[2Jb?", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_and_yaml_say_the_same()
    {
        var json = JsonNode.Parse((await CommandLine.RunAsync("explain", Write(Text.PredictPod), "--demo", "-o", "json")).Output)!;
        using var yaml = new StringReader((await CommandLine.RunAsync("explain", Write(Text.PredictPod), "--demo", "--output", "yaml")).Output);

        Assert.True(JsonNode.DeepEquals(json, YamlSource.Read(yaml)[0].Root));
        var step = json["steps"]![0]!;
        Assert.Equal("home-edge-node", step["chosen"]!.GetValue<string>());
        Assert.Equal([100, 6, 1], step["nodes"]!.AsArray().Select(n => n!["weight"]!.GetValue<int>()));
        Assert.Equal("/metadata/annotations", step["patch"]![0]!["path"]!.GetValue<string>());
    }

    [Fact]
    public async Task The_clusters_own_configuration_and_usage_count_and_a_snapshot_explains_the_same()
    {
        await using var cluster = await ClusterAsync();
        var (kubeconfig, pod, saved) = (Kubeconfig(cluster), Write(Text.PredictPod + "\n      resources: { requests: { cpu: 100m } }"), Path.Combine(files.FullName, "snapshot.yaml"));

        var live = await CommandLine.RunAsync("explain", pod, "--kubeconfig", kubeconfig, "-n", "team-a", "-o", "json");
        var taken = await CommandLine.RunAsync("snapshot", "--kubeconfig", kubeconfig, "--file", saved);
        var offline = await CommandLine.RunAsync("explain", pod, "--snapshot", saved, "-n", "team-a", "-o", "json");

        Assert.Equal((0, "", ""), taken);
        Assert.Equal(live, offline);
        var step = JsonNode.Parse(live.Output)!["steps"]![0]!;
        // home-edge-node is full, and the configuration names one node only.
        Assert.Equal("nitlab-edge-node", step["chosen"]!.GetValue<string>());
        Assert.Equal([0, 100, 0], step["nodes"]!.AsArray().Select(n => n!["weight"]!.GetValue<int>()));
        Assert.Equal("too little cpu", step["nodes"]![0]!["verdict"]!.GetValue<string>());
        Assert.Equal(["namespace team-a does not opt in, so the webhook is not asked for its pods; kubectl label namespace team-a admissionlas.io/inject=enabled"],
            JsonNode.Parse(live.Output)!["notices"]!.AsArray().Select(n => n!.GetValue<string>()));
    }

    [Fact]
    public async Task What_is_named_wins_over_the_clusters_configuration_and_its_faults_are_told()
    {
        await using var cluster = await ClusterAsync();
        var (kubeconfig, pod) = (Kubeconfig(cluster), Write(Text.PredictPod));

        var named = await CommandLine.RunAsync("explain", pod, "--kubeconfig", kubeconfig, "-o", "json", "--config", Write("placement: { namedNodes: 2 }", "named.yaml"));
        var faulty = await CommandLine.RunAsync("explain", pod, "--kubeconfig", kubeconfig, "--config", Write("placement: { namedNodes: 99 }", "faulty.yaml"));

        Assert.Equal(2, JsonNode.Parse(named.Output)!["steps"]![0]!["nodes"]!.AsArray().Count(n => n!["weight"]!.GetValue<int>() > 0));
        Assert.Equal(1, faulty.ExitCode);
        Assert.Contains("NamedNodes", faulty.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_live_pod_is_decided_on_again_as_if_it_were_not_there()
    {
        await using var cluster = await ClusterAsync();

        var (exitCode, output, errors) = await CommandLine.RunAsync("explain", "team-a/full", "--kubeconfig", Kubeconfig(cluster), "-o", "json");

        Assert.True(exitCode == 0, errors);
        var step = JsonNode.Parse(output)!["steps"]![0]!;
        Assert.Equal("home-edge-node", step["chosen"]!.GetValue<string>());
        Assert.Equal("Placed", step["outcome"]!.GetValue<string>());
        Assert.Contains("it runs on home-edge-node; what stands here is what would be decided now", step["notes"]!.AsArray().Select(n => n!.GetValue<string>()));
        Assert.Contains("when it was created: predict at HOME-EDGE", step["notes"]!.AsArray().Select(n => n!.GetValue<string>()));
        // The preference that it had counts as its author's; ours, for the one node that may be named, comes once.
        Assert.Equal(
            ["/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/-"],
            step["patch"]!.AsArray().Select(p => p!["path"]!.GetValue<string>()).Where(p => p.Contains("nodeAffinity", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_pod_that_is_not_in_the_cluster_is_told()
    {
        await using var cluster = await ClusterAsync();

        var (exitCode, _, errors) = await CommandLine.RunAsync("explain", "team-a/gone", "--kubeconfig", Kubeconfig(cluster));

        Assert.Equal((1, "admission-las: there is no file team-a/gone, and no pod gone in namespace team-a; kubectl -n team-a get pods\n"), (exitCode, errors));
    }

    [Fact]
    public async Task A_cluster_that_shows_nodes_alone_is_explained_with_what_follows_from_that()
    {
        await using var cluster = await ClusterAsync(forbidden: true);

        var (exitCode, output, errors) = await CommandLine.RunAsync("explain", Write(Text.PredictPod), "--kubeconfig", Kubeconfig(cluster));

        Assert.Equal(0, exitCode);
        Assert.Contains(Assert.Single(Text.Explain(Text.PredictPod)).Sentence, output, StringComparison.Ordinal);
        Assert.Contains("pods cannot be listed, so every node counts as empty", errors, StringComparison.Ordinal);
        Assert.Contains("so the defaults are assumed; name it with --config", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_clusters_runtime_class_counts_and_where_it_is_not_known_the_output_says_so()
    {
        await using var cluster = await ClusterAsync();
        await using var closed = await ClusterAsync(forbidden: true);
        var pod = Write(Text.PredictPod.Replace("spec:", "spec:\n  runtimeClassName: gvisor\n  priorityClassName: high", StringComparison.Ordinal));

        var known = JsonNode.Parse((await CommandLine.RunAsync("explain", pod, "--kubeconfig", Kubeconfig(cluster), "-o", "json")).Output)!["steps"]![0]!;
        var refused = await CommandLine.RunAsync("explain", pod, "--kubeconfig", Kubeconfig(closed));
        var demo = JsonNode.Parse((await CommandLine.RunAsync("explain", pod, "--demo", "-o", "json")).Output)!["steps"]![0]!;

        Assert.Equal(("nitos-cloud-node", "250m"), (known["chosen"]!.GetValue<string>(), known["request"]!["cpu"]!.GetValue<string>()));
        Assert.Empty(known["notes"]!.AsArray());
        Assert.Contains("note: its runtime class gvisor is not known here and does not count; ", refused.Output, StringComparison.Ordinal);
        Assert.Contains("priority classes cannot be read, so none counts, nor does the default one", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("runtime classes cannot be read, so what they add to a pod does not count", refused.Errors, StringComparison.Ordinal);
        Assert.Equal(2, demo["notes"]!.AsArray().Count(n => n!.GetValue<string>().Contains("is not known here and does not count; ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("--snapshot", "x", "--demo")]
    [InlineData("--kubeconfig", "x", "--demo")]
    [InlineData("--snapshot", "x", "--context=y")]
    public async Task Only_one_source_may_be_named(params string[] options)
    {
        var (exitCode, _, errors) = await CommandLine.RunAsync(["explain", "-", .. options]);

        Assert.Equal(1, exitCode);
        Assert.Contains("exclude each other", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_matrix_shows_every_latency_and_what_is_missing()
    {
        var nodes = Write("""
            kind: List
            items:
              - { kind: Node, metadata: { name: a, labels: { latency.admissionlas.io/HOME: '1.5', latency.admissionlas.io/LAB: 800us } } }
              - { kind: Node, metadata: { name: b, labels: { latency.admissionlas.io/HOME: fast } } }
            """);

        var (exitCode, output, _) = await CommandLine.RunAsync("matrix", "--snapshot", nodes);
        var json = JsonNode.Parse((await CommandLine.RunAsync("matrix", "--snapshot", nodes, "-o", "json")).Output)!;

        Assert.Equal(0, exitCode);
        Assert.Matches("(?m)^a +1.5 +0.8 *$", output);
        Assert.Matches("(?m)^b +\\? +- *$", output);
        Assert.Contains("b: the latency to HOME cannot be read: \"fast\"; write it as 9.8, 9.8ms or 800us", output, StringComparison.Ordinal);
        Assert.Equal("""{"locations":["HOME","LAB"],"nodes":[{"name":"a","latencyMs":{"HOME":1.5,"LAB":0.8}},{"name":"b","latencyMs":{"HOME":null,"LAB":null}}],"unreadable":[{"node":"b","location":"HOME","value":"fast"}]}""", json.ToJsonString());
    }

    // The webhook's configuration is in the snapshot, or in a file.
    [Theory]
    [InlineData(null, false)]
    [InlineData("all", false)]
    [InlineData("restricted", true)]
    public async Task Where_only_latencies_that_no_kubelet_can_write_count_no_command_shows_others(string? latencyLabels, bool isRestricted)
    {
        const string Nodes = """
            kind: List
            items:
              - { kind: Node, metadata: { name: safe, labels: { latency.admissionlas.io.node-restriction.kubernetes.io/HOME-EDGE: '5' } }, status: { conditions: [{ type: Ready, status: 'True' }], allocatable: { cpu: '4', memory: 8Gi, pods: '9' } } }
              - { kind: Node, metadata: { name: sly, labels: { latency.admissionlas.io/HOME-EDGE: '0.001' } }, status: { conditions: [{ type: Ready, status: 'True' }], allocatable: { cpu: '4', memory: 8Gi, pods: '9' } } }
            """;
        var configuration = $"nodes: {{ latencyLabels: {latencyLabels ?? "all"} }}";
        var inSnapshot = Write($"{Nodes}\n  - {{ kind: ConfigMap, metadata: {{ name: admission-las }}, data: {{ admission-las.yaml: '{configuration}' }} }}", "with-configuration.yaml");
        var alone = Write(Nodes, "nodes.yaml");
        string[][] sources = [["--snapshot", inSnapshot], ["--snapshot", alone, "--config", Write(configuration, "configuration.yaml")]];
        var pod = Write(Text.PredictPod);

        foreach (var source in latencyLabels is null ? [["--snapshot", alone]] : sources)
        {
            var matrix = JsonNode.Parse((await CommandLine.RunAsync(["matrix", "-o", "json", .. source])).Output)!;
            var explained = (await CommandLine.RunAsync(["explain", pod, .. source])).Output;

            Assert.Equal(isRestricted ? null : 0.001, matrix["nodes"]![1]!["latencyMs"]!["HOME-EDGE"]?.GetValue<double>());
            Assert.Contains(isRestricted ? "predict at HOME-EDGE: safe (5 ms)" : "predict at HOME-EDGE: sly (0.001 ms)", explained, StringComparison.Ordinal);
        }
    }

    public void Dispose() => files.Delete(recursive: true);

    static async Task<FakeApiServer> ClusterAsync(bool forbidden = false)
    {
        var full = Text.Object(Text.PredictPod + "\n      resources: { requests: { cpu: '1990m' } }");
        var metadata = full["metadata"]!.AsObject();
        (metadata["name"], metadata["namespace"], metadata["uid"]) = ("full", "team-a", "uid-full");
        metadata["annotations"] = new JsonObject { ["admissionlas.io/decision"] = "predict at HOME-EDGE", ["admissionlas.io/assumed"] = "home-edge-node/r" };
        full["spec"]!["nodeName"] = "home-edge-node";
        full["spec"]!["affinity"] = Text.Object("""
            nodeAffinity:
              preferredDuringSchedulingIgnoredDuringExecution:
                - { weight: 7, preference: { matchExpressions: [ { key: kubernetes.io/os, operator: Exists } ] } }
                - { weight: 100, preference: { matchExpressions: [ { key: kubernetes.io/hostname, operator: In, values: [ home-edge-node ] } ] } }
                - { weight: 12, preference: { matchExpressions: [ { key: kubernetes.io/hostname, operator: In, values: [ nitlab-edge-node ] } ] } }
            """);
        full["spec"]!["containers"]![0]!["env"] = Text.Object("a: [ { name: PASSWORD, value: hunter2 } ]")["a"]!.DeepClone();
        var server = await FakeApiServer.StartAsync();
        using var testbed = AdmissionLas.Configuration.EmbeddedFiles.Open("testbed/nodes.yaml");
        JsonObject[] nodes = [.. YamlSource.Read(testbed).Select(d => d.Root).OfType<JsonObject>()];
        return server.OnList(http => http.Request.Path.Value switch
        {
            "/api/v1/nodes" => FakeApiServer.List("1", null, nodes)(http),
            _ when forbidden => FakeApiServer.Status(403)(http),
            "/api/v1/pods" => FakeApiServer.List("1", null, full)(http),
            "/api/v1/namespaces" => FakeApiServer.List("1", null, Text.Object("kind: Namespace\nmetadata: { name: team-a }"))(http),
            "/api/v1/namespaces/admission-las/configmaps/admission-las" => http.Response.WriteAsync(
                Text.Object("kind: ConfigMap\nmetadata: { name: admission-las, namespace: admission-las }\ndata: { admission-las.yaml: 'placement: { namedNodes: 1 }' }").ToJsonString()),
            "/apis/scheduling.k8s.io/v1/priorityclasses" => FakeApiServer.List("1", null, Text.Object("metadata: { name: high }\nvalue: 1000\nglobalDefault: true\npreemptionPolicy: Never"))(http),
            "/apis/node.k8s.io/v1/runtimeclasses" => FakeApiServer.List("1", null, Text.Object("metadata: { name: gvisor }\noverhead: { podFixed: { cpu: 250m } }\nscheduling: { nodeSelector: { kubernetes.io/hostname: nitos-cloud-node } }"))(http),
            "/api/v1/namespaces/team-a/pods/full" => http.Response.WriteAsync(full.ToJsonString()),
            _ => FakeApiServer.Status(404)(http),
        });
    }

    string Kubeconfig(FakeApiServer server) => Write($$"""
        apiVersion: v1
        kind: Config
        current-context: fake
        contexts: [ { name: fake, context: { cluster: fake, user: fake } } ]
        clusters: [ { name: fake, cluster: { server: "{{server.Address}}" } } ]
        users: [ { name: fake, user: { token: none } } ]
        """, "kubeconfig");

    string Write(string text, string name = "input.yaml")
    {
        var file = Path.Combine(files.FullName, name);
        File.WriteAllText(file, text);
        return file;
    }
}
