namespace AdmissionLas.Snapshots;

/// <summary>Reads fields of untrusted JSON. A field of another type counts as missing.</summary>
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
        (parent as JsonObject)?[name] is JsonValue value && value.GetValueKind() == JsonValueKind.Number &&
        double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture) is > 0 and var amount ? amount : null;

    /// <summary>Copies members.</summary>
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

    /// <summary>Copies one member, if it exists.</summary>
    internal static JsonObject With(this JsonObject into, JsonNode? from, string name, string? under = null)
    {
        if ((from as JsonObject)?[name] is { } value)
        {
            into[under ?? name] = value.DeepClone();
        }

        return into;
    }

    /// <summary>A copy with only those of these members that exist.</summary>
    internal static JsonObject Only(this JsonObject? from, params string[] members) =>
        members.Aggregate(new JsonObject(), (kept, member) => kept.With(from, member));

    /// <summary>Sets a member, unless its value is empty.</summary>
    internal static JsonObject Put(this JsonObject into, string name, JsonNode value)
    {
        if (value is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
        {
            into[name] = value;
        }

        return into;
    }
}
