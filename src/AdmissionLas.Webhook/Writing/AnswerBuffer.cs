using System.Buffers;
using System.Text.Encodings.Web;

namespace AdmissionLas.Webhook;

/// <summary>The memory that an answer is written into, used for one review after the other. It grows, and is not for several threads at once.</summary>
sealed class AnswerBuffer
{
    const int InitialBytes = 4096;

    /// <summary>The answer.</summary>
    internal JsonBuffer Answer { get; } = new(InitialBytes);

    /// <summary>The patch, which stands in the answer as Base64.</summary>
    internal JsonBuffer Patch { get; } = new(InitialBytes);

    /// <summary>The record, which stands in the patch as text.</summary>
    internal JsonBuffer Record { get; } = new(InitialBytes / 4);

    /// <summary>How many bytes it holds on to.</summary>
    internal int Capacity => Answer.Capacity + Patch.Capacity + Record.Capacity;
}

/// <summary>JSON in the making, with its memory.</summary>
sealed class JsonBuffer(int initialBytes)
{
    // Relaxed: no web page shows it, and every "\u003E" is bytes in a patch that an API server has to apply. Unvalidated: the tests read all that is written.
    static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    readonly ArrayBufferWriter<byte> bytes = new(initialBytes);
    Utf8JsonWriter? writer;

    /// <summary>How many bytes it holds on to.</summary>
    internal int Capacity => bytes.Capacity;

    /// <summary>What was written, up to the last <see cref="Utf8JsonWriter.Flush"/>; good until <see cref="Begin"/>.</summary>
    internal ReadOnlyMemory<byte> Written => bytes.WrittenMemory;

    /// <summary>Begins anew.</summary>
    internal Utf8JsonWriter Begin()
    {
        bytes.ResetWrittenCount();
        writer?.Reset();
        return writer ??= Over(bytes);
    }

    // Over a buffer in memory there is nothing to dispose of.
    static Utf8JsonWriter Over(ArrayBufferWriter<byte> bytes) => new(bytes, Options);
}
