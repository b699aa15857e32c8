using AdmissionLas.Explain;

namespace AdmissionLas.Tests.Explain;

/// <summary>Whatever makes pods is explained, each pod by itself.</summary>
public sealed class StepInputTests
{
    [Theory]
    [InlineData("apps/v1", "Deployment")]
    [InlineData("apps/v1", "StatefulSet")]
    [InlineData("apps/v1", "DaemonSet")]
    [InlineData("apps/v1", "ReplicaSet")]
    [InlineData("v1", "ReplicationController")]
    [InlineData("batch/v1", "Job")]
    [InlineData("serving.knative.dev/v1", "Service")]
    public void What_owns_pods_is_explained_by_its_template(string apiVersion, string kind)
    {
        var step = Assert.Single(Text.Explain($$"""
            apiVersion: {{apiVersion}}
            kind: {{kind}}
            metadata: { name: serve, namespace: team-a }
            spec:
              template: { metadata: { labels: { typeOfComponent: Predict, OurLocation: HOME-EDGE } }, spec: { containers: [ { name: main } ] } }
            """));

        Assert.Equal("home-edge-node", step.Explanation!.Decision.Chosen?.Name);
        Assert.Equal(("serve", $"{kind} serve", "team-a"), (step.Input.Name, step.Input.Origin, step.Namespace));
    }

    [Fact]
    public void A_cron_jobs_pod_is_two_templates_deep() => Assert.Equal("home-edge-node", Text.Decide("""
        apiVersion: batch/v1
        kind: CronJob
        metadata: { name: nightly }
        spec: { jobTemplate: { spec: { template: { metadata: { labels: { typeOfComponent: Predict, OurLocation: HOME-EDGE } }, spec: { containers: [ { name: main } ] } } } } }
        """).Chosen?.Name);

    [Fact]
    public void Every_replica_type_of_a_training_job_is_a_pod_of_its_own() => Assert.Equal(["net-master", "net-worker"], Text.Explain("""
        apiVersion: kubeflow.org/v1
        kind: PyTorchJob
        metadata: { name: net }
        spec:
          pytorchReplicaSpecs:
            Master: { template: { spec: { containers: [ { name: pytorch } ] } } }
            Worker: { template: { spec: { containers: [ { name: pytorch } ] } } }
        """).Select(s => s.Input.Name));

    [Fact]
    public void Many_documents_and_lists_are_explained_in_order_and_what_makes_no_pods_is_passed_over()
    {
        var inputs = Text.Read($"""
            {Text.PredictPod}
            ---
            apiVersion: v1
            kind: Service
            metadata: [ ]
            ---
            kind: List
            items:
              - kind: Pod
                metadata: [ ]
              - kind: Pod
                metadata: [ ]
            ---
            # nothing here
            """.Replace("[ ]", "{ name: other }", StringComparison.Ordinal));

        Assert.Equal(["predict", "other", "other"], inputs.Steps.Select(s => s.Name));
        Assert.Equal([1, 17, 19], inputs.Steps.Select(s => s.Line));
        Assert.Empty(inputs.Problems);
        Assert.Equal("line 11: a Service makes no pods that could be explained", Assert.Single(inputs.PassedOver).ToString());
    }

    [Fact]
    public void A_bad_document_does_not_spoil_the_others()
    {
        var inputs = Text.Read($"just words\n---\n{Text.PredictPod}");

        Assert.Equal("predict", Assert.Single(inputs.Steps).Name);
        Assert.StartsWith("line 1: this is text and no object; give a Pod, ", Assert.Single(inputs.Problems).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_is_a_request_where_there_is_none_as_behind_an_API_server()
    {
        var step = Assert.Single(Text.Explain(Text.PredictPod + "\n      resources: { limits: { cpu: '3', memory: 1Gi }, requests: { memory: 512Mi } }"));

        Assert.Equal((3000, 512L << 20), (step.Explanation!.Request.CpuMilli, step.Explanation.Request.MemoryBytes));
        Assert.Equal("nitos-cloud-node", step.Explanation.Decision.Chosen?.Name);
    }

    [Fact]
    public void An_inference_services_predictor_and_transformer_carry_what_KServe_gives_them()
    {
        var steps = Text.Explain("""
            apiVersion: serving.kserve.io/v1beta1
            kind: InferenceService
            metadata: { name: fraud-cards, namespace: serving, labels: { team: cards } }
            spec:
              predictor:
                minReplicas: 1
                nodeSelector: { kubernetes.io/os: linux }
                model: { modelFormat: { name: sklearn }, storageUri: s3://models/fraud }
              transformer:
                containers: [ { name: kserve-container, resources: { requests: { cpu: 250m } } } ]
            """, CompiledSettings.Of(new StepRules(rules: [new StepRule { Name = "fraud", InferenceService = "fraud-*", Kind = StepKinds.Predict, Location = "HOME-EDGE" }]), new PlacementPolicy()));

        Assert.Equal(["fraud-cards-predictor", "fraud-cards-transformer"], steps.Select(s => s.Input.Name));
        Assert.Equal([Outcome.Placed, Outcome.NotAStep], steps.Select(s => s.Explanation!.Decision.Outcome));
        Assert.Equal([1000L, 250], steps.Select(s => s.Explanation!.Request.CpuMilli));
        Assert.Equal("linux", steps[0].Input.Pod["spec"]!["nodeSelector"]!["kubernetes.io/os"]!.GetValue<string>());
        Assert.Null(steps[0].Input.Pod["spec"]!["minReplicas"]);
        Assert.Equal("cards", steps[1].Input.Pod["metadata"]!["labels"]!["team"]!.GetValue<string>());
        Assert.Contains("1 CPU and 2Gi", Assert.Single(steps[0].Input.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void An_inference_service_in_the_older_form_asks_for_what_its_framework_states() => Assert.Equal(3000, Assert.Single(Text.Explain("""
        apiVersion: serving.kserve.io/v1beta1
        kind: InferenceService
        metadata: { name: old }
        spec: { predictor: { sklearn: { storageUri: s3://m, resources: { requests: { cpu: 3 } } } } }
        """)).Explanation!.Request.CpuMilli);

    [Fact]
    public void The_explanation_of_every_sample_is_what_the_review_of_its_pod_gives()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Corpus"), "pod.yaml", SearchOption.AllDirectories))
        {
            var steps = Text.Explain(File.ReadAllText(file));
            Assert.True(steps.Length == 1 && steps[0].Fault is null && steps[0].Explanation!.Nodes.Count == 3, file);
        }
    }

    [Fact]
    public void The_diff_shows_what_is_added_and_no_environment()
    {
        var step = Assert.Single(Text.Explain(Text.PredictPod + "\n      env: [ { name: PASSWORD, value: hunter2 } ]\n      args: [ --token, hunter2 ]"));
        var diff = PodDiff.Of(step.Input.Pod, step.Patched);

        Assert.Equal(["--- pod as its author wrote it", "+++ pod as the webhook leaves it"], diff.Take(2));
        Assert.Contains("+    admissionlas.io/assumed: home-edge-node/" + StepExplainer.ReviewUid, diff);
        Assert.Contains("+  affinity:", diff);
        Assert.DoesNotContain(diff, l => l.StartsWith('-') && !l.StartsWith("---", StringComparison.Ordinal));
        Assert.DoesNotContain(diff, l => l.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public void The_hunks_of_a_diff_count_right()
    {
        var before = JsonNode.Parse("""{ "metadata": { "labels": { "a": "1", "b": "2", "c": "3", "d": "4", "e": "5", "f": "6", "g": "7", "h": "8", "i": "9", "j": "10", "k": "11" } }, "spec": {} }""")!.AsObject();
        var after = before.DeepClone().AsObject();
        after["metadata"]!["labels"]!["a"] = "one";
        after["metadata"]!["labels"]!["l"] = "12";

        Assert.Equal("""
            @@ -1,6 +1,6 @@
             metadata:
               labels:
            -    a: "1"
            +    a: one
                 b: "2"
                 c: "3"
                 d: "4"
            @@ -11,4 +11,5 @@
                 i: "9"
                 j: "10"
                 k: "11"
            +    l: "12"
             spec: {}
            """.ReplaceLineEndings("\n"), string.Join('\n', PodDiff.Of(before, after).Skip(2)));
    }
}
