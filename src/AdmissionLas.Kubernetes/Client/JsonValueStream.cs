using System.Buffers;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// Takes one JSON value after the other out of a stream and holds no more of it than one value. A value that is too large passes by without being kept.
/// </summary>
/// <remarks>
/// Each byte is looked at once: what finds the end of a value goes on where the last piece ended. Whether the value is JSON is the parser's to say.
/// </remarks>
/// <param name="read">Reads more of the stream; 0 at its end.</param>
/// <param name="maxBytes">How large a value may be.</param>
sealed class JsonValueStream(Func<Memory<byte>, ValueTask<int>> read, int maxBytes = JsonValueStream.MaxBytes)
{
    /// <summary>
    /// No object that an API server stores by default is larger: etcd takes requests of 1.5 MiB (https://etcd.io/docs/latest/dev-guide/limit/), and the
    /// JSON of Go has at most six bytes for one of a text (<c>\u003c</c>). The rest is for the names of fields.
    /// </summary>
    internal const int MaxBytes = 10 << 20;

    /// <summary>More than one read brings, and than a usual object has.</summary>
    const int UsualBytes = 64 << 10;

    /// <summary>A watch at rest keeps no larger buffer.</summary>
    const int MaxRestingBytes = 4 * UsualBytes;

    /// <summary>
    /// The API server's own decoder takes objects 10,000 levels deep (https://github.com/golang/go/blob/master/src/encoding/json/scanner.go), and users
    /// who create pods can write their managed fields. One that is not parsed would cost the whole list.
    /// </summary>
    static readonly JsonDocumentOptions Deep = new() { MaxDepth = 10_100 };

    byte[] buffer = new byte[UsualBytes];
    int start;
    int end;

    /// <summary>How many bytes were read.</summary>
    internal long BytesRead { get; private set; }

    /// <summary>Whether there is anything after white space.</summary>
    internal async ValueTask<bool> HasMoreAsync() => await PeekAsync().ConfigureAwait(false) >= 0;

    /// <summary>Takes the next byte after white space if it is this one.</summary>
    internal async ValueTask<bool> TryTakeAsync(char expected)
    {
        var isNext = await PeekAsync().ConfigureAwait(false) == expected;
        start += isNext ? 1 : 0;
        return isNext;
    }

    /// <summary>Takes the next byte after white space.</summary>
    /// <exception cref="JsonException">It is another one.</exception>
    internal async ValueTask TakeAsync(char expected)
    {
        if (!await TryTakeAsync(expected).ConfigureAwait(false))
        {
            throw new JsonException($"a '{expected}' is missing");
        }
    }

    /// <summary>Takes the comma before the next entry of an object or array, or the bracket that closes it.</summary>
    /// <returns>Whether there is an entry.</returns>
    /// <exception cref="JsonException">Neither is next.</exception>
    internal async ValueTask<bool> NextEntryAsync(char close, bool isFirst)
    {
        if (await TryTakeAsync(close).ConfigureAwait(false))
        {
            return false;
        }

        if (!isFirst)
        {
            await TakeAsync(',').ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Takes the next value.</summary>
    /// <returns>The value, valid until the next call; of one that is too large only its first bytes.</returns>
    /// <exception cref="JsonException">It is not JSON, or cut off.</exception>
    internal async ValueTask<(JsonDocument? Value, ReadOnlyMemory<byte> Head)> ReadValueAsync()
    {
        await PeekAsync().ConfigureAwait(false);
        var valueEnd = new ValueEnd();
        var length = valueEnd.Find(buffer.AsSpan(start, end - start));
        while (!valueEnd.IsFound && length <= maxBytes && await FillAsync().ConfigureAwait(false))
        {
            length += valueEnd.Find(buffer.AsSpan(start + length, end - start - length));
        }

        start += length;
        if (length <= maxBytes)
        {
            return (JsonDocument.Parse(buffer.AsMemory(start - length, length), Deep), default);
        }

        var head = buffer.AsSpan(start - length, Math.Min(length, UsualBytes)).ToArray();
        while (!valueEnd.IsFound && await FillAsync().ConfigureAwait(false))
        {
            start += valueEnd.Find(buffer.AsSpan(start, end - start));
        }

        return valueEnd.IsFound ? (null, head) : throw new JsonException("a value is cut off");
    }

    /// <summary>Gives the memory of a large value back.</summary>
    internal void Rest()
    {
        if (buffer.Length > MaxRestingBytes && end - start < UsualBytes)
        {
            Move(new byte[UsualBytes]);
        }
    }

    async ValueTask<int> PeekAsync()
    {
        while (true)
        {
            while (start < end && buffer[start] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            {
                start++;
            }

            if (start < end)
            {
                return buffer[start];
            }

            if (!await FillAsync().ConfigureAwait(false))
            {
                return -1;
            }
        }
    }

    async ValueTask<bool> FillAsync()
    {
        if (start == end || end == buffer.Length)
        {
            // Half of it is free again at least, or it doubles: a byte is moved twice at most.
            var largest = maxBytes + UsualBytes;
            Move(end - start <= buffer.Length / 2 || buffer.Length == largest ? buffer : new byte[Math.Min(2 * buffer.Length, largest)]);
        }

        var count = await read(buffer.AsMemory(end)).ConfigureAwait(false);
        end += count;
        BytesRead += count;
        return count > 0;
    }

    void Move(byte[] to)
    {
        buffer.AsSpan(start, end - start).CopyTo(to);
        (buffer, start, end) = (to, 0, end - start);
    }

    /// <summary>Finds the end of a value that comes in pieces.</summary>
    struct ValueEnd
    {
        static readonly SearchValues<byte> Structure = SearchValues.Create("{}[]\""u8);
        static readonly SearchValues<byte> BehindScalar = SearchValues.Create(",:]} \t\r\n"u8);

        int depth;
        bool isScalar;
        bool isInText;
        bool isEscaped;

        internal bool IsFound { get; private set; }

        /// <summary>How many bytes of the piece belong to the value.</summary>
        internal int Find(ReadOnlySpan<byte> piece)
        {
            var at = 0;
            while (at < piece.Length && !IsFound)
            {
                if (isEscaped)
                {
                    isEscaped = false;
                    at++;
                    continue;
                }

                isScalar |= depth == 0 && !isInText && piece[at] is not ((byte)'{' or (byte)'[' or (byte)'"');
                var next = isInText ? piece[at..].IndexOfAny((byte)'"', (byte)'\\') : piece[at..].IndexOfAny(isScalar ? BehindScalar : Structure);
                if (next < 0)
                {
                    return piece.Length;
                }

                at += next;
                if (isScalar)
                {
                    IsFound = true;
                    return at;
                }

                switch (piece[at++])
                {
                    case (byte)'\\': isEscaped = true; break;
                    case (byte)'"': isInText = !isInText; break;
                    case (byte)'{' or (byte)'[': depth++; break;
                    default: depth--; break;
                }

                IsFound = depth == 0 && !isInText;
            }

            return at;
        }
    }
}
