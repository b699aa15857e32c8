using System.Text.Json.Nodes;

namespace AdmissionLas.Kubernetes;

/// <summary>What the first bytes of an object say that is too large to be read: the API server writes the metadata first, and in it the names.</summary>
static class ObjectHead
{
    /// <summary>Reads an item of a list.</summary>
    /// <returns>The object with no more than the texts of its metadata.</returns>
    internal static JsonElement OfItem(ReadOnlyMemory<byte> head) => Read(head.Span, level: 1).Object;

    /// <summary>Reads a line of a watch.</summary>
    internal static WatchLine OfLine(ReadOnlyMemory<byte> head) => Read(head.Span, level: 2) with { IsTooLarge = true };

    static WatchLine Read(ReadOnlySpan<byte> head, int level)
    {
        var reader = new Utf8JsonReader(head, isFinalBlock: false, default);
        var metadata = new JsonObject();
        var (type, name, isInMetadata) = ("", "", false);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName)
                {
                    name = reader.GetString()!;
                    isInMetadata = reader.CurrentDepth == level ? name == "metadata" : isInMetadata;
                }
                else if (reader.TokenType == JsonTokenType.String && reader.CurrentDepth == level + 1 && isInMetadata)
                {
                    metadata[name] = reader.GetString();
                }
                else if (reader.TokenType == JsonTokenType.String && reader.CurrentDepth == 1 && name == "type")
                {
                    type = reader.GetString()!;
                }
            }
        }
        // Beyond what is deep or no text there may be more, of no use here.
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
        }

        return new WatchLine(type, YamlJson.ToElement(new JsonObject { ["metadata"] = metadata }));
    }
}
