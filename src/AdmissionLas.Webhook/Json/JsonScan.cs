using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace AdmissionLas.Webhook;

/// <summary>
/// Finds where a string, an object or a list of JSON ends without reading what is in it: of 64 bytes at a time it makes bit masks of the
/// quotes, backslashes and brackets, takes those out that are escaped or stand in strings, and counts.
/// </summary>
/// <remarks>Source of the method: Langdale, Lemire: Parsing Gigabytes of JSON per Second, VLDB Journal 28 (2019), section 3.1.</remarks>
static class JsonScan
{
    const int Block = 64;
    const ulong EvenBits = 0x5555_5555_5555_5555;

    /// <summary>Whether a string without escapes ends within the next 16 bytes, and where.</summary>
    /// <param name="json">The text.</param>
    /// <param name="at">Where the inside of the string begins.</param>
    /// <param name="length">How long it is.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsShortText(ReadOnlySpan<byte> json, int at, out int length)
    {
        length = 0;
        if (json.Length - at < Vector128<byte>.Count)
        {
            return false;
        }

        var bytes = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(json), (nuint)at);
        var quotes = Vector128.Equals(bytes, Vector128.Create((byte)'"')).ExtractMostSignificantBits();
        var backslashes = Vector128.Equals(bytes, Vector128.Create((byte)'\\')).ExtractMostSignificantBits();
        length = BitOperations.TrailingZeroCount(quotes);
        return BitOperations.TrailingZeroCount(backslashes | 1u << Vector128<byte>.Count) > length;
    }

    /// <summary>How far it is to the quote that ends the string, or else to the end.</summary>
    /// <param name="text">The inside of a string, from anywhere but between a backslash and what it stands before.</param>
    internal static int LengthOfText(ReadOnlySpan<byte> text)
    {
        var isEscaped = 0UL;
        Span<byte> padded = stackalloc byte[Block];
        for (var at = 0; at < text.Length; at += Block)
        {
            var (quotes, backslashes) = Quotes(ref BlockAt(text, at, padded));
            if ((backslashes | isEscaped) != 0)
            {
                quotes &= ~Escaped(backslashes, ref isEscaped);
            }

            if (quotes != 0)
            {
                return at + BitOperations.TrailingZeroCount(quotes);
            }
        }

        return text.Length;
    }

    /// <summary>The length of the object or list that the text begins with, its brackets included; 0 when it does not end.</summary>
    /// <param name="json">UTF-8 that begins with <c>{</c> or <c>[</c>.</param>
    internal static int LengthOf(ReadOnlySpan<byte> json)
    {
        // Of those that are skipped most are empty.
        if (json.Length >= 2 && json[1] == json[0] + 2)
        {
            return 2;
        }

        var (depth, isEscaped, inString) = (0, 0UL, 0UL);
        Span<byte> padded = stackalloc byte[Block];
        for (var at = 0; at < json.Length; at += Block)
        {
            ref var block = ref BlockAt(json, at, padded);
            var (quotes, backslashes) = Quotes(ref block);
            if ((backslashes | isEscaped) != 0)
            {
                quotes &= ~Escaped(backslashes, ref isEscaped);
            }

            // All bits from an opening quote up to its closing one.
            var strings = inString;
            if (quotes != 0)
            {
                strings ^= PrefixXor(quotes);
                inString = (ulong)((long)strings >> 63);
            }

            if (strings == ulong.MaxValue)
            {
                continue;
            }

            var (opens, closes) = Brackets(ref block);
            opens &= ~strings;
            closes &= ~strings;

            var closed = BitOperations.PopCount(closes);
            if (closed < depth)
            {
                depth += BitOperations.PopCount(opens) - closed;
                continue;
            }

            for (var brackets = opens | closes; brackets != 0; brackets &= brackets - 1)
            {
                depth += (closes & brackets & (0 - brackets)) != 0 ? -1 : 1;
                if (depth == 0)
                {
                    return at + BitOperations.TrailingZeroCount(brackets) + 1;
                }
            }
        }

        return 0;
    }

    // The last one is filled up with zeros, which are nothing.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ref byte BlockAt(ReadOnlySpan<byte> text, int at, Span<byte> padded)
    {
        if (text.Length - at >= Block)
        {
            return ref Unsafe.Add(ref MemoryMarshal.GetReference(text), at);
        }

        padded.Clear();
        text[at..].CopyTo(padded);
        return ref MemoryMarshal.GetReference(padded);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static (ulong Quotes, ulong Backslashes) Quotes(ref byte block)
    {
        var (a, b, c, d) = (Vector128.LoadUnsafe(ref block), Vector128.LoadUnsafe(ref block, 16), Vector128.LoadUnsafe(ref block, 32), Vector128.LoadUnsafe(ref block, 48));
        return (Equal(a, b, c, d, (byte)'"'), Equal(a, b, c, d, (byte)'\\'));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static (ulong Opens, ulong Closes) Brackets(ref byte block)
    {
        // One bit is all that '[' and '{' differ in, and ']' and '}'.
        var lower = Vector128.Create((byte)0x20);
        var (a, b, c, d) = (
            Vector128.LoadUnsafe(ref block) | lower, Vector128.LoadUnsafe(ref block, 16) | lower, Vector128.LoadUnsafe(ref block, 32) | lower, Vector128.LoadUnsafe(ref block, 48) | lower);
        return (Equal(a, b, c, d, (byte)'{'), Equal(a, b, c, d, (byte)'}'));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Equal(Vector128<byte> a, Vector128<byte> b, Vector128<byte> c, Vector128<byte> d, byte value)
    {
        var wanted = Vector128.Create(value);
        return Vector128.Equals(a, wanted).ExtractMostSignificantBits()
            | ((ulong)Vector128.Equals(b, wanted).ExtractMostSignificantBits() << 16)
            | ((ulong)Vector128.Equals(c, wanted).ExtractMostSignificantBits() << 32)
            | ((ulong)Vector128.Equals(d, wanted).ExtractMostSignificantBits() << 48);
    }

    // The bytes that a backslash stands before, unless that one is escaped itself: every second one of a run.
    static ulong Escaped(ulong backslashes, ref ulong isEscaped)
    {
        if (backslashes == 0)
        {
            var first = isEscaped;
            isEscaped = 0;
            return first;
        }

        backslashes &= ~isEscaped;
        var follows = (backslashes << 1) | isEscaped;
        var oddStarts = backslashes & ~EvenBits & ~follows;
        var evenRuns = oddStarts + backslashes;
        isEscaped = evenRuns < oddStarts ? 1UL : 0UL;
        return (EvenBits ^ (evenRuns << 1)) & follows;
    }

    // Bit i becomes the exclusive or of the bits 0 to i.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong PrefixXor(ulong bits)
    {
        bits ^= bits << 1;
        bits ^= bits << 2;
        bits ^= bits << 4;
        bits ^= bits << 8;
        bits ^= bits << 16;
        return bits ^ (bits << 32);
    }
}
