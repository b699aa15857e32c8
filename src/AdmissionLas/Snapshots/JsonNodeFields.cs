using System.Text.Json;
using System.Text.Json.Nodes;

namespace AdmissionLas.Snapshots;

/// <summary>Looks into what people wrote, where what is missing or of another type counts as absent.</summary>
static class JsonNodeFields
{
    internal static JsonObject? Object(this JsonNode? parent, string name) => (parent as JsonObject)?[name] as JsonObject;

    internal static IEnumerable<JsonObject> Objects(this JsonNode? parent, string name) => ((parent as JsonObject)?[name] as JsonArray ?? []).OfType<JsonObject>();

    internal static IEnumerable<KeyValuePair<string, JsonObject>> Members(this JsonNode? parent, string name) =>
        (parent.Object(name) ?? []).Where(m => m.Value is JsonObject).Select(m => KeyValuePair.Create(m.Key, (JsonObject)m.Value!));

    /// <summary>A string that is not empty.</summary>
    internal static string? Text(this JsonNode? parent, string name) =>
        (parent as JsonObject)?[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String && value.GetValue<string>() is { Length: > 0 } text ? text : null;

    /// <summary>A number above zero.</summary>
    internal static double? Amount(this JsonNode? parent, string name) =>
        (parent as JsonObject)?[name] is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.Deserialize(JsonNodeFieldsContext.Default.Double) is > 0 and var amount ? amount : null;

    /// <summary>Copies members; those that are there stay unless told otherwise.</summary>
    internal static JsonObject With(this JsonObject into, JsonObject? more, bool wins = true)
    {
        foreach (var (name, value) in more ?? [])
        {
            if (wins || !into.ContainsKey(name))
            {
                into[name] = value?.DeepClone();
            }
        }

        return into;
    }

    /// <summary>Copies one member, if it is there.</summary>
    internal static JsonObject With(this JsonObject into, JsonNode? from, string name, string? under = null)
    {
        if ((from as JsonObject)?[name] is { } value)
        {
            into[under ?? name] = value.DeepClone();
        }

        return into;
    }
}

/// <summary>Reads numbers without reflection.</summary>
[System.Text.Json.Serialization.JsonSerializable(typeof(double))]
sealed partial class JsonNodeFieldsContext : System.Text.Json.Serialization.JsonSerializerContext;
