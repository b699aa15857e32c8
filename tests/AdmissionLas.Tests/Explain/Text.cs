using AdmissionLas.Explain;

namespace AdmissionLas.Tests.Explain;

/// <summary>Texts as people give them, explained on the thesis testbed.</summary>
static class Text
{
    internal static StepInputs Read(string text) => StepInput.Read(text);

    /// <summary>The pods by name, of an input without a problem.</summary>
    internal static Dictionary<string, JsonObject> Pods(string text)
    {
        var inputs = Read(text);
        Assert.Empty(inputs.Problems);
        return inputs.Steps.ToDictionary(s => s.Name, s => s.Pod);
    }

    /// <summary>What stands in a pod at a path such as <c>spec.containers.0.name</c>, as JSON; <see langword="null"/> for nothing.</summary>
    internal static string? At(this JsonObject pod, string path) => path.Split('.').Aggregate<string, JsonNode?>(
        pod, (at, name) => at is JsonArray list ? list.ElementAtOrDefault(int.Parse(name, CultureInfo.InvariantCulture)) : (at as JsonObject)?[name.Replace('|', '.')])?.ToJsonString();

    internal static ExplainedStep[] Explain(string text, CompiledSettings? settings = null) =>
        [.. Read(text).Steps.Select(s => StepExplainer.Explain(s, settings ?? CompiledSettings.Default, Testbed.View, ClusterUsage.Unknown, EnglishDecisionText.Instance))];

    internal static Decision Decide(string text, CompiledSettings? settings = null) => Assert.Single(Explain(text, settings)).Explanation!.Decision;

    internal static JsonObject Object(string yaml)
    {
        using var reader = new StringReader(yaml);
        return YamlSource.Read(reader)[0].Root!.AsObject();
    }

    internal const string PredictPod = """
        apiVersion: v1
        kind: Pod
        metadata:
          name: predict
          labels: { typeOfComponent: Predict, OurLocation: HOME-EDGE }
        spec:
          containers:
            - name: main
              image: python
        """;

    internal const string Template = """
        metadata: { labels: { typeOfComponent: Predict, OurLocation: HOME-EDGE } }
        spec: { containers: [ { name: main, image: python } ] }
        """;
}
