namespace AdmissionLas.Experiment;

/// <summary>Nodes and pods as API objects.</summary>
static class Objects
{
    internal const string Tier = "admissionlas.io/tier";
    internal const string Image = "registry.example/ml/model-server:1.0";

    internal static JsonObject Node(string name, string cpu, string memory, string tier, IEnumerable<(string Location, double Ms)> latencies, JsonArray? images = null)
    {
        var labels = new JsonObject { ["kubernetes.io/hostname"] = name, ["kubernetes.io/os"] = "linux", [Tier] = tier };
        foreach (var (location, ms) in latencies)
        {
            labels[$"latency.admissionlas.io/{location}"] = ms.ToString("0.###", CultureInfo.InvariantCulture);
        }

        var amounts = new JsonObject { ["cpu"] = cpu, ["memory"] = memory, ["pods"] = "110" };
        return new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels },
            ["spec"] = new JsonObject(),
            ["status"] = new JsonObject
            {
                ["capacity"] = amounts,
                ["allocatable"] = amounts.DeepClone(),
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
                ["images"] = images,
            },
        };
    }

    internal static PlannedPod Predict(string name, string location, int cpuMilli, int memoryMi, Action<JsonObject>? change = null)
    {
        var pod = Pod(name, new JsonObject { ["typeOfComponent"] = "Predict", ["OurLocation"] = location }, cpuMilli, memoryMi);
        change?.Invoke(pod["spec"]!.AsObject());
        return new PlannedPod(name, PodKind.Predict, location, pod);
    }

    /// <summary>The pod with a label.</summary>
    internal static PlannedPod Labelled(this PlannedPod pod, string key, string value)
    {
        pod.Json["metadata"]!["labels"]![key] = value;
        return pod;
    }

    /// <summary>The pod as it will be when others have changed its spec.</summary>
    internal static PlannedPod Becoming(this PlannedPod pod, Action<JsonObject> change)
    {
        var final = pod.Json.DeepClone().AsObject();
        change(final["spec"]!.AsObject());
        return pod with { Final = final };
    }

    // With requests of its own, so that the load is the same whether or not a webhook adds some.
    internal static PlannedPod Training(string name) => new(name, PodKind.Training, null, Pod(name, new JsonObject { ["typeOfComponent"] = "Training" }, 1000, 2048));

    /// <summary>A pod that is no step and stands on its node.</summary>
    internal static PlannedPod Filler(string name, string node, int cpuMilli, int memoryMi)
    {
        var pod = Pod(name, [], cpuMilli, memoryMi);
        pod["spec"]!["nodeName"] = node;
        return new PlannedPod(name, PodKind.Other, null, pod);
    }

    static JsonObject Pod(string name, JsonObject labels, int cpuMilli, int memoryMi) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Pod",
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels },
        ["spec"] = new JsonObject
        {
            ["containers"] = new JsonArray(new JsonObject
            {
                ["name"] = "main",
                ["image"] = Image,
                ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["cpu"] = $"{cpuMilli}m", ["memory"] = $"{memoryMi}Mi" } },
            }),
        },
    };
}
