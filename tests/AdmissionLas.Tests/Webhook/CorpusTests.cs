using System.Text.Json;

namespace AdmissionLas.Tests.Webhook;

/// <summary>Real pods of Kubeflow and its neighbours, each with what must become of it: a folder a case, see tests/Corpus/README.md.</summary>
public sealed class CorpusTests
{
    static readonly string Root = Path.Combine(AppContext.BaseDirectory, "Corpus");

    static readonly Lazy<CompiledSettings> Settings = new(() => ServerSettings.Read(Path.Combine(Root, "rules.yaml")));

    public static TheoryData<string> Cases =>
        [.. Directory.GetDirectories(Root).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Cases))]
    public void The_pod_becomes_what_its_case_says(string name)
    {
        var pod = Read(name, "pod.yaml");
        var expected = Read(name, "expected.yaml");

        var reviewed = Review(pod);

        var component = Text(expected["component"]);
        if (component == "None")
        {
            Assert.Null(reviewed.Patch);
            Assert.False(reviewed.Decision?.IsDecided ?? false);
            return;
        }

        var decision = reviewed.Decision!;
        Assert.NotNull(reviewed.Patch);
        Assert.Equal((component, Text(expected["rule"])), (decision.Step.Type.ToString(), decision.Step.TypeRule));
        Assert.Equal((Text(expected["location"]), Text(expected["locationRule"])), (decision.Step.Location, decision.Step.LocationRule));
        Assert.Equal(expected["noCandidate"]?.GetValue<bool>() == true, decision.Chosen is null);
        if (decision.Step.Kind == StepKinds.Predict)
        {
            Assert.Equal(Text(expected["node"]), decision.Chosen?.Name);
        }

        Assert.Equal(Requests(expected["requests"]), Added(pod, reviewed.Pod));
        Assert.Null(Review(reviewed.Pod).Patch);
    }

    [Theory, MemberData(nameof(Cases))]
    public void The_chosen_node_can_run_the_patched_pod_and_no_other_scores_higher(string name)
    {
        var reviewed = Review(Read(name, "pod.yaml"));
        // One whose devices no node has may be claiming them.
        if (reviewed.Decision?.Chosen is not { } chosen || name == "training-gpu")
        {
            return;
        }

        var able = Testbed.TwoClouds.Nodes.Where(n => DefaultScheduler.CanRun(reviewed.Pod, n)).ToArray();
        var points = DefaultScheduler.AffinityPoints(reviewed.Pod, able);

        Assert.Contains(chosen, able);
        Assert.Equal(points.Max(), points[Array.IndexOf(able, chosen)]);
    }

    static Reviewed Review(JsonObject pod) => WebhookCall.Review(pod, Testbed.TwoClouds, Settings.Value, Text(pod["metadata"]!["namespace"]) ?? "kubeflow");

    static JsonObject Read(string name, string file)
    {
        using var text = File.OpenText(Path.Combine(Root, name, file));
        return JsonSerializer.SerializeToNode(Assert.Single(YamlJson.ReadObjects(text)))!.AsObject();
    }

    static string[] Requests(JsonNode? byContainer) =>
    [
        .. from container in byContainer as JsonObject ?? []
           from request in container.Value!.AsObject()
           orderby container.Key, request.Key
           select $"{container.Key} {request.Key}={DefaultScheduler.Amount(request.Value!.ToString())}",
    ];

    static string[] Added(JsonObject before, JsonObject after)
    {
        var names = before["spec"]!["containers"]!.AsArray().Select(c => Text(c!["name"])!).ToArray();
        return
        [
            .. from i in Enumerable.Range(0, names.Length)
               from request in after["spec"]!["containers"]![i]!["resources"]?["requests"] as JsonObject ?? []
               where before["spec"]!["containers"]![i]!["resources"]?["requests"]?[request.Key] is null
               orderby names[i], request.Key
               select $"{names[i]} {request.Key}={DefaultScheduler.Amount(request.Value!.ToString())}",
        ];
    }

    static string? Text(JsonNode? value) => value?.GetValue<string>();
}
