using AdmissionLas.Explain;

namespace AdmissionLas.Tests.Explain;

/// <summary>The pods of each kind of owner are those that its operator's documentation says. A kind is known by its API group too.</summary>
public sealed class ControllersTests
{
    const string Training = "metadata: { labels: { typeOfComponent: Training } }, spec: { containers: [ { name: w, image: m } ] }";

    static string Owner(string apiVersion, string kind, string spec) => $"apiVersion: {apiVersion}\nkind: {kind}\nmetadata: {{ name: own, namespace: team }}\nspec: {spec}";

    [Theory]
    [InlineData("batch.volcano.sh/v1alpha1", "Job", "{ tasks: [ { name: ps, replicas: 2, template: { @ } }, { name: worker, template: { @ } } ] }", "own-ps own-worker", "volcano.sh/task-spec")]
    [InlineData("batch.volcano.sh/v1alpha1", "CronJob", "{ jobTemplate: { spec: { tasks: [ { name: task-1, template: { @ } } ] } } }", "own-task-1", "volcano.sh/job-name")]
    [InlineData("jobset.x-k8s.io/v1alpha2", "JobSet", "{ replicatedJobs: [ { name: workers, template: { spec: { template: { @ } } } } ] }", "own-workers", "jobset.sigs.k8s.io/replicatedjob-name")]
    [InlineData("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "{ leaderWorkerTemplate: { workerTemplate: { @ } } }", "own-leader", "leaderworkerset.sigs.k8s.io/name")]
    [InlineData("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "{ leaderWorkerTemplate: { size: 4, leaderTemplate: { @ }, workerTemplate: { @ } } }", "own-leader own-worker", "leaderworkerset.sigs.k8s.io/name")]
    [InlineData("ray.io/v1", "RayCluster", "{ headGroupSpec: { template: { @ } } }", "own-head", "ray.io/node-type")]
    [InlineData("ray.io/v1", "RayCluster", "{ headGroupSpec: { template: { @ } }, workerGroupSpecs: [ { groupName: small, template: { @ } } ] }", "own-head own-small", "ray.io/group")]
    [InlineData("ray.io/v1", "RayService", "{ rayClusterConfig: { headGroupSpec: { template: { @ } } } }", "own-head", "ray.io/cluster")]
    [InlineData("ray.io/v1", "RayJob", "{ submissionMode: HTTPMode, rayClusterSpec: { headGroupSpec: { template: { @ } } } }", "own-head", "ray.io/cluster")]
    [InlineData("kubeflow.org/v1", "TFJob", "{ tfReplicaSpecs: { PS: { template: { @ } }, Worker: { template: { @ } } } }", "own-ps own-worker", "training.kubeflow.org/replica-type")]
    [InlineData("kubeflow.org/v1", "XGBoostJob", "{ xgbReplicaSpecs: { Master: { template: { @ } } } }", "own-master", "training.kubeflow.org/operator-name")]
    [InlineData("kubeflow.org/v1", "PaddleJob", "{ paddleReplicaSpecs: { Worker: { template: { @ } } } }", "own-worker", "training.kubeflow.org/job-name")]
    [InlineData("kubeflow.org/v1", "JAXJob", "{ jaxReplicaSpecs: { Worker: { template: { @ } } } }", "own-worker", "training.kubeflow.org/job-name")]
    [InlineData("kubeflow.org/v2beta1", "MPIJob", "{ mpiReplicaSpecs: { Launcher: { template: { @ } }, Worker: { template: { @ } } } }", "own-launcher own-worker", "training.kubeflow.org/job-role")]
    [InlineData("argoproj.io/v1alpha1", "Rollout", "{ template: { @ } }", "own", null)]
    [InlineData("batch/v1", "Job", "{ template: { @ } }", "own", "batch.kubernetes.io/job-name")]
    [InlineData("kubeflow.org/v1beta1", "Experiment", "{ trialTemplate: { trialSpec: { apiVersion: batch/v1, kind: Job, spec: { template: { @ } } } } }", "own", "katib.kubeflow.org/trial")]
    [InlineData("kubeflow.org/v1beta1", "Experiment", "{ trialTemplate: { trialSpec: { apiVersion: kubeflow.org/v1, kind: PyTorchJob, spec: { pytorchReplicaSpecs: { Master: { template: { @ } } } } } } }", "own-master", "katib.kubeflow.org/trial")]
    public void Each_template_is_a_pod_with_its_controllers_labels(string apiVersion, string kind, string spec, string names, string? label)
    {
        var steps = Text.Read(Owner(apiVersion, kind, spec.Replace("@", Training, StringComparison.Ordinal))).Steps;

        Assert.Equal(names.Split(' '), steps.Select(s => s.Name));
        Assert.All(steps, s =>
        {
            Assert.Equal(($"{kind} own", "\"team\""), (s.Origin, s.Pod.At("metadata.namespace")));
            Assert.Equal(("\"Training\"", "\"w\""), (s.Pod.At("metadata.labels.typeOfComponent"), s.Pod.At("spec.containers.0.name")));
            Assert.True(label is null || s.Pod["metadata"]!["labels"]!.AsObject().ContainsKey(label));
        });
    }

    [Theory]
    [InlineData("", "\"volcano\"")]
    [InlineData("schedulerName: batch, ", "\"batch\"")]
    public void A_Volcano_jobs_pods_have_its_scheduler_and_claims(string scheduler, string name)
    {
        var pod = Text.Pods(Owner("batch.volcano.sh/v1alpha1", "Job", $"{{ {scheduler}volumes: [ {{ mountPath: /in, volumeClaimName: data }} ], tasks: [ {{ name: w, template: {{ {Training} }} }} ] }}"))["own-w"];

        Assert.Equal((name, "\"data\""), (pod.At("spec.schedulerName"), pod.At("spec.volumes.0.persistentVolumeClaim.claimName")));
    }

    [Fact]
    public void What_KubeRay_adds_to_a_cluster_counts()
    {
        var steps = Text.Read(Owner("ray.io/v1", "RayJob", $$"""
            { rayClusterSpec: { enableInTreeAutoscaling: true, headGroupSpec: { template: { {{Training}} } }, workerGroupSpecs: [ { groupName: w, labels: { zone: near }, template: { {{Training}} } }, { groupName: x, minReplicas: 1, template: { {{Training}} } } ] } }
            """)).Steps.ToDictionary(s => s.Name);

        Assert.Equal(["own-head", "own-w", "own-x", "own-submitter"], steps.Keys);
        Assert.Equal(["\"autoscaler\"", "\"500m\""], new[] { "name", "resources.requests.cpu" }.Select(p => steps["own-head"].Pod.At($"spec.containers.1.{p}")));
        Assert.Equal(("\"wait-gcs-ready\"", "\"near\""), (steps["own-w"].Pod.At("spec.initContainers.0.name"), steps["own-w"].Pod.At("metadata.labels.zone")));
        // The fields' defaults are 0.
        Assert.Equal(["it has 0 replicas: such a pod is made when it is scaled up"], steps["own-w"].Notes);
        Assert.Empty(steps["own-x"].Notes);
        Assert.Equal("""{"cpu":"500m","memory":"200Mi"}""", steps["own-submitter"].Pod.At("spec.containers.0.resources.requests"));
    }

    [Fact]
    public void A_job_for_a_Ray_cluster_that_is_there_has_its_submitter_alone() =>
        Assert.Equal("own-submitter", Assert.Single(Text.Pods(Owner("ray.io/v1", "RayJob", "{ clusterSelector: { ray.io/cluster: other }, submitterPodTemplate: { spec: { containers: [ { name: s } ] } } }"))).Key);

    [Theory]
    // Memory and its overhead, a tenth or for Python four, at least 384 MiB.
    [InlineData("type: Scala, driver: { cores: 1, memory: 512m }, executor: { cores: 2, coreLimit: 3000m, memory: 8g }", "1 896Mi", "2 9011Mi")]
    [InlineData("type: Python, driver: { }, executor: { coreRequest: 500m, memory: 4g }", "1 1433Mi", "500m 5734Mi")]
    [InlineData("type: Java, memoryOverheadFactor: '0.5', sparkConf: { spark.executor.cores: '4' }, driver: { memory: 2g }, executor: { memory: 1g, memoryOverhead: 1g }", "1 3072Mi", "4 2048Mi")]
    public void A_Spark_application_asks_for_what_Spark_makes_of_its_settings(string spec, string driver, string executor)
    {
        var pods = Text.Pods(Owner("sparkoperator.k8s.io/v1beta2", "SparkApplication", $"{{ {spec} }}"));

        Assert.Equal([("own-driver", driver), ("own-executor", executor)], pods.Select(p => (p.Key,
            $"{p.Value["spec"]!["containers"]![0]!["resources"]!["requests"]!["cpu"]} {p.Value["spec"]!["containers"]![0]!["resources"]!["requests"]!["memory"]}")));
    }

    [Fact]
    public void A_Spark_applications_pods_have_the_settings_of_all_and_their_own()
    {
        var pods = Text.Pods("""
            apiVersion: sparkoperator.k8s.io/v1beta2
            kind: ScheduledSparkApplication
            metadata: { name: own, labels: { team: x } }
            spec:
              schedule: "@hourly"
              template:
                batchScheduler: volcano
                nodeSelector: { disk: ssd }
                volumes: [ { name: data, persistentVolumeClaim: { claimName: data } }, { name: other, persistentVolumeClaim: { claimName: other } } ]
                driver: { labels: { typeOfComponent: Training }, tolerations: [ { key: a, operator: Exists } ], sidecars: [ { name: side } ] }
                executor: { gpu: { name: nvidia.com/gpu, quantity: 1 }, volumeMounts: [ { name: data, mountPath: /data } ] }
            """);

        Assert.Equal(["own-driver", "own-executor"], pods.Keys);
        Assert.All(pods.Values, p => Assert.Equal(["\"volcano\"", "\"ssd\"", "\"x\""], new[] { "spec.schedulerName", "spec.nodeSelector.disk", "metadata.labels.team" }.Select(p.At)));
        Assert.Equal(["\"Training\"", "\"a\"", "\"side\"", "\"driver\"", null], new[] { "metadata.labels.typeOfComponent", "spec.tolerations.0.key", "spec.containers.1.name", "metadata.labels.spark-role", "spec.volumes" }.Select(pods["own-driver"].At));
        Assert.Equal(["1", "\"data\"", null], new[] { "spec.containers.0.resources.requests.nvidia|com/gpu", "spec.volumes.0.name", "spec.volumes.1" }.Select(pods["own-executor"].At));
    }

    [Fact]
    public void A_train_jobs_pods_are_those_of_its_runtime_with_its_changes()
    {
        var step = Assert.Single(Text.Read("""
            apiVersion: trainer.kubeflow.org/v1alpha1
            kind: TrainJob
            metadata: { name: tj, namespace: team }
            spec:
              runtimeRef: { name: torch-distributed }
              suspend: true
              trainer: { numNodes: 2, resourcesPerNode: { requests: { cpu: 3 } } }
              runtimePatches:
                - manager: me
                  trainingRuntimeSpec: { template: { spec: { replicatedJobs: [ { name: node, template: { spec: { template: { metadata: { labels: { typeOfComponent: Training } }, spec: { nodeSelector: { gpu: v100 } } } } } } ] } } }
            ---
            apiVersion: trainer.kubeflow.org/v1alpha1
            kind: ClusterTrainingRuntime
            metadata: { name: torch-distributed }
            spec:
              mlPolicy: { numNodes: 1, torch: {} }
              template:
                spec:
                  replicatedJobs:
                    - name: node
                      template:
                        metadata: { labels: { trainer.kubeflow.org/trainjob-ancestor-step: trainer } }
                        spec: { template: { spec: { containers: [ { name: node, image: pytorch, resources: { requests: { cpu: 1, memory: 2Gi } } } ] } } }
            """).Steps);

        Assert.Equal(("tj-node", "TrainJob tj", "\"team\""), (step.Name, step.Origin, step.Pod.At("metadata.namespace")));
        Assert.Equal("""{"typeOfComponent":"Training","jobset.sigs.k8s.io/jobset-name":"tj","jobset.sigs.k8s.io/replicatedjob-name":"node"}""", step.Pod.At("metadata.labels"));
        Assert.Equal("""{"cpu":3,"memory":"2Gi"}""", step.Pod.At("spec.containers.0.resources.requests"));
        Assert.Equal("""{"gpu":"v100"}""", step.Pod.At("spec.nodeSelector"));
        Assert.StartsWith("it is suspended", Assert.Single(step.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_train_job_without_its_runtime_is_told() => Assert.Equal(
        "line 1: the pods of TrainJob own come from the ClusterTrainingRuntime torch-distributed, which is not in the input; put it there too, or give the JobSet that Kubeflow Trainer makes of both",
        Assert.Single(Text.Read(Owner("trainer.kubeflow.org/v1alpha1", "TrainJob", "{ runtimeRef: { name: torch-distributed } }")).Problems).ToString());

    [Fact]
    public void A_Notebooks_pod_has_the_labels_of_the_Notebook_and_not_of_its_template()
    {
        var step = Assert.Single(Text.Read($$"""
            apiVersion: kubeflow.org/v1
            kind: Notebook
            metadata: { name: nb, labels: { access-ml-pipeline: "true" } }
            spec: { template: { {{Training}} } }
            """).Steps);

        Assert.Equal("""{"access-ml-pipeline":"true","statefulset":"nb","notebook-name":"nb"}""", step.Pod.At("metadata.labels"));
        Assert.StartsWith("labels and annotations of a Notebook's template are dropped", Assert.Single(step.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_Knative_services_pod_has_its_proxy()
    {
        var pod = Text.Pods(Owner("serving.knative.dev/v1", "Service", "{ template: { spec: { containerConcurrency: 1, containers: [ { image: m } ] } } }"))["own"];

        Assert.Equal("""{"containers":[{"image":"m","name":"user-container"},{"name":"queue-proxy","resources":{"requests":{"cpu":"25m"}}}]}""", pod.At("spec"));
    }

    [Fact]
    public void A_PyTorch_worker_waits_for_its_master()
    {
        var pods = Text.Pods(Owner("kubeflow.org/v1", "PyTorchJob", $$"""{ pytorchReplicaSpecs: { Master: { template: { {{Training}} } }, Worker: { template: { {{Training}} } } } }"""));

        Assert.Equal((null, "\"init-pytorch\""), (pods["own-master"].At("spec.initContainers"), pods["own-worker"].At("spec.initContainers.0.name")));
    }

    [Theory]
    [InlineData("batch/v1", "Job", "{ suspend: true, template: { @ } }")]
    [InlineData("kubeflow.org/v1", "PyTorchJob", "{ runPolicy: { suspend: true }, pytorchReplicaSpecs: { Worker: { template: { @ } } } }")]
    public void A_suspended_job_is_told(string apiVersion, string kind, string spec) => Assert.Equal(
        ["it is suspended: its pods are made when it is resumed, and what resumes it may change them"],
        Assert.Single(Text.Read(Owner(apiVersion, kind, spec.Replace("@", Training, StringComparison.Ordinal))).Steps).Notes);

    [Theory]
    [InlineData("apps/v1", "StatefulSet", "{ volumeClaimTemplates: [ { metadata: { name: disk } } ], template: { @ } }")]
    [InlineData("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", "{ leaderWorkerTemplate: { volumeClaimTemplates: [ { metadata: { name: disk } } ], workerTemplate: { @ } } }")]
    [InlineData("jobset.x-k8s.io/v1alpha2", "JobSet", "{ volumeClaimPolicies: [ { templates: [ { metadata: { name: disk } } ] } ], replicatedJobs: [ { name: a, template: { spec: { template: { @ } } } } ] }")]
    public void A_claim_for_each_pod_is_a_volume_of_it(string apiVersion, string kind, string spec) => Assert.Equal(
        "\"disk\"", Assert.Single(Text.Pods(Owner(apiVersion, kind, spec.Replace("@", Training, StringComparison.Ordinal)))).Value.At("spec.volumes.0.persistentVolumeClaim.claimName"));

    [Fact]
    public void A_Rollout_can_take_the_template_of_a_Deployment() => Assert.Equal(
        ["own", "web"], Text.Pods($$"""
            {{Owner("argoproj.io/v1alpha1", "Rollout", "{ workloadRef: { apiVersion: apps/v1, kind: Deployment, name: web } }")}}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: { name: web }
            spec: { replicas: 0, template: { {{Training}} } }
            """).Keys);

    [Theory]
    [InlineData("batch.volcano.sh/v1alpha1", "Job", "the Job has no spec.tasks[].template; its pods are made from it")]
    [InlineData("batch/v1", "Job", "the Job has no spec.template; its pods are made from it")]
    [InlineData("apps/v1", "Job", "a Job of apps makes no pods that could be explained; give a Pod, ")]
    [InlineData("v1", "Service", "a Service makes no pods that could be explained; give a Pod, ")]
    [InlineData("kubeflow.org/v1beta1", "Experiment", "the Experiment has no spec.trialTemplate.trialSpec; give an object that one of its trials made")]
    [InlineData("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication", "the ScheduledSparkApplication has no spec; its pods are made from it")]
    [InlineData("kubeflow.org/v1", "PyTorchJob", "the PyTorchJob has no spec.pytorchReplicaSpecs{}.template; its pods are made from it")]
    [InlineData("ray.io/v1", "RayCluster", "the RayCluster has no spec.headGroupSpec.template; its pods are made from it")]
    [InlineData("example.com/v1", "Deployment", "the kind Deployment of example.com is not known; if it makes pods, give their template as a PodTemplate")]
    public void A_kind_that_is_not_understood_or_has_no_template_is_told(string apiVersion, string kind, string told) =>
        Assert.StartsWith($"line 1: {told}", Assert.Single(Text.Read(Owner(apiVersion, kind, "{ }")).Problems).ToString(), StringComparison.Ordinal);

    [Fact]
    public void Of_any_other_kind_the_template_can_be_given() => Assert.Equal(
        "nitos-cloud-node", Text.Decide($"apiVersion: v1\nkind: PodTemplate\nmetadata: {{ name: own }}\ntemplate: {{ {Training} }}").Chosen?.Name);

    [Fact]
    public void The_kinds_that_are_understood_are_told_by_their_groups()
    {
        Assert.StartsWith("a Pod, a compiled Kubeflow pipeline (v1 or v2), or one of v1: PodTemplate, ReplicationController; apps: Deployment, ", InputKinds.Accepted, StringComparison.Ordinal);
        Assert.Contains("; batch.volcano.sh: Job, CronJob; ", InputKinds.Accepted, StringComparison.Ordinal);
        Assert.EndsWith("; of any other kind its pod template, as a PodTemplate", InputKinds.Accepted, StringComparison.Ordinal);
    }
}
