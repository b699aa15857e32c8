namespace AdmissionLas.Explain;

/// <summary>What is known of the kinds that make pods. A kind is known by its API group and its name: a Job of Volcano is no Job of Kubernetes.</summary>
static class InputKinds
{
    static readonly Dictionary<(string Group, string Kind), Func<InputObject, StepInputs>> Readers = new()
    {
        [("", "Pod")] = Workload.ReadPod,
        [("", "PodTemplate")] = Workload.At("template"),
        [("", "ReplicationController")] = Workload.At("spec.template"),
        [("apps", "Deployment")] = Workload.At("spec.template"),
        [("apps", "StatefulSet")] = Workload.At("spec.template", Controllers.StatefulSet),
        [("apps", "DaemonSet")] = Workload.At("spec.template"),
        [("apps", "ReplicaSet")] = Workload.At("spec.template"),
        [("batch", "Job")] = Workload.At("spec.template", Controllers.Job),
        [("batch", "CronJob")] = Workload.At("spec.jobTemplate.spec.template"),
        [(ArgoWorkflow.Group, "Workflow")] = ArgoWorkflow.Read,
        [(ArgoWorkflow.Group, "WorkflowTemplate")] = ArgoWorkflow.Read,
        [(ArgoWorkflow.Group, "ClusterWorkflowTemplate")] = ArgoWorkflow.Read,
        [(ArgoWorkflow.Group, "CronWorkflow")] = ArgoWorkflow.Read,
        [(ArgoWorkflow.Group, "Rollout")] = Controllers.Rollout,
        [(InferenceService.Group, "InferenceService")] = InferenceService.Read,
        [("serving.knative.dev", "Service")] = Workload.At("spec.template", Controllers.KnativeService),
        [("kubeflow.org", "PyTorchJob")] = Workload.At("spec.pytorchReplicaSpecs{}.template", Controllers.TrainingJob),
        [("kubeflow.org", "TFJob")] = Workload.At("spec.tfReplicaSpecs{}.template", Controllers.TrainingJob),
        [("kubeflow.org", "MPIJob")] = Workload.At("spec.mpiReplicaSpecs{}.template", Controllers.TrainingJob),
        [("kubeflow.org", "XGBoostJob")] = Workload.At("spec.xgbReplicaSpecs{}.template", Controllers.TrainingJob),
        [("kubeflow.org", "PaddleJob")] = Workload.At("spec.paddleReplicaSpecs{}.template", Controllers.TrainingJob),
        [("kubeflow.org", "JAXJob")] = Workload.At("spec.jaxReplicaSpecs{}.template", Controllers.TrainingJob),
        [("kubeflow.org", "Experiment")] = Controllers.KatibTrial,
        [("kubeflow.org", "Trial")] = Controllers.KatibTrial,
        [("kubeflow.org", "Notebook")] = Workload.At("spec.template", Controllers.Notebook),
        [("trainer.kubeflow.org", "TrainJob")] = Controllers.TrainJob,
        [("jobset.x-k8s.io", "JobSet")] = Workload.At("spec.replicatedJobs[].template.spec.template", Controllers.JobSet),
        [("leaderworkerset.x-k8s.io", "LeaderWorkerSet")] = Controllers.LeaderWorkerSet,
        [("batch.volcano.sh", "Job")] = Workload.At("spec.tasks[].template", Controllers.VolcanoJob),
        [("batch.volcano.sh", "CronJob")] = Workload.At("spec.jobTemplate.spec.tasks[].template", Controllers.VolcanoJob),
        [("ray.io", "RayCluster")] = Controllers.Ray(),
        [("ray.io", "RayJob")] = Controllers.Ray("rayClusterSpec"),
        [("ray.io", "RayService")] = Controllers.Ray("rayClusterConfig"),
        [(SparkApplication.Group, "SparkApplication")] = SparkApplication.Read,
        [(SparkApplication.Group, "ScheduledSparkApplication")] = SparkApplication.Read,
    };

    // What to give for their pods, which cannot be told from them alone; nothing for those that make none.
    static readonly Dictionary<(string Group, string Kind), string?> Others = new()
    {
        [(InferenceService.Group, "LLMInferenceService")] = "give the Deployment or LeaderWorkerSet that KServe makes of it",
        [(InferenceService.Group, "InferenceGraph")] = "give the Deployment or Knative Service that KServe makes of it",
        [(InferenceService.Group, "ServingRuntime")] = null,
        [(InferenceService.Group, "ClusterServingRuntime")] = null,
        [("trainer.kubeflow.org", "TrainingRuntime")] = null,
        [("trainer.kubeflow.org", "ClusterTrainingRuntime")] = null,
    };

    /// <summary>What can be given, as part of a sentence.</summary>
    internal static string Accepted { get; } = $"a Pod, a compiled Kubeflow pipeline (v1 or v2), or one of " +
        string.Join("; ", Readers.Keys.Skip(1).GroupBy(k => k.Group).Select(g => $"{(g.Key.Length == 0 ? "v1" : g.Key)}: {string.Join(", ", g.Select(k => k.Kind))}")) +
        "; of any other kind its pod template, as a PodTemplate";

    /// <summary>The pods of an object.</summary>
    internal static StepInputs Read(InputObject given)
    {
        // Without a group it is what Kubernetes itself has under this name.
        var reader = given.Group is not null ? Readers.GetValueOrDefault((given.Group, given.Kind))
            : Readers.GetValueOrDefault(("", given.Kind)) ?? Readers.GetValueOrDefault(("apps", given.Kind)) ?? Readers.GetValueOrDefault(("batch", given.Kind));
        if (reader is not null)
        {
            return reader(given);
        }

        var (group, kind) = (given.Group ?? "", StepInput.Short(given.Kind, 63));
        var named = group.Length == 0 ? kind : $"{kind} of {StepInput.Short(group, 63)}";
        var isOther = Others.TryGetValue((group, given.Kind), out var advice);
        return advice is not null ? given.PassedOver($"the pods of {kind} {StepInput.Short(given.Name, 63)} cannot be told from it alone", advice)
            // Groups of Kubernetes itself have no dot, or end so.
            : isOther || !group.Contains('.', StringComparison.Ordinal) || group.EndsWith(".k8s.io", StringComparison.Ordinal) ? given.PassedOver($"a {named} makes no pods that could be explained")
            : given.PassedOver($"the kind {named} is not known", "if it makes pods, give their template as a PodTemplate");
    }
}
