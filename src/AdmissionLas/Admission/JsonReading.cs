using System.Text.Json;

namespace AdmissionLas.Admission;

/// <summary>
/// The few moves of a reader that takes what it needs and skips the rest. <see langword="null"/> counts as absent, as it does for the
/// API server; a value of another type is a fault that names its path.
/// </summary>
static class JsonReading
{
    /// <summary>Moves onto a value; <see langword="false"/> when it is null.</summary>
    /// <remarks>Paths come in two parts here and below, put together only when there is a fault to name.</remarks>
    internal static bool ReadObject(ref Utf8JsonReader reader, string path, string member = "") =>
        ReadStart(ref reader, JsonTokenType.StartObject, path, member, "an object");

    /// <inheritdoc cref="ReadObject"/>
    internal static bool ReadArray(ref Utf8JsonReader reader, string path, string member = "") =>
        ReadStart(ref reader, JsonTokenType.StartArray, path, member, "a list");

    /// <summary>Moves to the next member of the object the reader is in; <see langword="false"/> at its end.</summary>
    internal static bool NextMember(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.PropertyName;
    }

    /// <summary>Moves to the next item, which must be an object, of the list the reader is in; <see langword="false"/> at its end.</summary>
    internal static bool NextObject(ref Utf8JsonReader reader, string path, string member = "")
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.EndArray => false,
            JsonTokenType.StartObject => true,
            _ => throw new UnreadablePodException($"an item of {path}{member} is not an object"),
        };
    }

    /// <summary>Reads a string, or null.</summary>
    internal static string? ReadText(ref Utf8JsonReader reader, string path, string member = "")
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.String => GetText(ref reader, path),
            JsonTokenType.Null => null,
            _ => throw new UnreadablePodException($"{path}{member} is not a string"),
        };
    }

    /// <summary>Reads a string that is probably one of a few words, which then costs no new string.</summary>
    internal static string? ReadText(ref Utf8JsonReader reader, NameSet words, string path, string member = "")
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.String => words.Find(ref reader) ?? GetText(ref reader, path),
            JsonTokenType.Null => null,
            _ => throw new UnreadablePodException($"{path}{member} is not a string"),
        };
    }

    /// <summary>Reads a list of strings.</summary>
    internal static List<string> ReadTexts(ref Utf8JsonReader reader, string path, string member = "")
    {
        var texts = new List<string>();
        if (ReadArray(ref reader, path, member))
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                texts.Add(reader.TokenType == JsonTokenType.String
                    ? GetText(ref reader, path)
                    : throw new UnreadablePodException($"an item of {path}{member} is not a string"));
            }
        }

        return texts;
    }

    /// <summary>Reads a map of strings whole.</summary>
    internal static Dictionary<string, string> ReadTextMap(ref Utf8JsonReader reader, string path)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (ReadObject(ref reader, path))
        {
            while (NextMember(ref reader))
            {
                var key = GetText(ref reader, path);
                map[key] = ReadText(ref reader, path) ?? "";
            }
        }

        return map;
    }

    /// <summary>Reads true or false; null is false.</summary>
    internal static bool ReadFlag(ref Utf8JsonReader reader, string path)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False or JsonTokenType.Null => false,
            _ => throw new UnreadablePodException($"{path} is not a boolean"),
        };
    }

    /// <summary>Steps over the value of the member the reader stands on.</summary>
    internal static void SkipValue(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }

    /// <summary>The string or member name the reader stands on. JSON can escape half a surrogate pair, which is no text.</summary>
    internal static string GetText(ref Utf8JsonReader reader, string path)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new UnreadablePodException($"{path} is not valid Unicode");
        }
    }

    static bool ReadStart(ref Utf8JsonReader reader, JsonTokenType start, string path, string member, string what)
    {
        reader.Read();
        return reader.TokenType == start || (reader.TokenType == JsonTokenType.Null ? false : throw new UnreadablePodException($"{path}{member} is not {what}"));
    }
}
