namespace AdmissionLas.Tests.Support;

/// <summary>Pods as tests write them: as the core sees them, and as the JSON of the API server.</summary>
static class Pods
{
    internal static PodFacts Predict(string? location = "here", params ContainerFacts[] containers) => location is null
        ? Labelled(containers, ("typeOfComponent", "Predict"))
        : Labelled(containers, ("typeOfComponent", "Predict"), ("OurLocation", location));

    internal static PodFacts Training(params ContainerFacts[] containers) => Labelled(containers, ("typeOfComponent", "Training"));

    internal static PodFacts Labelled(params (string Key, string Value)[] labels) => Labelled([], labels);

    internal static PodFacts Annotated(this PodFacts pod, string key, string value) =>
        pod with { Annotations = new Dictionary<string, string>(pod.Annotations) { [key] = value } };

    internal static PodFacts Selecting(this PodFacts pod, string key, string value) =>
        pod with { NodeSelector = new Dictionary<string, string>(pod.NodeSelector) { [key] = value } };

    /// <summary>The pod with required node affinity; terms are ORed.</summary>
    internal static PodFacts Requiring(this PodFacts pod, params NodeSelectorTerm[] terms) => pod with { RequiredTerms = terms };

    internal static NodeSelectorTerm Term(string key, SelectorOperator @operator, params string[] values) =>
        new([new NodeSelectorRequirement(key, @operator, values)], []);

    internal static ContainerFacts Container(
        string name = "main", string? cpu = null, string? memory = null, string? limitCpu = null, string? limitMemory = null) =>
        new(name, Amounts.Of(cpu, memory), Amounts.Of(limitCpu, limitMemory));

    /// <summary>An init container that goes on running beside the app (KEP-753).</summary>
    internal static ContainerFacts Sidecar(string? cpu = null, string? memory = null) => Container("sidecar", cpu, memory) with { AlwaysRestarts = true };

    /// <summary>A predict pod as JSON.</summary>
    internal static JsonObject PredictJson(string location = "here", string spec = OneContainer, string annotations = "null") =>
        Json($$"""{"typeOfComponent":"Predict","OurLocation":"{{location}}"}""", annotations, spec);

    /// <summary>A training pod as JSON.</summary>
    internal static JsonObject TrainingJson(string spec = OneContainer, string annotations = "null") =>
        Json("""{"typeOfComponent":"Training"}""", annotations, spec);

    internal static JsonObject Json(string labels, string annotations = "null", string spec = OneContainer)
    {
        var pod = JsonNode.Parse($$"""
            {
              "apiVersion": "v1", "kind": "Pod",
              "metadata": { "generateName": "step-", "labels": {{labels}}, "annotations": {{annotations}} },
              "spec": {{spec}}
            }
            """)!.AsObject();
        // The API server omits what is empty; null only stands where a test asks for it.
        if (annotations == "null")
        {
            pod["metadata"]!.AsObject().Remove("annotations");
        }

        return pod;
    }

    internal static JsonObject With(this JsonObject pod, Action<JsonObject> change)
    {
        change(pod);
        return pod;
    }

    internal const string OneContainer = """{ "containers": [ { "name": "main", "image": "step" } ] }""";

    static PodFacts Labelled(ContainerFacts[] containers, params (string Key, string Value)[] labels) => new()
    {
        Namespace = "kubeflow",
        Labels = labels.ToDictionary(l => l.Key, l => l.Value),
        Containers = containers.Length == 0 ? [Container()] : [.. containers],
    };
}
