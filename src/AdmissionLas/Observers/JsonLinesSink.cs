using System.Text;
using Serilog;
using Serilog.Configuration;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace AdmissionLas.Observers;

/// <summary>
/// Log lines for machines, many with one write: a system call for each line would be a tenth of what a review costs. Serilog hands over what
/// has gathered; a review never waits for a reader that is slow or stuck, and the lines that are lost to it are counted.
/// </summary>
/// <param name="formatter">Makes a line of an event.</param>
/// <param name="output">Where the lines go; not disposed of.</param>
sealed class JsonLinesSink(ITextFormatter formatter, Stream output) : IBatchedLogEventSink, IDisposable
{
    const int BufferBytes = 32 << 10;

    /// <summary>So many lines wait for a reader that is stuck; the next ones are lost.</summary>
    const int MaxWaiting = 10_000;

    static readonly BatchingOptions Batching = new() { BatchSizeLimit = 1000, BufferingTimeLimit = TimeSpan.FromMilliseconds(100), QueueLimit = null };

    readonly StreamWriter lines = new(output, new UTF8Encoding(false), BufferBytes, leaveOpen: true) { NewLine = "\n" };
    int waiting;
    long lost;

    /// <summary>Makes it the only sink of a logger.</summary>
    internal LoggerConfiguration AddTo(LoggerConfiguration log) => log.Filter.ByIncludingOnly(_ => IsTaken()).WriteTo.Sink(this, Batching);

    /// <inheritdoc/>
    public async Task EmitBatchAsync(IReadOnlyCollection<LogEvent> batch)
    {
        Interlocked.Add(ref waiting, -batch.Count);
        try
        {
            foreach (var logEvent in batch)
            {
                formatter.Format(logEvent, lines);
            }

            if (Interlocked.Exchange(ref lost, 0) is > 0 and var count)
            {
                await lines.WriteLineAsync($$"""{"@t":"{{DateTime.UtcNow:O}}","@mt":"{Lost} log lines were lost, because the reader is too slow","@l":"Warning","Lost":{{count}}}""").ConfigureAwait(false);
            }

            await lines.FlushAsync().ConfigureAwait(false);
        }
        // No process reads the lines any more, and there is no other place to say so.
        catch (IOException)
        {
        }
    }

    /// <inheritdoc/>
    public void Dispose() => lines.Dispose();

    // Serilog's own limit drops lines without counting them.
    bool IsTaken()
    {
        if (Volatile.Read(ref waiting) >= MaxWaiting)
        {
            Interlocked.Increment(ref lost);
            return false;
        }

        Interlocked.Increment(ref waiting);
        return true;
    }
}
