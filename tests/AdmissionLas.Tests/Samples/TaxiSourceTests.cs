using System.Text.RegularExpressions;

namespace AdmissionLas.Tests.Samples;

/// <summary>
/// The compiled pipelines say what their sources say. The compilers are not at hand, so the sources are read as text: each step's image, command,
/// arguments, labels and what it takes from which other step must be in the YAML in the form that the compiler gives it, and nothing else.
/// </summary>
public sealed partial class TaxiSourceTests
{
    sealed record Step(string Name, string Image, string Command, string Arguments, string Labels, string Takes);

    [Fact]
    public void Kfp_v1_yaml_says_what_its_source_says()
    {
        var source = TaxiFiles.Text("kfp-v1.py");
        var calls = Calls(source, "_op");
        var expected = Component1().Matches(source).Select(match =>
        {
            var component = Yaml(match.Groups["text"].Value);
            var name = $"{component["name"]}".ToLowerInvariant().Replace(' ', '-');
            var container = component["implementation"]!["container"]!;
            var call = calls[match.Groups["name"].Value];
            var arguments = container["args"]!.AsArray().Select(word => word is JsonObject placeholder ? Placeholder1(placeholder, call.Constants) : $"{word}");
            return new Step(name, $"{container["image"]}", Words(container["command"]!), string.Join(' ', arguments),
                Labels(AddPodLabel1().Matches(source), name), call.Takes);
        });

        var tasks = TaxiFiles.Object("kfp-v1.yaml")["spec"]!["templates"]!.AsArray().Single(t => t!["dag"] is not null)!["dag"]!["tasks"]!.AsArray();
        var compiled = TaxiFiles.ArgoTemplates().Select(template => new Step(
            $"{template["name"]}",
            $"{template["container"]!["image"]}",
            Words(template["container"]!["command"]!),
            Words(template["container"]!["args"]!),
            Labels(template["metadata"]!["labels"]!.AsObject().Where(l => !l.Key.StartsWith("pipelines.kubeflow.org/", StringComparison.Ordinal))),
            Ordered(
                (tasks.Single(t => $"{t!["template"]}" == $"{template["name"]}")!["arguments"]?["artifacts"]?.AsArray() ?? [])
                .Select(a => TaskOutput().Match($"{a!["from"]}")).Select(m => $"{m.Groups["task"].Value}.{m.Groups["output"].Value}"))));

        AssertSame(expected, compiled);
    }

    [Fact]
    public void Kfp_v1_yaml_hands_each_artifact_from_where_it_is_written_to_where_it_is_read()
    {
        foreach (var task in TaxiFiles.Object("kfp-v1.yaml")["spec"]!["templates"]!.AsArray().Single(t => t!["dag"] is not null)!["dag"]!["tasks"]!.AsArray())
        {
            var passed = task!["arguments"]?["artifacts"]?.AsArray() ?? [];
            Assert.Equal(
                Ordered((TaxiFiles.ArgoTemplate($"{task["template"]}")["inputs"]?["artifacts"]?.AsArray() ?? []).Select(i => $"{i!["name"]}")),
                Ordered(passed.Select(a => $"{a!["name"]}")));
            Assert.All(passed, artifact =>
            {
                var from = TaskOutput().Match($"{artifact!["from"]}");
                Assert.Contains($"{from.Groups["task"].Value}", task["dependencies"]!.AsArray().Select(d => $"{d}"));
                Assert.Contains(
                    TaxiFiles.ArgoTemplate(from.Groups["task"].Value)["outputs"]!["artifacts"]!.AsArray(),
                    output => $"{output!["name"]}" == $"{from.Groups["task"].Value}-{from.Groups["output"].Value}");
            });
        }
    }

    [Fact]
    public void Kfp_v2_yaml_says_what_its_source_says()
    {
        var source = TaxiFiles.Text("kfp-v2.py");
        var image = Image().Match(source).Groups["image"].Value;
        var calls = Calls(source, "");
        var expected = Component2().Matches(source).Select(match =>
        {
            var name = match.Groups["name"].Value;
            var parameters = Parameter2().Matches(match.Groups["parameters"].Value).ToDictionary(p => p.Groups["name"].Value, p => p.Groups["kind"].Value);
            var arguments = match.Groups["args"].Value.Split(", ").Select(word => Placeholder2(word, parameters));
            return new Step(name.Replace('_', '-'), image, match.Groups["command"].Value.Replace("\"", "", StringComparison.Ordinal).Replace(", ", " ", StringComparison.Ordinal),
                string.Join(' ', arguments), Labels(AddPodLabel2().Matches(source), name.Replace('_', '-')), $"{calls[name].Takes} {Ordered(calls[name].Constants.Select(c => $"{c.Key}={c.Value}"))}");
        });

        var pipeline = TaxiFiles.Object("kfp-v2.yaml");
        var compiled = pipeline["root"]!["dag"]!["tasks"]!.AsObject().Select(task =>
        {
            var executor = $"{pipeline["components"]![$"{task.Value!["componentRef"]!["name"]}"]!["executorLabel"]}";
            var step = executor["exec-".Length..];
            var artifacts = task.Value["inputs"]!["artifacts"]?.AsObject() ?? [];
            Assert.Equal(
                Ordered(artifacts.Select(a => $"{a.Value!["taskOutputArtifact"]!["producerTask"]}").Distinct()),
                Ordered((task.Value["dependentTasks"]?.AsArray() ?? []).Select(d => $"{d}")));
            var container = TaxiFiles.Container(step);
            return new Step(task.Key, $"{container["image"]}", Words(container["command"]!), Words(container["args"]!),
                Labels(TaxiFiles.PodLabels(step) ?? []),
                Ordered(artifacts.Select(a => $"{a.Value!["taskOutputArtifact"]!["producerTask"]}.{a.Value["taskOutputArtifact"]!["outputArtifactKey"]}"))
                + " " + Ordered((task.Value["inputs"]!["parameters"]?.AsObject() ?? []).Select(p => $"{p.Key}={p.Value!["runtimeValue"]!["constant"]}")));
        });

        AssertSame(expected, compiled);
    }

    [Fact]
    public void Both_pipelines_have_the_same_steps()
    {
        var tasks = TaxiFiles.Object("kfp-v2.yaml")["root"]!["dag"]!["tasks"]!.AsObject();

        Assert.Equal(["evaluate", "fetch-test", "fetch-train", "predict", "prepare", "train"], tasks.Select(t => t.Key));
        Assert.Equal(tasks.Select(t => t.Key), TaxiFiles.ArgoTemplates().Select(t => $"{t["name"]}"));
    }

    [Fact]
    public void Every_verb_of_the_program_is_used_as_it_is_written()
    {
        var verbs = Verb().Matches(TaxiFiles.Text("taxi.py")).ToDictionary(
            verb => verb.Groups["verb"].Value,
            verb => string.Join(' ', Option().Matches(verb.Groups["options"].Value).Select(o => o.Value)));

        Assert.Equal(5, verbs.Count);
        Assert.All(TaxiFiles.ArgoTemplates(), template => Assert.Equal(
            verbs[$"{template["container"]!["command"]![2]}"],
            string.Join(' ', template["container"]!["args"]!.AsArray().Select(a => $"{a}").Where(a => a.StartsWith("--", StringComparison.Ordinal)))));
    }

    static void AssertSame(IEnumerable<Step> expected, IEnumerable<Step> compiled)
    {
        Step[] steps = [.. expected.OrderBy(s => s.Name, StringComparer.Ordinal)];
        Assert.Equal(6, steps.Length);
        Assert.Equal(steps, compiled.OrderBy(s => s.Name, StringComparer.Ordinal));
    }

    /// <summary>What each component is called with: constants, and outputs of other steps.</summary>
    static Dictionary<string, (string Takes, Dictionary<string, string> Constants)> Calls(string source, string suffix) =>
        Call(suffix).Matches(source[source.IndexOf("@dsl.pipeline", StringComparison.Ordinal)..]).ToDictionary(
            call => call.Groups["component"].Value,
            call => (
                Ordered(OutputOf().Matches(call.Groups["arguments"].Value).Select(o =>
                    $"{o.Groups["task"].Value.Replace("_task", "", StringComparison.Ordinal).Replace('_', '-')}.{o.Groups["output"].Value}")),
                Constant().Matches(call.Groups["arguments"].Value).ToDictionary(c => c.Groups["name"].Value, c => c.Groups["value"].Value)));

    static string Placeholder1(JsonObject placeholder, Dictionary<string, string> constants)
    {
        var (kind, name) = (placeholder.Single().Key, $"{placeholder.Single().Value}");
        return kind switch
        {
            "inputValue" => constants[name],
            "inputPath" => $"/tmp/inputs/{name}/data",
            "outputPath" => $"/tmp/outputs/{name}/data",
            _ => throw new InvalidDataException($"{kind} is not known"),
        };
    }

    static string Placeholder2(string word, Dictionary<string, string> parameters) =>
        word.StartsWith('"') ? word.Trim('"')
        : word.EndsWith(".path", StringComparison.Ordinal)
            ? $"{{{{$.{(parameters[word[..^5]].StartsWith("Input", StringComparison.Ordinal) ? "inputs" : "outputs")}.artifacts['{word[..^5]}'].path}}}}"
        : $"{{{{$.inputs.parameters['{word}']}}}}";

    static string Labels(IEnumerable<Match> calls, string step) => Ordered(calls
        .Where(c => c.Groups["task"].Value.Replace("_task", "", StringComparison.Ordinal).Replace('_', '-') == step)
        .Select(c => $"{c.Groups["key"].Value}={c.Groups["value"].Value}"));

    static string Labels(IEnumerable<KeyValuePair<string, JsonNode?>> labels) => Ordered(labels.Select(l => $"{l.Key}={l.Value}"));

    static string Words(JsonNode words) => string.Join(' ', words.AsArray().Select(w => $"{w}"));

    static string Ordered(IEnumerable<string> words) => string.Join(' ', words.Order(StringComparer.Ordinal));

    static JsonObject Yaml(string text)
    {
        using var reader = new StringReader(text);
        return JsonObject.Create(YamlJson.ReadObjects(reader)[0])!;
    }

    static Regex Call(string suffix) => new($@"(?<![.\w])(?<component>\w+?){suffix}\((?<arguments>[^()]*)\)", RegexOptions.CultureInvariant);

    [GeneratedRegex("""^(?<name>\w+)_op = components\.load_component_from_text\("{3}\n(?<text>.*?)"{3}\)""", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Component1();

    [GeneratedRegex("""^    (?<task>\w+)\.add_pod_label\("(?<key>[^"]+)", "(?<value>[^"]+)"\)""", RegexOptions.Multiline)]
    private static partial Regex AddPodLabel1();

    [GeneratedRegex("""@dsl\.container_component\ndef (?<name>\w+)\((?<parameters>[^)]*)\):\s+return dsl\.ContainerSpec\(\s+image=IMAGE, command=\[(?<command>[^\]]*)\],\s+args=\[(?<args>[^\]]*)\]\)""")]
    private static partial Regex Component2();

    [GeneratedRegex("""(?<name>\w+): (?<kind>\w+)""")]
    private static partial Regex Parameter2();

    [GeneratedRegex("""kubernetes\.add_pod_label\((?<task>\w+), "(?<key>[^"]+)", "(?<value>[^"]+)"\)""")]
    private static partial Regex AddPodLabel2();

    [GeneratedRegex("""^IMAGE = "(?<image>[^"]+)"$""", RegexOptions.Multiline)]
    private static partial Regex Image();

    [GeneratedRegex("""(?<task>\w+)\.outputs\["(?<output>\w+)"\]""")]
    private static partial Regex OutputOf();

    [GeneratedRegex("""(?<name>\w+)=(?<value>\d+)""")]
    private static partial Regex Constant();

    [GeneratedRegex("""\{\{tasks\.(?<task>[\w-]+)\.outputs\.artifacts\.\k<task>-(?<output>[\w-]+)\}\}""")]
    private static partial Regex TaskOutput();

    [GeneratedRegex("""^    (?<verb>\w+): \{(?<options>[^}]*)\},""", RegexOptions.Multiline)]
    private static partial Regex Verb();

    [GeneratedRegex("""--\w+""")]
    private static partial Regex Option();
}
