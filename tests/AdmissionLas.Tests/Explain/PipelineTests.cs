using AdmissionLas.Explain;

namespace AdmissionLas.Tests.Explain;

/// <summary>Compiled pipelines of both generations, a pod for each task.</summary>
public sealed class PipelineTests
{
    const string Version1 = """
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata: { generateName: taxi-, namespace: kubeflow, annotations: { pipelines.kubeflow.org/kfp_sdk_version: 1.8.22 } }
        spec:
          entrypoint: taxi
          nodeSelector: { kubernetes.io/os: linux }
          volumes: [ { name: data, persistentVolumeClaim: { claimName: data } }, { name: unused, persistentVolumeClaim: { claimName: unused } } ]
          templates:
            - name: train
              container: { image: a, resources: { limits: { cpu: '3' } }, volumeMounts: [ { name: data } ] }
              metadata: { labels: { typeOfComponent: Training } }
            - name: predict
              nodeSelector: { admissionlas.io/tier: edge }
              container: { image: a, resources: { requests: { cpu: '{{inputs.parameters.cpu}}', memory: 1Gi } } }
              sidecars: [ { name: proxy, resources: { requests: { cpu: 500m } } } ]
              metadata: { labels: { typeOfComponent: Predict, OurLocation: HOME-EDGE } }
            - name: serving
              steps: [ [ { name: one, template: predict } ] ]
            - name: taxi
              dag: { tasks: [ { name: fit, template: train }, { name: serve, template: serving } ] }
        """;

    const string Version2 = """
        components:
          comp-fit: { executorLabel: exec-fit }
          comp-score: { executorLabel: exec-score }
          comp-loop: { dag: { tasks: { score: { componentRef: { name: comp-score } } } } }
          comp-createpvc: { executorLabel: exec-createpvc }
        deploymentSpec:
          executors:
            exec-createpvc: { container: { image: argostub/createpvc } }
            exec-fit:
              container:
                image: python
                args: [ --function_to_execute, fit ]
                resources: { cpuLimit: 1.5, memoryLimit: 2.0, accelerator: { count: '1', type: nvidia.com/gpu } }
            exec-score:
              container:
                image: python
                command: [ sh ]
                args: [ --function_to_execute, score ]
                resources: { resourceCpuRequest: 500m, resourceMemoryRequest: '{{$.inputs.parameters[''memory'']}}' }
        pipelineInfo: { name: moons }
        root:
          dag:
            tasks:
              pvc: { componentRef: { name: comp-createpvc } }
              fit: { componentRef: { name: comp-fit } }
              for-loop-1: { componentRef: { name: comp-loop }, parameterIterator: { items: { raw: '[1]' } } }
        schemaVersion: 2.1.0
        ---
        platforms:
          kubernetes:
            deploymentSpec:
              executors:
                exec-score:
                  podMetadata: { labels: { typeOfComponent: Predict, OurLocation: NITLAB-EDGE } }
                  nodeSelector: { labels: { kubernetes.io/os: linux } }
                  tolerations: [ { key: a, operator: Exists }, { tolerationJson: { runtimeValue: { constant: [ { key: b, operator: Exists } ] } } }, { tolerationJson: { componentInputParameter: t } } ]
                  nodeAffinity:
                    - { matchExpressions: [ { key: kubernetes.io/arch, operator: In, values: [ amd64 ] } ] }
                    - { matchExpressions: [ { key: admissionlas.io/tier, operator: In, values: [ cloud ] } ], weight: 100.0 }
                  pvcMount: [ { constant: data, mountPath: /data } ]
        """;

    [Fact]
    public void A_v1_pipeline_gives_each_task_its_pod()
    {
        var steps = Text.Explain(Version1);

        Assert.Equal([("fit", 9), ("serve[0].one", 12)], steps.Select(s => (s.Input.Name, s.Input.Line)));
        Assert.All(steps, s => Assert.Equal(("KFP v1 pipeline taxi", "kubeflow"), (s.Input.Origin, s.Namespace)));
        Assert.Equal(["nitos-cloud-node", "home-edge-node"], steps.Select(s => s.Explanation!.Decision.Chosen?.Name));
        Assert.Equal([3000L, 500], steps.Select(s => s.Explanation!.Request.CpuMilli));
        Assert.Equal("taxi.serve[0].one", steps[1].Input.Pod["metadata"]!["annotations"]!["workflows.argoproj.io/node-name"]!.GetValue<string>());
    }

    [Fact]
    public void A_templates_node_selector_stands_in_the_place_of_the_workflows()
    {
        var steps = Text.Explain(Version1);

        Assert.Equal("""{"kubernetes.io/os":"linux"}""", steps[0].Input.Pod["spec"]!["nodeSelector"]!.ToJsonString());
        Assert.Equal("""{"admissionlas.io/tier":"edge"}""", steps[1].Input.Pod["spec"]!["nodeSelector"]!.ToJsonString());
        Assert.Equal(FilterResult.NodeSelector, steps[1].Explanation!.Nodes.Single(n => n.Node.Name == "nitos-cloud-node").Now);
    }

    [Fact]
    public void Only_volumes_that_a_template_mounts_are_its_pods()
    {
        var steps = Text.Explain(Version1);

        Assert.Equal("data", Assert.Single(steps[0].Input.Pod["spec"]!["volumes"]!.AsArray())!["name"]!.GetValue<string>());
        Assert.Null(steps[1].Input.Pod["spec"]!["volumes"]);
    }

    [Fact]
    public void An_amount_that_is_filled_in_when_it_runs_is_told_and_left_out() =>
        Assert.Contains("the cpu request of container main is set when it runs ({{inputs.parameters.cpu}}) and counts as none here", Text.Explain(Version1)[1].Input.Notes);

    [Fact]
    public void A_v2_pipeline_gives_each_task_the_pod_that_KFP_would_make()
    {
        var steps = Text.Explain(Version2);

        Assert.Equal(["fit", "for-loop-1.score"], steps.Select(s => s.Input.Name));
        Assert.All(steps, s => Assert.Equal("KFP v2 pipeline moons", s.Input.Origin));
        var (fit, score) = (steps[0].Explanation!, steps[1].Explanation!);
        Assert.Equal((1500L, 2_000_000_000L, 1L), (fit.Request.CpuMilli, fit.Request.MemoryBytes, fit.Request.AmountOf("nvidia.com/gpu")));
        Assert.Equal("nitlab-edge-node", score.Decision.Chosen?.Name);
        // KFP's own init container asks for more memory than the task does.
        Assert.Equal((500L, 128L << 20), (score.Request.CpuMilli, score.Request.MemoryBytes));
        Assert.Contains(new UnscoredFactor(UnscoredKind.SchedulerOnlyConstraint, SchedulerConstraint.Volumes), score.NotWeighed);
        var pod = steps[1].Input.Pod;
        Assert.Equal(["a", "b"], pod["spec"]!["tolerations"]!.AsArray().Select(t => t!["key"]!.GetValue<string>()));
        Assert.Equal(
            """{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"kubernetes.io/arch","operator":"In","values":["amd64"]}]}]},"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":100,"preference":{"matchExpressions":[{"key":"admissionlas.io/tier","operator":"In","values":["cloud"]}]}}]}""",
            pod["spec"]!["affinity"]!["nodeAffinity"]!.ToJsonString());
        // The author's own preference, 100 for the cloud, counts beside our 100, 12 and 5.
        Assert.Equal([("nitlab-edge-node", 178), ("nitos-cloud-node", 200), ("home-edge-node", 8L)], score.Nodes.Select(n => (n.Node.Name, n.Points!.Value.NodeAffinity)));
        Assert.Contains(steps[1].Input.Notes, n => n.StartsWith("its toleration comes from a parameter", StringComparison.Ordinal));
        Assert.Contains(steps[1].Input.Notes, n => n.StartsWith("the memory request of container main is set when it runs", StringComparison.Ordinal));
    }

    [Fact]
    public void Rules_see_a_v2_tasks_function_and_path()
    {
        var rules = new StepRules(rules:
        [
            new StepRule { Name = "by-function", Function = "fit", Kind = StepKinds.Training },
            new StepRule { Name = "by-path", NodeName = "moons.root.for-loop-1.*.score.executor", Kind = StepKinds.Predict, Location = "HOME-EDGE", WinsOverLabel = true },
        ]);

        var steps = Text.Explain(Version2, CompiledSettings.Of(rules, new PlacementPolicy()));

        Assert.Equal(["rule by-function", "rule by-path"], steps.Select(s => s.Explanation!.Decision.Step.TypeRule));
    }

    [Fact]
    public void A_pipeline_whose_graph_never_ends_is_cut()
    {
        var twice = string.Concat(Enumerable.Range(0, 40).Select(i => $"    - {{ name: g{i}, dag: {{ tasks: [ {{ name: a, template: g{i + 1} }}, {{ name: b, template: g{i + 1} }} ] }} }}\n"));
        var inputs = Text.Read($"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{ name: w }}\nspec:\n  entrypoint: g0\n  templates:\n{twice}    - {{ name: g40, container: {{ image: a }} }}\n");

        Assert.InRange(inputs.Steps.Count, 1, StepInput.MaxSteps);
    }

    [Fact]
    public void A_pipelines_settings_without_the_pipeline_are_told()
    {
        var inputs = Text.Read(Version2[Version2.IndexOf("platforms:", StringComparison.Ordinal)..]);

        Assert.Equal("line 1: these are a v2 pipeline's settings for Kubernetes, without the pipeline; give the whole file that the compiler wrote", Assert.Single(inputs.Problems).ToString());
    }

    [Fact]
    public void A_version_of_a_pipeline_is_known_by_its_group()
    {
        var pipeline = string.Join('\n', Version2[..Version2.IndexOf("---", StringComparison.Ordinal)].Split('\n').Select(l => $"    {l}"));

        Assert.Equal(["fit", "for-loop-1.score"], Text.Read($"apiVersion: pipelines.kubeflow.org/v2beta1\nkind: PipelineVersion\nspec:\n  pipelineSpec:\n{pipeline}").Steps.Select(s => s.Name));
        Assert.StartsWith("line 1: the kind PipelineVersion of example.com is not known", Text.Read($"apiVersion: example.com/v1\nkind: PipelineVersion\nspec:\n  pipelineSpec:\n{pipeline}").Problems[0].ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("template: gone", "line 6: the template gone is not in the workflow")]
    [InlineData("templateRef: { name: library, template: x }", "line 6: task a uses a template of library")]
    public void A_task_that_cannot_be_followed_is_told_with_its_line(string names, string told)
    {
        var inputs = Text.Read($"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{ name: w }}\nspec: {{ entrypoint: g, templates: [ {{ name: g, dag: {{ tasks: [\n#\n  {{ name: a, {names} }} ] }} }} ] }}\n");

        Assert.StartsWith(told, Assert.Single(inputs.Problems).ToString(), StringComparison.Ordinal);
    }
}
