using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>An object of the input, and the others, which it may name.</summary>
sealed class InputObject(SourceDocument document, JsonObject json, string defaultNamespace, Dictionary<(string Group, string Kind, string Name), InputObject> others)
{
    internal SourceDocument Document => document;

    internal JsonObject Json => json;

    internal JsonObject? Spec => json.Object("spec");

    internal string Kind => json.Text("kind") ?? "";

    /// <summary>The API group: empty for that of a Pod, <see langword="null"/> for an object that states no apiVersion.</summary>
    internal string? Group => json.Text("apiVersion") is not { } version ? null : version.IndexOf('/', StringComparison.Ordinal) is > 0 and var end ? version[..end] : "";

    internal string Name =>
        json.Object("metadata") is { } metadata && (metadata.Text("name") ?? metadata.Text("generateName")?.TrimEnd('-')) is { } name ? name : "without-name";

    internal string Origin => $"{Kind} {Name}";

    /// <summary>An object in the same input.</summary>
    internal InputObject? Other(string group, string kind, string? name) => others.GetValueOrDefault((group, kind, name ?? ""));

    /// <summary>The same object with other content.</summary>
    internal InputObject With(JsonObject content) => new(document, content, defaultNamespace, others);

    /// <summary>The metadata that each of its pods has.</summary>
    internal JsonObject Metadata(string podName) => new()
    {
        ["generateName"] = $"{podName}-",
        ["namespace"] = json.Object("metadata").Text("namespace") ?? defaultNamespace,
    };

    internal InputProblem Problem(JsonNode at, string message, string advice) => new(document.LineOf(at), message, advice);

    internal StepInputs Refused(string message, string advice) => new([], [Problem(json, message, advice)], []);

    internal StepInputs PassedOver(string message, string advice = "") => new([], [], [Problem(json, message, advice)]);
}
