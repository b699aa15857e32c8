using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace AdmissionLas.Webhook;

/// <summary>
/// JSON in the making. What is fixed is added as it stands (<see cref="Add(ReadOnlySpan{byte})"/>), what comes from elsewhere with its quotes and escapes
/// (<see cref="AddText(ReadOnlySpan{char})"/>), and that it makes JSON together is up to who adds it. An answer is mostly fixed text, and to hand that to
/// a JSON writer name by name costs more than to decide what to answer.
/// </summary>
/// <param name="capacity">Room to begin with, in bytes; it grows.</param>
sealed class RawJsonWriter(int capacity = 4096)
{
    const int MaxOnStack = 256;

    // What stands in JSON as it stands in a string: printable ASCII but for the quote and the backslash.
    static readonly SearchValues<char> Plain = SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    // Relaxed: nobody reads this in a web page, and every "\u003E" is bytes in a patch that an API server has to apply.
    static readonly JavaScriptEncoder Escapes = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    byte[] bytes = new byte[capacity];

    /// <summary>How many bytes there are.</summary>
    internal int WrittenCount { get; private set; }

    /// <summary>How many there is room for.</summary>
    internal int Capacity => bytes.Length;

    /// <summary>What there is; valid until more is added.</summary>
    internal ReadOnlyMemory<byte> WrittenMemory => bytes.AsMemory(0, WrittenCount);

    /// <inheritdoc cref="WrittenMemory"/>
    internal ReadOnlySpan<byte> WrittenSpan => bytes.AsSpan(0, WrittenCount);

    /// <summary>Begins anew with the same memory.</summary>
    internal void ResetWrittenCount() => WrittenCount = 0;

    /// <summary>Adds JSON.</summary>
    internal void Add(ReadOnlySpan<byte> json)
    {
        json.CopyTo(Room(json.Length));
        WrittenCount += json.Length;
    }

    /// <summary>Adds a string. What is no text, half a surrogate pair, becomes U+FFFD.</summary>
    internal void AddText(ReadOnlySpan<char> text)
    {
        if (text.ContainsAnyExcept(Plain))
        {
            AddEscaped(text);
            return;
        }

        var room = Room(text.Length + 2);
        room[0] = room[text.Length + 1] = (byte)'"';
        Ascii.FromUtf16(text, room[1..], out _);
        WrittenCount += text.Length + 2;
    }

    /// <summary>Adds two texts as one string, with a character in between.</summary>
    internal void AddText(ReadOnlySpan<char> first, char between, ReadOnlySpan<char> second)
    {
        Span<char> whole = stackalloc char[MaxOnStack];
        var length = first.Length + 1 + second.Length;
        whole = length <= MaxOnStack ? whole[..length] : new char[length];
        first.CopyTo(whole);
        whole[first.Length] = between;
        second.CopyTo(whole[(first.Length + 1)..]);
        AddText(whole);
    }

    /// <summary>Adds a whole number.</summary>
    internal void Add(int number)
    {
        number.TryFormat(Room(11), out var length, default, CultureInfo.InvariantCulture);
        WrittenCount += length;
    }

    /// <summary>Adds bytes as a string in Base64.</summary>
    internal void AddBase64(ReadOnlySpan<byte> data)
    {
        var room = Room(Base64.GetMaxEncodedToUtf8Length(data.Length) + 2);
        room[0] = (byte)'"';
        Base64.EncodeToUtf8(data, room[1..], out _, out var length);
        room[length + 1] = (byte)'"';
        WrittenCount += length + 2;
    }

    void AddEscaped(ReadOnlySpan<char> text)
    {
        var escaped = Escapes.Encode(text.ToString());
        var room = Room(Encoding.UTF8.GetMaxByteCount(escaped.Length) + 2);
        room[0] = (byte)'"';
        var length = Encoding.UTF8.GetBytes(escaped, room[1..]);
        room[length + 1] = (byte)'"';
        WrittenCount += length + 2;
    }

    Span<byte> Room(int length)
    {
        if (bytes.Length - WrittenCount < length)
        {
            Array.Resize(ref bytes, Math.Max(2 * bytes.Length, WrittenCount + length));
        }

        return bytes.AsSpan(WrittenCount);
    }
}
