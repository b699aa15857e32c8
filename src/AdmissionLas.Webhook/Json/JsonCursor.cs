using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace AdmissionLas.Webhook;

/// <summary>What kind of value stands in JSON.</summary>
enum JsonKind
{
    /// <summary>{…}</summary>
    Object,

    /// <summary>[…]</summary>
    List,

    /// <summary>"…"</summary>
    Text,

    /// <summary>true or false</summary>
    Flag,

    /// <summary>A number.</summary>
    Number,

    /// <summary>null</summary>
    Null,
}

/// <summary>
/// Walks over JSON text, taking what it is asked for and stepping over the rest. What is read is judged, its syntax, type and escapes; what
/// is stepped over only has to end. Most of a review is of no concern to us, and reading it word by word would cost more than all else, so
/// where strings, objects and lists end is found many bytes at a time (<see cref="JsonScan"/>).
/// <see langword="null"/> counts as absent, as it does for the API server; a value of another type is a fault that names its path.
/// </summary>
/// <remarks>Names and values are read in turn: <c>while (json.NextMember()) { if (json.TextIs("uid"u8)) … else json.SkipValue(); }</c>.</remarks>
/// <param name="json">The text, in UTF-8.</param>
ref struct JsonCursor(ReadOnlySpan<byte> json)
{
    static readonly SearchValues<byte> Numeric = SearchValues.Create("+-.0123456789Ee"u8);

    readonly ReadOnlySpan<byte> json = json;
    int at;
    bool isFirst;
    ReadOnlySpan<byte> raw;
    bool isEscaped;

    /// <summary>The bytes of the name or scalar value that was read last; of a string what stands between the quotes, escapes and all.</summary>
    internal readonly ReadOnlySpan<byte> Raw => raw;

    /// <summary>Whether there are escapes in them.</summary>
    internal readonly bool IsEscaped => isEscaped;

    /// <summary>Moves into an object; <see langword="false"/> when there is null in its place.</summary>
    /// <remarks>Paths come in two parts here and below, put together only when there is a fault to name.</remarks>
    internal bool ReadObject(string path, string member = "") => ReadStart((byte)'{', path, member, "an object");

    /// <summary>Moves into a list; <see langword="false"/> when there is null in its place.</summary>
    internal bool ReadArray(string path, string member = "") => ReadStart((byte)'[', path, member, "a list");

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

    /// <summary>Moves into the next item of the list, which must be an object; <see langword="false"/> at the list's end.</summary>
    internal bool NextObject(string path, string member = "")
    {
        if (!NextItem())
        {
            return false;
        }

        if (Peek() != '{')
        {
            throw new UnreadablePodException($"an item of {path}{member} is not an object");
        }

        at++;
        return isFirst = true;
    }

    /// <summary>Whether the name or string that was read last is this.</summary>
    // Inlined, since a comparison with a text whose length is known takes two instructions.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly bool TextIs(ReadOnlySpan<byte> text) => isEscaped ? UnescapedIs(text) : raw.SequenceEqual(text);

    /// <summary>The name or string that was read last. JSON can escape half a surrogate pair, which is no text.</summary>
    internal readonly string GetText(string path)
    {
        try
        {
            return isEscaped ? Unescape() : Encoding.UTF8.GetString(raw);
        }
        catch (InvalidOperationException)
        {
            throw new UnreadablePodException($"{path} is not valid Unicode");
        }
    }

    /// <summary>The same as UTF-8.</summary>
    internal readonly ReadOnlySpan<byte> Text(string path) => isEscaped ? Encoding.UTF8.GetBytes(GetText(path)) : raw;

    /// <summary>Reads a string, or null.</summary>
    internal string? ReadText(string path, string member = "") => ReadIsText(path, member) ? GetText(path) : null;

    /// <summary>Reads a string that many reviews share, which then costs no new one.</summary>
    internal string? ReadSharedText(string path, string member = "") =>
        ReadIsText(path, member) ? GetSharedText(path) : null;

    /// <summary>What <see cref="GetText"/> gives, for a string that many reviews share.</summary>
    internal readonly string GetSharedText(string path) => isEscaped ? GetText(path) : StringPool.Get(raw);

    /// <summary>Reads a list of strings.</summary>
    internal List<string> ReadTexts(string path, string member = "")
    {
        var texts = new List<string>();
        if (ReadArray(path, member))
        {
            while (NextItem())
            {
                texts.Add(ReadScalar() == JsonKind.Text ? GetText(path) : throw new UnreadablePodException($"an item of {path}{member} is not a string"));
            }
        }

        return texts;
    }

    /// <summary>Reads a map of strings whole.</summary>
    internal Dictionary<string, string> ReadTextMap(string path)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (ReadObject(path))
        {
            while (NextMember())
            {
                var key = GetText(path);
                map[key] = ReadText(path) ?? "";
            }
        }

        return map;
    }

    /// <summary>Reads true or false; null is false.</summary>
    internal bool ReadFlag(string path) => ReadScalar() switch
    {
        JsonKind.Flag => raw[0] == 't',
        JsonKind.Null => false,
        _ => throw new UnreadablePodException($"{path} is not a boolean"),
    };

    /// <summary>Reads a value that is no object and no list; one that is is stepped over. Its bytes are <see cref="Raw"/>.</summary>
    internal JsonKind ReadScalar()
    {
        switch (Peek())
        {
            case (byte)'"':
                at++;
                ReadString();
                return JsonKind.Text;
            case (byte)'t':
                ReadWord("true"u8);
                return JsonKind.Flag;
            case (byte)'f':
                ReadWord("false"u8);
                return JsonKind.Flag;
            case (byte)'n':
                ReadWord("null"u8);
                return JsonKind.Null;
            case (byte)'{' or (byte)'[':
                return SkipValue();
            default:
                ReadNumber();
                return JsonKind.Number;
        }
    }

    /// <summary>Steps over a value and tells what it was.</summary>
    internal JsonKind SkipValue()
    {
        switch (Peek())
        {
            case (byte)'{' or (byte)'[':
                var kind = json[at] == '{' ? JsonKind.Object : JsonKind.List;
                var length = JsonScan.LengthOf(json[at..]);
                at = length > 0 ? at + length : throw NotJson(json.Length);
                isFirst = false;
                return kind;
            case (byte)'"':
                at++;
                ReadString();
                return JsonKind.Text;
            default:
                return ReadScalar();
        }
    }

    /// <summary>To the end of the list the cursor is in; tells how many items there were.</summary>
    internal int SkipItems()
    {
        var items = 0;
        while (NextItem())
        {
            SkipValue();
            items++;
        }

        return items;
    }

    /// <summary>Makes sure that nothing follows.</summary>
    internal void End()
    {
        SkipWhiteSpace();
        if (at < json.Length)
        {
            throw NotJson(at);
        }
    }

    bool ReadStart(byte start, string path, string member, string what)
    {
        if (Peek() == start)
        {
            at++;
            return isFirst = true;
        }

        return ReadScalar() == JsonKind.Null ? false : throw new UnreadablePodException($"{path}{member} is not {what}");
    }

    bool ReadIsText(string path, string member) => ReadScalar() switch
    {
        JsonKind.Text => true,
        JsonKind.Null => false,
        _ => throw new UnreadablePodException($"{path}{member} is not a string"),
    };

    // Past the end of an object or list, or past the comma before what comes next.
    bool AtEnd(byte end)
    {
        var isAtEnd = Peek() == end;
        if (isAtEnd)
        {
            at++;
        }
        else if (!isFirst)
        {
            Expect((byte)',');
        }

        isFirst = false;
        return isAtEnd;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Expect(byte wanted)
    {
        if (at >= json.Length || json[at] != wanted)
        {
            ExpectBehindWhiteSpace(wanted);
        }

        at++;
    }

    void ExpectBehindWhiteSpace(byte wanted)
    {
        if (PeekBehindWhiteSpace() != wanted)
        {
            throw NotJson(at);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    byte Peek()
    {
        // There is none between the API server's tokens.
        if (at < json.Length && json[at] > ' ')
        {
            return json[at];
        }

        return PeekBehindWhiteSpace();
    }

    byte PeekBehindWhiteSpace()
    {
        SkipWhiteSpace();
        return at < json.Length ? json[at] : throw NotJson(at);
    }

    void SkipWhiteSpace()
    {
        while (at < json.Length && json[at] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
        {
            at++;
        }
    }

    // From behind the opening quote to behind the closing one. The names and most values of a pod end within one step.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void ReadString()
    {
        if (JsonScan.IsShortText(json, at, out var length))
        {
            raw = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref MemoryMarshal.GetReference(json), at), length);
            at += length + 1;
            isFirst = isEscaped = false;
        }
        else
        {
            ReadLongString();
        }
    }

    void ReadLongString()
    {
        var length = json[at..].IndexOfAny((byte)'"', (byte)'\\');
        length = length < 0 ? json.Length - at : length;
        if (isEscaped = at + length < json.Length && json[at + length] == '\\')
        {
            length += JsonScan.LengthOfText(json[(at + length)..]);
        }

        if (at + length >= json.Length)
        {
            throw NotJson(json.Length);
        }

        raw = json.Slice(at, length);
        at += length + 1;
        isFirst = false;
    }

    void ReadWord(ReadOnlySpan<byte> word)
    {
        if (!json[at..].StartsWith(word))
        {
            throw NotJson(at);
        }

        raw = json.Slice(at, word.Length);
        at += word.Length;
        isFirst = isEscaped = false;
    }

    void ReadNumber()
    {
        var length = json[at..].IndexOfAnyExcept(Numeric);
        var number = length < 0 ? json[at..] : json.Slice(at, length);
        var digits = number.TrimStart((byte)'-');
        // A leading zero, a bare sign: what no number is, without its value.
        if (number.Length - digits.Length > 1 || digits.Length == 0 || !char.IsAsciiDigit((char)digits[0]) || !char.IsAsciiDigit((char)digits[^1]) ||
            (digits.Length > 1 && digits[0] == '0' && char.IsAsciiDigit((char)digits[1])))
        {
            throw NotJson(at);
        }

        raw = number;
        at += number.Length;
        isFirst = isEscaped = false;
    }

    // An escape makes a byte no more than six times as long.
    readonly bool UnescapedIs(ReadOnlySpan<byte> text) =>
        raw.Length > text.Length && raw.Length <= 6 * text.Length && text.SequenceEqual(Encoding.UTF8.GetBytes(Unescape()));

    // Escapes are rare in what is kept, and the library knows them all.
    readonly string Unescape()
    {
        var quoted = new byte[raw.Length + 2];
        quoted[0] = quoted[^1] = (byte)'"';
        raw.CopyTo(quoted.AsSpan(1));
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return reader.GetString()!;
    }

    readonly JsonException NotJson(int position)
    {
        var before = json[..position];
        return new JsonException("", null, before.Count((byte)'\n'), position - (before.LastIndexOf((byte)'\n') + 1));
    }
}
