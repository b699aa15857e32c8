using AdmissionLas.Snapshots;
using static AdmissionLas.Explain.Workload;

namespace AdmissionLas.Explain;

/// <summary>What the controllers of some kinds make of the pod templates in them: labels, which rules may ask for, and what the scheduler reads.</summary>
/// <remarks>
/// Source: the controllers of kubernetes/kubernetes, knative/serving, argoproj/argo-rollouts, volcano-sh/volcano (job_controller_util.go),
/// kubernetes-sigs/jobset, kubernetes-sigs/lws, ray-project/kuberay (common/pod.go, common/job.go), and kubeflow's training-operator 1.9,
/// mpi-operator, trainer, katib and notebooks.
/// </remarks>
static class Controllers
{
    internal static void StatefulSet(Made made) => Add(made.Spec, "volumes", ClaimVolumes(made.Owner.Spec));

    internal static void Job(Made made) => made.Label(("batch.kubernetes.io/job-name", made.Owner.Name), ("job-name", made.Owner.Name));

    internal static void KnativeService(Made made)
    {
        made.Label(("serving.knative.dev/service", made.Owner.Name));
        // It may have no name, and the spec is a revision's: these two are not a pod's.
        made.Spec.Objects("containers").FirstOrDefault()?["name"] ??= "user-container";
        made.Spec?.Remove("containerConcurrency");
        made.Spec?.Remove("timeoutSeconds");
        AddQueueProxy(made.Spec);
    }

    /// <summary>Knative's proxy beside each container that it serves.</summary>
    internal static void AddQueueProxy(JsonObject? spec) => Add(spec, "containers", Container("queue-proxy", "25m"));

    /// <summary>A Rollout may take the template of a Deployment.</summary>
    internal static StepInputs Rollout(InputObject rollout)
    {
        rollout.Spec?["template"] ??= rollout.Other("apps", "Deployment", rollout.Spec.Object("workloadRef").Text("name"))?.Spec.Object("template")?.DeepClone();
        return Read(rollout, [("", "spec.template")], null);
    }

    internal static void VolcanoJob(Made made)
    {
        var job = made.Owner.Spec.Object("jobTemplate").Object("spec") ?? made.Owner.Spec;
        made.Label(("volcano.sh/job-name", made.Owner.Name), ("volcano.sh/task-spec", made.Role));
        // The name that Volcano's own webhook fills in.
        made.Spec?["schedulerName"] ??= job.Text("schedulerName") ?? "volcano";
        Add(made.Spec, "volumes", job.Objects("volumes").Select(v => ClaimVolume(v.Text("volumeClaimName"))));
    }

    internal static void JobSet(Made made)
    {
        made.Label(("jobset.sigs.k8s.io/jobset-name", made.Owner.Name), ("jobset.sigs.k8s.io/replicatedjob-name", made.Role));
        Add(made.Spec, "volumes", made.Owner.Spec.Objects("volumeClaimPolicies").SelectMany(p => ClaimVolumes(p, "templates")));
    }

    /// <summary>A group has one leader and, if its size says so, workers. Without a template of its own the leader has theirs.</summary>
    internal static StepInputs LeaderWorkerSet(InputObject set)
    {
        const string Workers = "spec.leaderWorkerTemplate.workerTemplate";
        var group = set.Spec.Object("leaderWorkerTemplate");
        List<(string, string)> paths = [("leader", group.Object("leaderTemplate") is null ? Workers : "spec.leaderWorkerTemplate.leaderTemplate")];
        if (group.Amount("size") > 1)
        {
            paths.Add(("worker", Workers));
        }

        return Read(set, paths, made =>
        {
            made.Label(("leaderworkerset.sigs.k8s.io/name", set.Name));
            Add(made.Spec, "volumes", ClaimVolumes(group));
        });
    }

    /// <summary>A RayCluster, or an object with the spec of one in a member of its own spec.</summary>
    internal static Func<InputObject, StepInputs> Ray(string? member = null) => owner =>
    {
        var (path, cluster) = member is null ? ("spec", owner.Spec) : ($"spec.{member}", owner.Spec.Object(member));
        List<(string, string)> paths = [];
        // A RayJob can submit to a cluster that is there already.
        if (owner.Spec.Object("clusterSelector") is null)
        {
            paths.Add(("head", $"{path}.headGroupSpec.template"));
            paths.AddRange(cluster.Objects("workerGroupSpecs").Take(1).Select(_ => ("", $"{path}.workerGroupSpecs[].template")));
        }

        var submitter = Container("ray-job-submitter", "500m", "200Mi");
        var mode = owner.Kind == "RayJob" ? owner.Spec.Text("submissionMode") ?? "K8sJobMode" : null;
        if (mode == "K8sJobMode")
        {
            owner.Spec?["submitterPodTemplate"] ??= new JsonObject { ["spec"] = new JsonObject { ["containers"] = new JsonArray(submitter) } };
            paths.Add(("submitter", "spec.submitterPodTemplate"));
        }

        return Read(owner, paths, made =>
        {
            var isWorker = made.Part != owner.Spec;
            if (!isWorker && made.Role == "submitter")
            {
                return;
            }

            made.Label([.. ((isWorker ? made.Part : cluster.Object("headGroupSpec")).Object("labels") ?? []).Select(l => (l.Key, $"{l.Value}"))]);
            made.Label(("ray.io/cluster", owner.Name), ("ray.io/node-type", isWorker ? "worker" : "head"), ("ray.io/group", isWorker ? made.Role : "headgroup"));
            if (isWorker)
            {
                Add(made.Spec, "initContainers", Container("wait-gcs-ready", "200m", "256Mi"));
                made.Part["replicas"] ??= made.Part["minReplicas"]?.DeepClone() ?? 0;
                return;
            }

            if (IsTrue(cluster, "enableInTreeAutoscaling"))
            {
                Add(made.Spec, "containers", Container("autoscaler", "500m", "512Mi").With(cluster.Object("autoscalerOptions"), "resources"));
            }

            if (mode == "SidecarMode")
            {
                Add(made.Spec, "containers", submitter);
            }
        });
    };

    /// <summary>A job of Kubeflow's training operator, or of its MPI operator, which has other labels.</summary>
    internal static void TrainingJob(Made made)
    {
        var isMpiOperators = made.Owner.Json.Text("apiVersion") == "kubeflow.org/v2beta1";
        made.Label(
            ("training.kubeflow.org/job-name", made.Owner.Name),
            ("training.kubeflow.org/operator-name", isMpiOperators ? "mpi-operator" : $"{string.Concat(made.Owner.Kind.Select(char.ToLowerInvariant))}-controller"),
            (isMpiOperators ? "training.kubeflow.org/job-role" : "training.kubeflow.org/replica-type", made.Role));
        if (made.Role == "worker" && made.Owner.Spec.Object("pytorchReplicaSpecs").Object("Master") is not null)
        {
            Add(made.Spec, "initContainers", Container("init-pytorch", "50m", "10Mi"));
        }
    }

    /// <summary>A TrainJob's pods are those of the JobSet in its runtime, with changes.</summary>
    internal static StepInputs TrainJob(InputObject job)
    {
        var reference = job.Spec.Object("runtimeRef");
        var kind = reference.Text("kind") ?? "ClusterTrainingRuntime";
        if (job.Other("trainer.kubeflow.org", kind, reference.Text("name"))?.Spec.Object("template")?.DeepClone().AsObject() is not { } template)
        {
            return job.PassedOver(
                $"the pods of {job.Origin} come from the {kind} {reference.Text("name")}, which is not in the input", "put it there too, or give the JobSet that Kubeflow Trainer makes of both");
        }

        foreach (var node in template.Object("spec").Objects("replicatedJobs").Select(r => r.Object("template"))
            .Where(t => t.Object("metadata").Object("labels").Text("trainer.kubeflow.org/trainjob-ancestor-step") == "trainer")
            .SelectMany(t => t.Object("spec").Object("template").Object("spec").Objects("containers")).Where(c => c.Text("name") == "node"))
        {
            StrategicMerge.Pod.Into(node, job.Spec.Object("trainer").Only("image").With(job.Spec.Object("trainer"), "resourcesPerNode", "resources"));
        }

        foreach (var patch in job.Spec.Objects("runtimePatches"))
        {
            StrategicMerge.Pod.Into(template, patch.Object("trainingRuntimeSpec").Object("template"));
        }

        template.Object("spec")?.With(job.Spec, "suspend");
        return Read(job.With(job.Json.Only("kind", "metadata").With(template, "spec")), [("", "spec.replicatedJobs[].template.spec.template")], JobSet);
    }

    /// <summary>Katib's Experiment or Trial: the pods of the object that a trial makes.</summary>
    internal static StepInputs KatibTrial(InputObject owner)
    {
        if ((owner.Spec.Object("trialTemplate").Object("trialSpec") ?? owner.Spec.Object("runSpec")) is not { } trial)
        {
            return owner.Refused($"the {owner.Kind} has no spec.trialTemplate.trialSpec", "give an object that one of its trials made");
        }

        var found = InputKinds.Read(owner.With(trial.With(owner.Json, "metadata")));
        foreach (var step in found.Steps)
        {
            new Made(owner, "", trial, step.Pod, []).Label(("katib.kubeflow.org/experiment", owner.Name), ("katib.kubeflow.org/trial", owner.Name));
        }

        return found with { Steps = [.. found.Steps.Select(s => s with { Origin = owner.Origin })] };
    }

    /// <summary>The template of a Notebook has only a spec. Its pod has the labels and annotations of the Notebook.</summary>
    internal static void Notebook(Made made)
    {
        var (metadata, own) = (made.Pod.Object("metadata")!, made.Owner.Json.Object("metadata"));
        if (metadata.Remove("labels") | metadata.Remove("annotations"))
        {
            made.Notes.Add("labels and annotations of a Notebook's template are dropped; its pod has those of the Notebook itself");
        }

        metadata.With(own, "labels").With(own, "annotations");
        made.Label(("statefulset", made.Owner.Name), ("notebook-name", made.Owner.Name));
    }
}
