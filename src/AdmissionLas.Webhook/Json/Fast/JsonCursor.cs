// This folder exists for speed alone. With System.Text.Json's Utf8JsonReader in the cursor's place a review takes 1.4 times the CPU time through
// the whole server: scripts/benchmark.sh, native, HTTP/1.1, 500 nodes, both in turns.
using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;

namespace AdmissionLas.Webhook;

/// <summary>
/// Walks over JSON text, reads the values that are asked for and skips the others. A value that is read is checked: its syntax, type and
/// escapes. A value that is skipped only has to end. <see langword="null"/> counts as absent, as it does for the API server; a value of another
/// type is a fault that names its path.
/// </summary>
/// <remarks>Names and values are read in turn: <c>while (json.NextMember()) { if (json.TextIs("uid"u8)) … else json.SkipValue(); }</c>.</remarks>
/// <param name="json">The text, in UTF-8.</param>
ref struct JsonCursor(ReadOnlySpan<byte> json)
{
    static readonly SearchValues<byte> Numeric = SearchValues.Create("+-.0123456789Ee"u8);

    readonly ReadOnlySpan<byte> json = json;
    int at;
    int valueAt;
    bool isFirst;
    ReadOnlySpan<byte> raw;
    bool isEscaped;

    /// <summary>The bytes of the name or scalar value that was read last; of a value that is a string, what is between the quotes with its escapes.</summary>
    internal readonly ReadOnlySpan<byte> Raw => raw;

    /// <summary>How many bytes have been read.</summary>
    internal readonly int Position => at;

    /// <summary>Moves into an object; <see langword="false"/> when there is null in its place.</summary>
    internal bool ReadObject() => ReadStart((byte)'{', "is not an object");

    /// <summary>Moves into a list; <see langword="false"/> when there is null in its place.</summary>
    internal bool ReadArray() => ReadStart((byte)'[', "is not a list");

    /// <summary>Moves to the next member of the object and reads its name; <see langword="false"/> at the object's end.</summary>
    internal bool NextMember()
    {
        // As the API server writes them: nothing but a comma in between.
        if (!isFirst && at + 1 < json.Length && json[at] == ',' && json[at + 1] == '"')
        {
            at += 2;
        }
        else if (AtEnd((byte)'}'))
        {
            return false;
        }
        else
        {
            Expect((byte)'"');
        }

        ReadString();
        if (isEscaped)
        {
            raw = Encoding.UTF8.GetBytes(Unescape());
            isEscaped = false;
        }

        Expect((byte)':');
        return true;
    }

    /// <summary>Moves to the next item of the list; <see langword="false"/> at the list's end.</summary>
    internal bool NextItem() => !AtEnd((byte)']');

    /// <summary>Whether the name or string that was read last is this.</summary>
    // An escape makes a byte at most six times as long: a long text with escapes need not be unescaped.
    internal readonly bool TextIs(ReadOnlySpan<byte> text) =>
        isEscaped ? raw.Length <= 6 * text.Length && Text.SequenceEqual(text) : raw.SequenceEqual(text);

    /// <summary>The name or string that was read last. JSON can escape half a surrogate pair, which is not text.</summary>
    internal readonly string GetText()
    {
        try
        {
            return isEscaped ? Unescape() : StringPool.Get(raw);
        }
        catch (InvalidOperationException)
        {
            throw Fault("is not valid Unicode");
        }
    }

    /// <summary>The same as UTF-8.</summary>
    internal readonly ReadOnlySpan<byte> Text => isEscaped ? Encoding.UTF8.GetBytes(GetText()) : raw;

    /// <summary>Reads a string, or null.</summary>
    internal string? ReadText() => ReadScalar() switch
    {
        JsonValueKind.String => GetText(),
        JsonValueKind.Null => null,
        _ => throw Fault("is not a string"),
    };

    /// <summary>The same for a text that Kubernetes bounds: a longer one is a fault, and no string is made of it.</summary>
    internal string? ReadText(int longest)
    {
        var kind = ReadScalar();
        // An escape makes a byte at most six times as long.
        return kind == JsonValueKind.Null ? null
            : kind != JsonValueKind.String ? throw Fault("is not a string")
            : raw.Length <= 6 * longest && GetText() is var text && text.Length <= longest ? text
            : throw Fault($"is longer than {longest} characters");
    }

    /// <summary>Reads a string as UTF-8; null is empty.</summary>
    internal ReadOnlySpan<byte> ReadUtf8() => ReadScalar() switch
    {
        JsonValueKind.String => Text,
        JsonValueKind.Null => default,
        _ => throw Fault("is not a string"),
    };

    /// <summary>Reads a list of strings.</summary>
    internal List<string> ReadTexts()
    {
        var texts = new List<string>();
        if (ReadArray())
        {
            while (NextItem())
            {
                texts.Add(ReadText() ?? throw Fault("is not a string"));
            }
        }

        return texts;
    }

    /// <summary>Reads a value of a map of strings; null is the empty string.</summary>
    internal string ReadMapText() => ReadScalar() switch
    {
        JsonValueKind.String => GetText(),
        JsonValueKind.Null => "",
        _ => throw FaultInParent("is not a string"),
    };

    /// <summary>Reads true or false; null is false.</summary>
    internal bool ReadFlag() => ReadScalar() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False or JsonValueKind.Null => false,
        _ => throw Fault("is not a boolean"),
    };

    /// <summary>Reads a list only to know whether it has items.</summary>
    internal bool ReadHasItems()
    {
        var hasItems = false;
        if (ReadArray())
        {
            while (NextItem())
            {
                SkipValue();
                hasItems = true;
            }
        }

        return hasItems;
    }

    /// <summary>Reads a value whose bytes are then <see cref="Raw"/>; an object or list is skipped.</summary>
    internal JsonValueKind ReadScalar()
    {
        var first = Peek();
        valueAt = at;
        switch (first)
        {
            case (byte)'"':
                at++;
                ReadString();
                return JsonValueKind.String;
            case (byte)'t':
                ReadWord("true"u8);
                return JsonValueKind.True;
            case (byte)'f':
                ReadWord("false"u8);
                return JsonValueKind.False;
            case (byte)'n':
                ReadWord("null"u8);
                return JsonValueKind.Null;
            case (byte)'{' or (byte)'[':
                SkipNested();
                return first == '{' ? JsonValueKind.Object : JsonValueKind.Array;
            default:
                ReadNumber();
                return JsonValueKind.Number;
        }
    }

    /// <summary>Steps over a value.</summary>
    internal void SkipValue() => ReadScalar();

    /// <summary>Makes sure that nothing follows.</summary>
    internal void End()
    {
        SkipWhiteSpace();
        if (at < json.Length)
        {
            throw NotJson(at);
        }
    }

    /// <summary>What is wrong with the value that was read last.</summary>
    internal readonly UnreadablePodException Fault(string problem) => new(valueAt, problem);

    /// <summary>What is wrong with the object that the value which was read last is in, or with the object that was left last.</summary>
    internal readonly UnreadablePodException FaultInParent(string problem, string member = "") => new(valueAt - 1, problem, member);

    /// <summary>
    /// The names that lead to a position, as far as they can be read. It walks there from the beginning: only the one fault that is answered needs it.
    /// </summary>
    internal static string PathOf(ReadOnlySpan<byte> json, int position)
    {
        var path = "";
        var walk = new JsonCursor(json);
        try
        {
            while (walk.StepInto(position, ref path))
            {
            }
        }
        catch (Exception fault) when (fault is JsonException or UnreadablePodException or InvalidOperationException)
        {
            // What was skipped on the way to the fault need not be JSON.
        }

        return path;
    }

    bool ReadStart(byte start, string problem)
    {
        if (Peek() == start)
        {
            valueAt = at++;
            return isFirst = true;
        }

        return ReadScalar() == JsonValueKind.Null ? false : throw Fault(problem);
    }

    // Past the end of an object or list, or past the comma before what comes next.
    bool AtEnd(byte end)
    {
        var isAtEnd = Peek() == end;
        if (isAtEnd)
        {
            valueAt = ++at;
        }
        else if (!isFirst)
        {
            Expect((byte)',');
        }

        isFirst = false;
        return isAtEnd;
    }

    // Byte by byte between the strings: there the API server writes little but a colon or a comma.
    void SkipNested()
    {
        var depth = 0;
        do
        {
            switch (at < json.Length ? json[at++] : throw NotJson(at))
            {
                case (byte)'"':
                    at = EndOfString(out _) + 1;
                    break;
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                case (byte)'}' or (byte)']':
                    depth--;
                    break;
            }
        }
        while (depth > 0);
        isFirst = false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Expect(byte wanted)
    {
        if (Peek() != wanted)
        {
            throw NotJson(at);
        }

        at++;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    byte Peek()
    {
        // There is no white space between the API server's tokens.
        if (at >= json.Length || json[at] <= ' ')
        {
            SkipWhiteSpace();
        }

        return at < json.Length ? json[at] : throw NotJson(at);
    }

    void SkipWhiteSpace()
    {
        while (at < json.Length && json[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            at++;
        }
    }

    // From behind the opening quote to behind the closing one.
    void ReadString()
    {
        var end = EndOfString(out isEscaped);
        raw = json[at..end];
        at = end + 1;
        isFirst = false;
    }

    // The names and most values of a pod end within the 16 bytes that one comparison covers.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    readonly int EndOfString(out bool hasEscapes)
    {
        hasEscapes = false;
        if (at + Vector128<byte>.Count <= json.Length)
        {
            var bytes = Vector128.Create(json[at..]);
            var quotes = Vector128.Equals(bytes, Vector128.Create((byte)'"')).ExtractMostSignificantBits();
            var ends = quotes | Vector128.Equals(bytes, Vector128.Create((byte)'\\')).ExtractMostSignificantBits();
            if ((ends & (~ends + 1) & quotes) != 0)
            {
                return at + BitOperations.TrailingZeroCount(quotes);
            }
        }

        return EndOfLongString(out hasEscapes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    readonly int EndOfLongString(out bool hasEscapes)
    {
        var text = json[at..];
        var end = text.IndexOfAny((byte)'"', (byte)'\\');
        hasEscapes = end >= 0 && text[end] == '\\';
        end = hasEscapes ? EndOfEscaped(text, end) : end;
        return end < 0 ? throw NotJson(json.Length) : at + end;
    }

    // A quote behind an odd number of backslashes does not end the string.
    static int EndOfEscaped(ReadOnlySpan<byte> text, int firstBackslash)
    {
        for (var end = firstBackslash; ; end++)
        {
            var length = text[end..].IndexOf((byte)'"');
            if (length < 0)
            {
                return -1;
            }

            end += length;
            var before = text[firstBackslash..end];
            if ((before.Length - before.TrimEnd((byte)'\\').Length) % 2 == 0)
            {
                return end;
            }
        }
    }

    void ReadWord(ReadOnlySpan<byte> word)
    {
        if (!json[at..].StartsWith(word))
        {
            throw NotJson(at);
        }

        Take(word.Length);
    }

    void ReadNumber()
    {
        var length = json[at..].IndexOfAnyExcept(Numeric);
        var number = length < 0 ? json[at..] : json.Slice(at, length);
        var digits = number.TrimStart((byte)'-');
        // A leading zero or a bare sign is not a number.
        if (number.Length - digits.Length > 1 || digits.Length == 0 || !char.IsAsciiDigit((char)digits[0]) || !char.IsAsciiDigit((char)digits[^1]) ||
            (digits.Length > 1 && digits[0] == '0' && char.IsAsciiDigit((char)digits[1])))
        {
            throw NotJson(at);
        }

        Take(number.Length);
    }

    void Take(int length)
    {
        raw = json.Slice(at, length);
        at += length;
        isFirst = isEscaped = false;
    }

    // Escapes are rare in what is kept, and the library knows them all.
    readonly string Unescape()
    {
        var reader = new Utf8JsonReader([(byte)'"', .. raw, (byte)'"']);
        reader.Read();
        return reader.GetString()!;
    }

    // Into the member or item that the position is in, if it is in one.
    bool StepInto(int position, ref string path)
    {
        var isList = Peek() == '[';
        if (at == position || !isList && json[at] != '{')
        {
            return false;
        }

        at++;
        isFirst = true;
        while (at <= position && (isList ? NextItem() : NextMember()))
        {
            var name = isList ? "[]" : path.Length == 0 ? GetText() : $".{GetText()}";
            Peek();
            var value = this;
            SkipValue();
            if (value.at <= position && position < at)
            {
                this = value;
                path += name;
                return true;
            }
        }

        return false;
    }

    readonly JsonException NotJson(int position)
    {
        var before = json[..position];
        return new JsonException("", null, before.Count((byte)'\n'), position - (before.LastIndexOf((byte)'\n') + 1));
    }
}
