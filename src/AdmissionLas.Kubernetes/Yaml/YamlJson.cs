using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace AdmissionLas.Kubernetes;

/// <summary>Reads Kubernetes objects from YAML or JSON files, many documents or Lists in one, as the JSON that the API server would hold.</summary>
public static class YamlJson
{
    /// <summary>Reads every object; a List is replaced by its items.</summary>
    /// <exception cref="InvalidDataException">The text is not YAML, or YAML that JSON cannot express; the message says where.</exception>
    public static IReadOnlyList<JsonElement> ReadObjects(TextReader text)
    {
        try
        {
            return [.. YamlSource.Read(text).SelectMany(d => ItemsOf(d.Root)).Select(ToElement)];
        }
        catch (YamlFaultException fault)
        {
            throw new InvalidDataException(fault.Message, fault);
        }
    }

    /// <summary>The objects of a document: the items of a List, otherwise the object itself.</summary>
    public static IEnumerable<JsonObject> ItemsOf(JsonNode? root) => root is not JsonObject one ? []
        : one["kind"]?.ToString().EndsWith("List", StringComparison.Ordinal) == true && one["items"] is JsonArray items ? items.OfType<JsonObject>()
        : [one];

    /// <summary>Writes an object as YAML that kubectl reads.</summary>
    public static void Write(JsonObject value, TextWriter text) => new YamlStream(new YamlDocument(ToYaml(value))).Save(text, assignAnchors: false);

    /// <summary>Converts an object, which the readers of Kubernetes objects take as an element.</summary>
    public static JsonElement ToElement(JsonObject value)
    {
        using var document = JsonDocument.Parse(value.ToJsonString());
        return document.RootElement.Clone();
    }

    static YamlNode ToYaml(JsonNode? node) => node switch
    {
        JsonObject mapping => new YamlMappingNode(mapping.Select(m => KeyValuePair.Create<YamlNode, YamlNode>(Text(m.Key), ToYaml(m.Value)))),
        JsonArray sequence => new YamlSequenceNode(sequence.Select(ToYaml)),
        JsonValue value when value.GetValueKind() == JsonValueKind.String => Text(value.GetValue<string>()),
        null => new YamlScalarNode("null"),
        _ => new YamlScalarNode(node.ToJsonString()),
    };

    // Quoted when it would be read back as another type than text.
    static YamlScalarNode Text(string text) =>
        new(text) { Style = YamlSource.Plain(text)?.GetValueKind() == JsonValueKind.String ? ScalarStyle.Any : ScalarStyle.DoubleQuoted };
}
