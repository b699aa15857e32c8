using AdmissionLas.Explain;
using CsCheck;

namespace AdmissionLas.Tests.Explain;

/// <summary>What cannot be explained is told with its line and what to do; nothing ever throws.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData("", "the input is empty; give a Pod, ")]
    [InlineData(" \n\n", "the input is empty; give a Pod, ")]
    [InlineData("# nothing\n---\n# here\n", "there is nothing in it but comments; give a Pod, ")]
    [InlineData("hello", "line 1: this is text and no object; give a Pod, ")]
    [InlineData("- a\n- b", "line 1: this is a list and no object; give a Pod, ")]
    [InlineData("a: 1\nb: ]\n", "line 2: this is neither YAML nor JSON: ")]
    [InlineData("a: [", "line 1: this is neither YAML nor JSON: While parsing a node, did not find expected node content; correct it there")]
    [InlineData("a: 1\n\tb: 2\n", "line 2: this is neither YAML nor JSON: ")]
    [InlineData("{\"kind\": \"Pod\",,}", "line 1: this is neither YAML nor JSON: ")]
    [InlineData("a: 1\na: 2\n", "line 2: this is neither YAML nor JSON: the key a stands twice; correct it there")]
    [InlineData("a: &a\n  b: *a\n", "line 2: this is neither YAML nor JSON: the alias *a stands in what it names, which has no end; correct it there")]
    [InlineData("\nname: x\n", "line 2: it has no kind, so its type is unknown; give a Pod, ")]
    [InlineData("kind: ConfigMap\n", "line 1: a ConfigMap makes no pods that could be explained; give a Pod, ")]
    [InlineData("kind: Deployment\nmetadata: { name: web }\nspec: {}\n", "line 1: the Deployment has no spec.template; its pods are made from it")]
    [InlineData("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\n", "line 1: the Workflow has no templates of its own; give the object that has them")]
    [InlineData("apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\n", "line 1: the InferenceService has no spec.predictor; ")]
    [InlineData("pipelineInfo: { name: p }\nroot: { dag: {} }\n", "line 1: the pipeline p has no tasks that run a container; compile it again")]
    public void It_is_told_with_its_line_and_what_to_do(string text, string told)
    {
        var inputs = Text.Read(text);

        Assert.Empty(inputs.Steps);
        Assert.StartsWith(told, Assert.Single(inputs.Problems).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("spec:\n  containers: none", 6, "spec.containers is not a list")]
    [InlineData("spec:\n  nodeSelector: {}\n  containers: [ 1 ]", 7, "an item of spec.containers is not an object")]
    [InlineData("spec:\n  containers:\n    - resources:\n        requests: { cpu: lots }", 7, "spec.containers[].resources.requests holds a value that is no quantity")]
    [InlineData("status: {}", 2, "spec is missing")]
    [InlineData("spec: 7", 5, "spec is not an object")]
    public void A_pod_that_the_server_could_not_read_is_told_with_the_line_of_what_is_wrong(string spec, int line, string why)
    {
        var step = Assert.Single(Text.Explain($"# a pod\nkind: Pod\nmetadata:\n  name: broken\n{spec}\n"));

        Assert.Null(step.Explanation);
        Assert.Equal((line, $"broken: the pod cannot be read: {why}"), (step.Fault!.Line, step.Fault.Message));
    }

    [Fact]
    public void Five_megabytes_are_refused_before_they_are_parsed() => Assert.Equal(
        "the input has 5.0 MB, and the API server takes no more than 3; give the object or pipeline alone",
        Assert.Single(Text.Read(new string('[', 5 * 1024 * 1024)).Problems).ToString());

    [Fact]
    public void More_pods_than_anyone_would_look_at_are_cut_with_the_line()
    {
        var inputs = Text.Read(string.Concat(Enumerable.Repeat("---\nkind: Pod\nmetadata: { name: p }\n", StepInput.MaxSteps + 5)));

        Assert.Equal(StepInput.MaxSteps, inputs.Steps.Count);
        Assert.Equal((StepInput.MaxSteps * 3) + 2, inputs.Problems[0].Line);
    }

    [Fact]
    public void Whatever_stands_in_the_place_of_a_part_there_is_an_answer()
    {
        var whole = Text.Object("""
            kind: List
            items:
              - { apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: { name: lib }, spec: { templates: [ { name: x, http: {} }, { name: y, steps: [ [ { name: z, template: x } ] ] } ] } }
              - apiVersion: argoproj.io/v1alpha1
                kind: Workflow
                metadata: { name: w, annotations: { a: b } }
                spec:
                  entrypoint: main
                  arguments: { parameters: [ { name: p, value: "1" } ] }
                  podMetadata: { labels: { a: b } }
                  podSpecPatch: '{"containers":[{"name":"main","resources":{"limits":{"cpu":"{{workflow.parameters.p}}"}}}]}'
                  templateDefaults: { metadata: { labels: { c: d } }, container: { resources: { requests: { cpu: 1 } } }, tolerations: [ { key: a } ], volumes: [ { name: v, emptyDir: {} } ] }
                  volumeClaimTemplates: [ { metadata: { name: v } } ]
                  hooks: { exit: { template: job } }
                  templates:
                    - { name: main, nodeSelector: { a: b }, dag: { tasks: [ { name: t, template: job, onExit: job }, { name: u, templateRef: { name: lib, template: y } }, { name: v, inline: { script: {} } } ] } }
                    - { name: job, podSpecPatch: "{volumes: null}", container: { name: x, volumeMounts: [ { name: v } ] }, sidecars: [ { name: s } ], initContainers: [ { name: i } ], tolerations: [ { key: a, value: b } ], volumes: [ { name: v } ] }
              - { apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: { name: r }, spec: { workflowTemplateRef: { name: lib } } }
              - apiVersion: serving.kserve.io/v1beta1
                kind: InferenceService
                metadata: { name: i, labels: { a: b }, annotations: { serving.kserve.io/deploymentMode: Standard } }
                spec:
                  predictor:
                    model: { runtime: rt, storageUri: "pvc://a/b", resources: { requests: { cpu: 1, nvidia.com/gpu: 1 } } }
                    storageUris: [ { uri: "oci://a" } ]
                    containers: [ { name: c, env: [ { name: STORAGE_URI, value: "s3://a" } ] } ]
                    workerSpec: { pipelineParallelSize: 2, tensorParallelSize: 2, containers: [ { name: worker-container, resources: { limits: { nvidia.com/gpu: 1 } } } ] }
                  transformer: { containers: [ { name: c, resources: { requests: { cpu: 1 } } } ] }
              - { apiVersion: serving.kserve.io/v1alpha1, kind: ServingRuntime, metadata: { name: rt }, spec: { labels: { a: b }, containers: [ { name: kserve-container, resources: { limits: { cpu: 1 } } } ], workerSpec: { containers: [ { name: worker-container } ] } } }
              - { apiVersion: batch.volcano.sh/v1alpha1, kind: Job, metadata: { name: v }, spec: { schedulerName: a, volumes: [ { volumeClaimName: c } ], tasks: [ { name: t, template: { @ } } ] } }
              - { apiVersion: ray.io/v1, kind: RayJob, metadata: { name: r }, spec: { rayClusterSpec: { enableInTreeAutoscaling: true, headGroupSpec: { labels: { a: b }, template: { @ } }, workerGroupSpecs: [ { groupName: g, replicas: 1, template: { @ } } ] } } }
              - { apiVersion: sparkoperator.k8s.io/v1beta2, kind: SparkApplication, metadata: { name: s, labels: { a: b } }, spec: { type: Python, memoryOverheadFactor: "0.1", sparkConf: { a: b }, volumes: [ { name: v } ], driver: { memory: 1g, gpu: { name: g, quantity: 1 }, sidecars: [ { name: s } ], tolerations: [ { key: a } ], template: { @ } }, executor: { cores: 1, volumeMounts: [ { name: v } ] } } }
              - { apiVersion: trainer.kubeflow.org/v1alpha1, kind: TrainJob, metadata: { name: t }, spec: { runtimeRef: { name: rt }, trainer: { image: i, resourcesPerNode: { requests: { cpu: 1 } } }, runtimePatches: [ { trainingRuntimeSpec: { template: { spec: { replicatedJobs: [ { name: node } ] } } } } ] } }
              - { apiVersion: trainer.kubeflow.org/v1alpha1, kind: ClusterTrainingRuntime, metadata: { name: rt }, spec: { template: { spec: { replicatedJobs: [ { name: node, template: { metadata: { labels: { trainer.kubeflow.org/trainjob-ancestor-step: trainer } }, spec: { template: { spec: { containers: [ { name: node } ] } } } } } ] } } } }
              - { apiVersion: kubeflow.org/v1beta1, kind: Experiment, metadata: { name: e }, spec: { trialTemplate: { trialSpec: { apiVersion: kubeflow.org/v1, kind: PyTorchJob, spec: { pytorchReplicaSpecs: { Master: { template: { @ } }, Worker: { template: { @ } } } } } } } }
              - { apiVersion: kubeflow.org/v1, kind: Notebook, metadata: { name: n, labels: { a: b } }, spec: { template: { @ } } }
              - { apiVersion: serving.knative.dev/v1, kind: Service, metadata: { name: k }, spec: { template: { @ } } }
              - { apiVersion: leaderworkerset.x-k8s.io/v1, kind: LeaderWorkerSet, metadata: { name: l }, spec: { leaderWorkerTemplate: { size: 2, workerTemplate: { @ } } } }
              - { apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: { name: o }, spec: { workloadRef: { name: d } } }
              - { apiVersion: apps/v1, kind: Deployment, metadata: { name: d }, spec: { replicas: 0, template: { @ } } }
            """.Replace("@", Template, StringComparison.Ordinal));
        Assert.Empty(Text.Read(whole.ToJsonString()).Problems);
        foreach (var place in Places(whole["items"]!))
        {
            foreach (var junk in (string[])["null", "7", "\"x\"", "[]", "{}", "[ 7, [ {} ], { \"name\": 7 } ]", "{ \"a\": { \"name\": [] }, \"b\": 7 }"])
            {
                var changed = whole.DeepClone();
                place(changed["items"]!, JsonNode.Parse(junk));
                var text = changed.ToJsonString();
                Assert.All(Text.Explain(text), step => Assert.True(step.Explanation is not null != step.Fault is not null));
            }
        }
    }

    const string Template = "metadata: { labels: { typeOfComponent: Training } }, spec: { containers: [ { name: w, image: m } ] }";

    // Setters of everything below a node.
    static IEnumerable<Action<JsonNode, JsonNode?>> Places(JsonNode at) => at switch
    {
        JsonObject members => members.SelectMany(m => Below(m.Value, parent => parent[m.Key]!, (parent, junk) => parent[m.Key] = junk)),
        JsonArray items => items.SelectMany((item, i) => Below(item, parent => parent[i]!, (parent, junk) => parent[i] = junk)),
        _ => [],
    };

    static IEnumerable<Action<JsonNode, JsonNode?>> Below(JsonNode? child, Func<JsonNode, JsonNode> find, Action<JsonNode, JsonNode?> set) =>
        child is null ? [set] : Places(child).Select<Action<JsonNode, JsonNode?>, Action<JsonNode, JsonNode?>>(place => (parent, junk) => place(find(parent), junk)).Prepend(set);

    [Fact]
    public void Whatever_is_given_there_is_an_answer()
    {
        string[] parts =
        [
            Text.PredictPod, "\n---\n", "kind: ", "Pod", "Workflow", "apiVersion: argoproj.io/v1\n", "spec:\n", "  templates: ", "[ {name: a, container: {}} ]", "{", "}", "[", "]", ": ", "\n", "&a ", "*a", "\"\\ud800\"",
            "pipelineInfo: {}\nroot: {dag: {tasks: {t: {componentRef: {name: c}}}}}\n", "deploymentSpec: 3\n", "components: {c: {executorLabel: e}}\n", "platforms: {}\n", "kind: InferenceService\napiVersion: serving.kserve.io/v1\n",
            "kind: Job\napiVersion: batch.volcano.sh/v1\n", "  tasks: [1, {template: {spec: 3}}, {template: {metadata: {labels: 7}, spec: {volumes: 1}}}]\n  volumes: [{}]\n",
            "apiVersion: ray.io/v1\nkind: RayJob\n", "  rayClusterSpec: {headGroupSpec: {labels: [], template: {spec: {containers: x}}}, workerGroupSpecs: [{template: {}}]}\n",
            "apiVersion: kubeflow.org/v1\nkind: Experiment\n", "  trialTemplate: {trialSpec: {kind: Pod, spec: {}}}\n", "apiVersion: sparkoperator.k8s.io/v1\nkind: SparkApplication\n", "  driver: {memory: g, gpu: {name: x}}\n",
            "  templateDefaults: {container: [], volumes: [1], metadata: {labels: 1}}\n", "  podSpecPatch: '{containers: [1, {name: {}}], volumes: null}'\n", "  workflowTemplateRef: {name: a}\n",
            "  predictor: {model: 3}\n", "  predictor: {model: {storageUri: 'pvc://', resources: {requests: 1}}, workerSpec: {pipelineParallelSize: 1e99, containers: [{resources: []}]}}\n", "  template: 7\n", "kind: Deployment\n", "metadata: []\n", "!!binary x", "- ", "? ", "'", "\0", "\u2028", "items: [1, {kind: Pod}]\n", "kind: PodList\n", "1e999", "0x1F", "{{x}}",
        ];
        Gen.OneOf(parts).Array[1, 12].Select(string.Concat).Sample(text =>
        {
            var inputs = Text.Read(text);
            Assert.True(inputs.Steps.Count + inputs.Problems.Count > 0, "no answer");
            Assert.All(Text.Explain(text), step => Assert.True(step.Explanation is not null != step.Fault is not null));
        }, iter: 20_000);
    }
}
