using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>A SparkApplication, or a ScheduledSparkApplication: a driver and executors, which Spark makes from settings.</summary>
/// <remarks>
/// Source: kubeflow/spark-operator, internal/controller/sparkapplication/submission.go and internal/webhook/sparkpod_defaulter.go; apache/spark,
/// docs/running-on-kubernetes.md and docs/configuration.md (the memory overhead).
/// </remarks>
static class SparkApplication
{
    internal const string Group = "sparkoperator.k8s.io";

    internal static StepInputs Read(InputObject application)
    {
        var spec = application.Kind == "SparkApplication" ? application.Spec : application.Spec.Object("template");
        return spec is null ? application.Refused($"the {application.Kind} has no spec", "its pods are made from it")
            : new StepInputs([Step(application, spec, "driver", "spark-kubernetes-driver"), Step(application, spec, "executor", "spark-kubernetes-executor")], [], []);
    }

    static InputStep Step(InputObject application, JsonObject spec, string role, string containerName)
    {
        var part = spec.Object(role) ?? [];
        var name = $"{application.Name}-{role}";
        var template = part.Object("template");
        var metadata = application.Metadata(name).With(template.Object("metadata"));
        metadata["labels"] = new JsonObject().With(template.Object("metadata").Object("labels"))
            .With(application.Json.Object("metadata").Object("labels")).With(part.Object("labels"))
            .With(new JsonObject { ["spark-role"] = role, [$"{Group}/app-name"] = application.Name });
        metadata.Put("annotations", new JsonObject().With(template.Object("metadata").Object("annotations")).With(part.Object("annotations")));

        var pod = new JsonObject().With(template.Object("spec"));
        var containers = pod.Objects("containers").Select(c => c.DeepClone().AsObject()).ToList();
        if (containers.Find(c => c.Text("name") == containerName) is not { } container)
        {
            containers.Insert(0, container = new JsonObject { ["name"] = containerName });
        }

        container["resources"] = Resources(spec, part, role);
        pod["containers"] = new JsonArray([.. containers, .. part.Objects("sidecars").Select(c => c.DeepClone())]);
        pod.Put("initContainers", new JsonArray([.. pod.Objects("initContainers").Concat(part.Objects("initContainers")).Select(c => c.DeepClone())]));
        pod.Put("nodeSelector", new JsonObject().With(pod.Object("nodeSelector")).With(spec.Object("nodeSelector")).With(part.Object("nodeSelector")));
        pod.Put("tolerations", new JsonArray([.. pod.Objects("tolerations").Concat(part.Objects("tolerations")).Select(t => t.DeepClone())]));
        var mounts = part.Objects("volumeMounts").Select(m => m.Text("name")).ToHashSet();
        pod.Put("volumes", new JsonArray([.. pod.Objects("volumes").Concat(spec.Objects("volumes").Where(v => mounts.Contains(v.Text("name")))).Select(v => v.DeepClone())]));
        pod.With(part, "affinity").With(part, "hostNetwork").With(part, "schedulerName").With(spec, "batchScheduler", "schedulerName");
        return InputStep.Of(application.Document, part, name, application.Origin, Workload.Pod(metadata, pod));
    }

    static JsonObject Resources(JsonObject spec, JsonObject part, string role)
    {
        var conf = spec.Object("sparkConf");
        var cores = part.Text("coreRequest") ?? conf.Text($"spark.kubernetes.{role}.request.cores") ?? part["cores"]?.ToString() ?? conf.Text($"spark.{role}.cores") ?? "1";
        var heap = Mebibytes(part.Text("memory") ?? conf.Text($"spark.{role}.memory")) ?? 1024;
        var factor = double.TryParse(spec.Text("memoryOverheadFactor"), CultureInfo.InvariantCulture, out var stated) ? stated : spec.Text("type") is "Python" or "R" ? 0.4 : 0.1;
        var overhead = Mebibytes(part.Text("memoryOverhead") ?? conf.Text($"spark.{role}.memoryOverhead")) ?? Math.Max((long)(heap * factor), 384);
        var resources = new JsonObject
        {
            ["requests"] = new JsonObject { ["cpu"] = cores, ["memory"] = $"{heap + overhead}Mi" },
            ["limits"] = new JsonObject { ["memory"] = $"{heap + overhead}Mi" }.With(part, "coreLimit", "cpu"),
        };
        if (part.Object("gpu") is { } gpu && gpu.Text("name") is { } device)
        {
            resources.Object("limits")!.With(gpu, "quantity", device);
        }

        return resources;
    }

    // As a JVM takes it: 512m, 2g; without a unit, mebibytes.
    static long? Mebibytes(string? text)
    {
        var digits = text?.TrimEnd('b', 'B').TrimEnd('k', 'm', 'g', 't', 'K', 'M', 'G', 'T');
        if (!double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) || amount > int.MaxValue)
        {
            return null;
        }

        return (long)(amount * char.ToLowerInvariant(text!.TrimEnd('b', 'B')[^1]) switch { 'k' => 1 / 1024d, 'g' => 1024, 't' => 1024 * 1024, _ => 1 });
    }
}
