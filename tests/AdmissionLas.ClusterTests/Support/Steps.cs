namespace AdmissionLas.ClusterTests.Support;

/// <summary>Small pods, as a pipeline would create them.</summary>
static class Steps
{
    internal static JsonObject Sample(string name) => Checkout.Yaml($"manifests/samples/{name}.yaml");

    internal static JsonObject Predict(string location, string cpu = "10m", string memory = "16Mi") =>
        Pod(new JsonObject { ["typeOfComponent"] = "Predict", ["OurLocation"] = location }, cpu, memory);

    /// <summary>A training step whose only container states no requests.</summary>
    internal static JsonObject Training() => Pod(new JsonObject { ["typeOfComponent"] = "Training" }, null, null);

    /// <summary>A pod that is no step, on this node.</summary>
    internal static JsonObject Filler(string node, string cpu, string memory = "16Mi")
    {
        var pod = Pod([], cpu, memory);
        pod["spec"]!["nodeName"] = node;
        return pod;
    }

    internal static JsonObject With(this JsonObject pod, Action<JsonObject> change)
    {
        change(pod);
        return pod;
    }

    static JsonObject Pod(JsonObject labels, string? cpu, string? memory)
    {
        var container = new JsonObject { ["name"] = "main", ["image"] = "alpine:3.20", ["command"] = new JsonArray("true") };
        if (cpu is not null)
        {
            container["resources"] = new JsonObject { ["requests"] = new JsonObject { ["cpu"] = cpu, ["memory"] = memory } };
        }

        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["generateName"] = "step-", ["labels"] = labels },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray(container) },
        };
    }
}
