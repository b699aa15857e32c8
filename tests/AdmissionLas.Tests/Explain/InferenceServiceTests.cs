using AdmissionLas.Explain;

namespace AdmissionLas.Tests.Explain;

/// <summary>
/// The pods of an InferenceService are those that KServe's documentation says: docs/model-serving/generative-inference/multi-node,
/// admin-guide/modelmesh, model-serving/predictive-inference/transformers/collocation.
/// </summary>
public sealed class InferenceServiceTests
{
    static string Service(string predictor, string mode = "RawDeployment") =>
        $"apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {{ name: llm, annotations: {{ serving.kserve.io/deploymentMode: {mode} }} }}\nspec:\n  predictor:\n{predictor}";

    const string Gpus = "spec.containers.0.resources.requests.nvidia|com/gpu";

    [Fact]
    public void A_predictor_of_many_nodes_has_a_head_and_workers_with_a_pod_spec_of_their_own()
    {
        var pods = Text.Pods(Service("""
                labels: { typeOfComponent: Predict, OurLocation: VOLOS }
                minReplicas: 2
                model: { modelFormat: { name: huggingface }, storageUri: "pvc://models/x", resources: { limits: { nvidia.com/gpu: "1", cpu: "2", memory: 8Gi } } }
                workerSpec: { pipelineParallelSize: 2, tensorParallelSize: 1, containers: [ { name: worker-container, resources: { limits: { nvidia.com/gpu: "1" } } } ], nodeSelector: { kubernetes.io/arch: amd64 } }
                tolerations: [ { key: nvidia.com/gpu, operator: Exists } ]
            """));

        Assert.Equal(["llm-predictor", "llm-predictor-worker"], pods.Keys);
        Assert.All(pods.Values, p => Assert.Equal(
            ["\"Predict\"", "\"predictor\"", "\"llm\"", "\"1\"", "\"models\"", "\"pvc://models/x\""],
            new[]
            {
                "metadata.labels.typeOfComponent", "metadata.labels.component", "metadata.labels.serving|kserve|io/inferenceservice", Gpus, "spec.volumes.0.persistentVolumeClaim.claimName",
                "metadata.annotations.internal|serving|kserve|io/storage-initializer-sourceuri",
            }.Select(p.At)));
        var (head, worker) = (pods["llm-predictor"], pods["llm-predictor-worker"]);
        Assert.Equal(["\"kserve-container\"", "\"worker-container\""], new[] { head, worker }.Select(p => p.At("spec.containers.0.name")));
        Assert.Equal((null, """{"kubernetes.io/arch":"amd64"}"""), (head.At("spec.nodeSelector"), worker.At("spec.nodeSelector")));
        Assert.Equal(("""[{"key":"nvidia.com/gpu","operator":"Exists"}]""", null), (head.At("spec.tolerations"), worker.At("spec.tolerations")));
        // A claim is mounted: nothing is fetched.
        Assert.Null(head.At("spec.initContainers"));
        Assert.Null(head.At("spec.workerSpec"));
    }

    [Theory]
    // "Total GPUs = tensorParallelSize × pipelineParallelSize", shared out by what a worker requests; "if they are equal, only the head is deployed".
    [InlineData("", 2, 1, "\"1\"", "\"1\"")]
    [InlineData("requests: { nvidia.com/gpu: 8 }", 2, 8, "\"8\"", "\"8\"")]
    [InlineData("requests: { nvidia.com/gpu: 8 }", 1, 8, "\"8\"", null)]
    [InlineData("requests: { nvidia.com/gpu: 2 }", 3, 1, "\"1\"", "\"2\"")]
    [InlineData("", 1, 1, "\"1\"", null)]
    public void The_nodes_follow_from_the_GPUs(string worker, int pipeline, int tensor, string head, string? workers)
    {
        var pods = Text.Pods(Service($$"""
                model: { modelFormat: { name: huggingface }, storageUri: "pvc://models/x" }
                workerSpec: { pipelineParallelSize: {{pipeline}}, tensorParallelSize: {{tensor}}, containers: [ { name: worker-container, resources: { {{worker}} } } ] }
            """));

        Assert.Equal((head, workers), (pods["llm-predictor"].At(Gpus), pods.GetValueOrDefault("llm-predictor-worker")?.At(Gpus)));
    }

    [Fact]
    public void Without_the_mode_for_it_a_predictor_has_no_workers_but_Knative_s_proxy() => Assert.Equal(
        """["kserve-container","queue-proxy"]""",
        new JsonArray([.. Assert.Single(Text.Pods(Service("    model: { modelFormat: { name: huggingface }, storageUri: hf://a/b }\n    workerSpec: {}", "Serverless"))).Value["spec"]!["containers"]!.AsArray()
            .Select(c => c!["name"]!.DeepClone())]).ToJsonString());

    [Fact]
    public void A_predictor_of_ModelMesh_has_no_pod_and_a_transformer_before_it_has()
    {
        var alone = Text.Read(Service("    model: { modelFormat: { name: sklearn }, storageUri: s3://b/m }", "ModelMesh"));
        var before = Text.Read(Service("    sklearn: { storageUri: gs://b/m }\n  transformer: { containers: [ { name: driver-container, image: driver } ] }", "ModelMesh"));

        Assert.Empty(alone.Steps);
        Assert.Equal(
            "line 1: the InferenceService llm has no predictor pod of its own: with serving.kserve.io/deploymentMode: ModelMesh the pods of a serving runtime load its model; give their Deployment, modelmesh-serving-<runtime>",
            Assert.Single(alone.Problems).ToString());
        Assert.Equal("llm-transformer", Assert.Single(before.Steps).Name);
        Assert.Equal((0, 1), (before.Problems.Count, before.PassedOver.Count));
    }

    [Fact]
    public void A_serving_runtime_in_the_same_input_is_merged_under_the_service()
    {
        var pod = Text.Pods($$"""
            {{Service("    model: { modelFormat: { name: x }, runtime: rt, resources: { limits: { cpu: 4 } } }\n    nodeSelector: { pool: fast }")}}
            ---
            apiVersion: serving.kserve.io/v1alpha1
            kind: ServingRuntime
            metadata: { name: rt }
            spec:
              labels: { from: runtime }
              nodeSelector: { kubernetes.io/arch: amd64 }
              tolerations: [ { key: gpu, operator: Exists } ]
              supportedModelFormats: [ { name: x } ]
              containers: [ { name: kserve-container, image: server, resources: { requests: { cpu: 2, memory: 1Gi }, limits: { cpu: 2 } } }, { name: side, image: s } ]
            """)["llm-predictor"];

        Assert.Equal("""{"kubernetes.io/arch":"amd64","pool":"fast"}""", pod.At("spec.nodeSelector"));
        Assert.Equal("""{"requests":{"cpu":2,"memory":"1Gi"},"limits":{"cpu":4}}""", pod.At("spec.containers.0.resources"));
        Assert.Equal(["\"server\"", "\"side\"", "\"runtime\"", "\"gpu\""], new[] { "spec.containers.0.image", "spec.containers.1.name", "metadata.labels.from", "spec.tolerations.0.key" }.Select(pod.At));
    }

    [Fact]
    public void A_model_and_a_container_beside_it_are_in_one_pod()
    {
        var pod = Text.Pods(Service("""
                model: { modelFormat: { name: sklearn }, storageUri: s3://b/m }
                containers: [ { name: transformer-container, image: t, resources: { requests: { cpu: 100m } } } ]
            """))["llm-predictor"];

        Assert.Equal(["\"kserve-container\"", "\"1\"", "\"transformer-container\"", "\"100m\"", "\"storage-initializer\""], new[]
        {
            "spec.containers.0.name", "spec.containers.0.resources.requests.cpu", "spec.containers.1.name", "spec.containers.1.resources.requests.cpu", "spec.initContainers.0.name",
        }.Select(pod.At));
    }

    [Theory]
    [InlineData("{ containers: [ { name: kserve-container, env: [ { name: STORAGE_URI, value: pvc://m/x } ] } ] }", "spec.volumes.0.persistentVolumeClaim.claimName", "\"m\"")]
    [InlineData("{ model: { modelFormat: { name: x }, storageUri: oci://registry/model } }", "spec.containers.1.name", "\"modelcar\"")]
    [InlineData("{ huggingface: { args: [ --model_id=x ], resources: { requests: { cpu: 3 } } }, storageUris: [ { uri: hf://x }, { uri: pvc://m } ] }", "spec.initContainers.0.name", "\"storage-initializer\"")]
    [InlineData("{ huggingface: { args: [ --model_id=x ], resources: { requests: { cpu: 3 } } } }", "spec.containers.0.resources.requests.cpu", "3")]
    [InlineData("{ name: blue, model: { modelFormat: { name: x } } }", "spec.name", null)]
    public void The_model_comes_to_the_pod_as_its_address_says(string predictor, string path, string? there) =>
        Assert.Equal(there, Text.Pods($"apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {{ name: llm }}\nspec: {{ predictor: {predictor} }}")["llm-predictor"].At(path));

    [Theory]
    [InlineData("v1alpha1", "LLMInferenceService", "the pods of LLMInferenceService x cannot be told from it alone; give the Deployment or LeaderWorkerSet that KServe makes of it")]
    [InlineData("v1alpha1", "InferenceGraph", "the pods of InferenceGraph x cannot be told from it alone; give the Deployment or Knative Service that KServe makes of it")]
    [InlineData("v1alpha1", "ServingRuntime", "a ServingRuntime of serving.kserve.io makes no pods that could be explained; give a Pod, ")]
    [InlineData("v1alpha1", "TrainedModel", "the kind TrainedModel of serving.kserve.io is not known; if it makes pods, give their template as a PodTemplate")]
    public void Other_kinds_of_KServe_are_told_with_what_to_give(string version, string kind, string told) =>
        Assert.StartsWith($"line 1: {told}", Assert.Single(Text.Read($"apiVersion: serving.kserve.io/{version}\nkind: {kind}\nmetadata: {{ name: x }}\nspec: {{ containers: [ {{ name: a }} ] }}").Problems).ToString(), StringComparison.Ordinal);
}
