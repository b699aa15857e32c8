using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace AdmissionLas.Kubernetes;

/// <summary>Reads Kubernetes objects from YAML or JSON files, many documents or Lists in one, as the JSON that the API server would hold.</summary>
public static class YamlJson
{
    /// <summary>What System.Text.Json reads back at most. An alias to what it stands in has no end, and would take the process with it.</summary>
    const int DeepestNesting = 64;

    /// <summary>Reads every object; a List is replaced by its items.</summary>
    /// <exception cref="InvalidDataException">The text is no YAML, or YAML that no JSON can say; the message says where.</exception>
    public static IReadOnlyList<JsonElement> ReadObjects(TextReader text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(text);
        }
        catch (YamlException fault)
        {
            throw Unusable(fault.Start, fault.Message, fault);
        }

        var objects = new List<JsonElement>();
        foreach (var document in stream.Documents)
        {
            if (ToJson(document.RootNode, 1) is JsonObject root)
            {
                var items = root["kind"]?.ToString().EndsWith("List", StringComparison.Ordinal) == true ? root["items"] as JsonArray : null;
                objects.AddRange((items ?? new JsonArray(root)).OfType<JsonObject>().Select(o => ToElement(o)));
            }
        }

        return objects;
    }

    /// <summary>Writes an object as kubectl would take it.</summary>
    public static void Write(JsonObject value, TextWriter text) => new YamlStream(new YamlDocument(ToYaml(value))).Save(text, assignAnchors: false);

    /// <summary>Reads the nodes of a file made by <c>kubectl get nodes -o yaml</c> or by hand.</summary>
    /// <exception cref="InvalidDataException">The text is no YAML or holds no Node.</exception>
    public static IReadOnlyList<Placement.NodeFacts> ReadNodes(TextReader text)
    {
        Placement.NodeFacts[] nodes =
        [
            .. ReadObjects(text)
                .Where(o => o.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String && kind.GetString() == "Node")
                .Select(NodeReader.Read).OfType<Placement.NodeFacts>(),
        ];
        return nodes.Length > 0 ? nodes : throw new InvalidDataException("it holds no Node; save one with: kubectl get nodes -o yaml");
    }

    static JsonElement ToElement(JsonObject value)
    {
        using var document = JsonDocument.Parse(value.ToJsonString());
        return document.RootElement.Clone();
    }

    static JsonNode? ToJson(YamlNode node, int depth) => node switch
    {
        YamlMappingNode or YamlSequenceNode when depth > DeepestNesting => throw Unusable(node.Start, $"nested more than {DeepestNesting} levels deep"),
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(c => KeyValuePair.Create(Key(c.Key), ToJson(c.Value, depth + 1)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(c => ToJson(c, depth + 1))]),
        YamlScalarNode { Style: ScalarStyle.Plain, Tag.IsEmpty: true } scalar => Plain(scalar.Value ?? ""),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value ?? ""),
        _ => null,
    };

    static YamlNode ToYaml(JsonNode? node) => node switch
    {
        JsonObject mapping => new YamlMappingNode(mapping.Select(m => KeyValuePair.Create<YamlNode, YamlNode>(Text(m.Key), ToYaml(m.Value)))),
        JsonArray sequence => new YamlSequenceNode(sequence.Select(ToYaml)),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => Text(value.GetValue<string>()),
        null => new YamlScalarNode("null"),
        _ => new YamlScalarNode(node.ToJsonString()),
    };

    // Quoted when it would be read back as something else than text.
    static YamlScalarNode Text(string text) =>
        new(text) { Style = Plain(text)?.GetValueKind() == JsonValueKind.String ? ScalarStyle.Any : ScalarStyle.DoubleQuoted };

    static string Key(YamlNode key) => key is YamlScalarNode scalar ? scalar.Value ?? "" : throw Unusable(key.Start, "a key must be text");

    static InvalidDataException Unusable(Mark at, string why, Exception? cause = null) => new($"line {at.Line}, column {at.Column}: {why}", cause);

    // The core schema of YAML 1.2: what is not quoted may be null, a boolean or a number.
    static JsonValue? Plain(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => JsonValue.Create(true),
        "false" or "False" or "FALSE" => JsonValue.Create(false),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) && char.IsAsciiDigit(text[^1]) => JsonValue.Create(real),
        _ => JsonValue.Create(text),
    };
}
