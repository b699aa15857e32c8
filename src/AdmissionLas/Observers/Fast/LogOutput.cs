// This folder exists for speed alone. With Serilog's own events and batches in its place a review takes 1.2 times the CPU time through the whole
// server: scripts/benchmark.sh, native, HTTP/1.1, 500 nodes, both in turns.
using System.Buffers;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace AdmissionLas.Observers;

/// <summary>
/// Log lines for machines, many with one write: a system call for each line would be a tenth of what a review costs. Not too many either, because
/// a write holds up its core. The lines are a fraction of a second late, and a process that is killed outright loses those of that moment. A
/// thread that logs never waits for the reader of the log.
/// </summary>
sealed class LogOutput : ILogEventSink, IDisposable
{
    /// <summary>How long a line waits for others at most.</summary>
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>So much is written at once; more does not wait.</summary>
    const int BatchBytes = 32 << 10;

    /// <summary>What may wait for a reader that is slow or stuck; lines beyond that are counted and lost.</summary>
    const int MaxWaitingBytes = 4 << 20;

    /// <summary>Memory that a burst has taken is given back.</summary>
    const int MaxKeptBytes = 256 << 10;

    static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(1);

    readonly ITextFormatter formatter;
    readonly Stream output;
    readonly Timer timer;
    readonly Lock gate = new();
    // The thread that has it writes. It is waited for only at the end.
    readonly SemaphoreSlim turn = new(1, 1);
    ArrayBufferWriter<byte> waiting = new(2 * BatchBytes);
    ArrayBufferWriter<byte> spare = new(2 * BatchBytes);
    bool isAwaited;
    long lost;

    /// <param name="formatter">Makes a line of an event.</param>
    /// <param name="output">Where the lines go; not disposed of.</param>
    internal LogOutput(ITextFormatter formatter, Stream output)
    {
        (this.formatter, this.output) = (formatter, output);
        timer = new Timer(static o => ((LogOutput)o!).WriteIfAny(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public void Emit(LogEvent logEvent)
    {
        using var line = new StringWriter();
        formatter.Format(logEvent, line);
        AddLine(Encoding.UTF8.GetBytes(line.ToString().TrimEnd()));
    }

    /// <summary>Adds a line.</summary>
    /// <param name="line">The line without its end, in UTF-8.</param>
    internal void AddLine(ReadOnlySpan<byte> line)
    {
        lock (gate)
        {
            if (waiting.WrittenCount + line.Length > MaxWaitingBytes)
            {
                lost++;
                return;
            }

            waiting.Write(line);
            waiting.Write("\n"u8);
            if (!isAwaited)
            {
                Await();
            }

            // What comes during a write is written after it.
            if (waiting.WrittenCount < BatchBytes || !turn.Wait(0))
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(static o => o.WriteInTurn(), this, preferLocal: false);
    }

    /// <summary>Writes what is left.</summary>
    public void Dispose()
    {
        timer.Dispose();
        // A reader that is stuck does not keep the process; and no thread writes after this.
        if (turn.Wait(LongestGoodbye))
        {
            Write();
        }
    }

    void WriteIfAny()
    {
        lock (gate)
        {
            isAwaited = false;
            if (waiting.WrittenCount == 0)
            {
                return;
            }

            if (!turn.Wait(0))
            {
                Await();
                return;
            }
        }

        WriteInTurn();
    }

    // By the thread that has the turn; gives it back.
    void WriteInTurn()
    {
        try
        {
            while (Write())
            {
            }
        }
        finally
        {
            turn.Release();
        }
    }

    // True when as much has come meanwhile as is written at once.
    bool Write()
    {
        ArrayBufferWriter<byte> full;
        lock (gate)
        {
            if (lost > 0)
            {
                waiting.Write(Encoding.UTF8.GetBytes(
                    $$"""{"@t":"{{DateTime.UtcNow:O}}","@mt":"{Lost} log lines were lost, because the reader is too slow","@l":"Warning","Lost":{{lost}}}{{'\n'}}"""));
                lost = 0;
            }

            full = waiting;
            (waiting, spare) = (spare, waiting);
        }

        var isRead = TryWrite(full.WrittenSpan);
        lock (gate)
        {
            full.ResetWrittenCount();
            if (full.Capacity > MaxKeptBytes)
            {
                spare = new ArrayBufferWriter<byte>(2 * BatchBytes);
            }

            return isRead && waiting.WrittenCount >= BatchBytes;
        }
    }

    bool TryWrite(ReadOnlySpan<byte> lines)
    {
        try
        {
            output.Write(lines);
            output.Flush();
            return true;
        }
        // No process reads the lines any more, and there is no other place to say so.
        catch (IOException)
        {
            return false;
        }
    }

    void Await()
    {
        isAwaited = true;
        try
        {
            timer.Change(Interval, Timeout.InfiniteTimeSpan);
        }
        // Dispose writes what is left.
        catch (ObjectDisposedException)
        {
        }
    }
}
