namespace AdmissionLas.Webhook;

/// <summary>Nested JSON of which each level is closed where it is opened. Given static methods, it allocates nothing.</summary>
static class JsonWriting
{
    /// <summary>Writes an object with one member.</summary>
    internal static void WriteObject<T>(this Utf8JsonWriter json, JsonEncodedText name, T value, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartObject();
        json.WritePropertyName(name);
        write(json, value);
        json.WriteEndObject();
    }

    /// <summary>Writes a list.</summary>
    internal static void WriteList<T>(this Utf8JsonWriter json, IReadOnlyList<T> items, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartArray();
        for (var i = 0; i < items.Count; i++)
        {
            write(json, items[i]);
        }

        json.WriteEndArray();
    }

    /// <summary>Writes a string.</summary>
    internal static void WriteText(Utf8JsonWriter json, string text) => json.WriteStringValue(text);
}
