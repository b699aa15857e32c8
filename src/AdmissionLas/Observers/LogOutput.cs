using System.Text;
using AdmissionLas.Webhook;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace AdmissionLas.Observers;

/// <summary>
/// Log lines for machines, many with one write: a system call for each line would be a tenth of what a review costs. Not too many either, for a
/// write holds up what else its core has to do. The lines are a fraction of a second late, and a process that is killed outright takes those of
/// that moment with it. Nobody who logs ever waits for whoever reads.
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
    // Who has it writes. It is never waited for but at the end.
    readonly SemaphoreSlim turn = new(1, 1);
    RawJsonWriter waiting = new(2 * BatchBytes);
    RawJsonWriter spare = new(2 * BatchBytes);
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
        Add(Encoding.UTF8.GetBytes(line.ToString()));
    }

    /// <summary>Adds a line.</summary>
    /// <param name="line">The line with its end, in UTF-8.</param>
    internal void Add(ReadOnlySpan<byte> line)
    {
        lock (gate)
        {
            if (waiting.WrittenCount + line.Length > MaxWaitingBytes)
            {
                lost++;
                return;
            }

            waiting.Add(line);
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
        // A reader who is stuck does not keep the process; and nobody writes after this.
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

    // By whoever has the turn; gives it back.
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
        RawJsonWriter full;
        lock (gate)
        {
            if (lost > 0)
            {
                waiting.Add(Encoding.UTF8.GetBytes(
                    $$"""{"@t":"{{DateTime.UtcNow:O}}","@mt":"{Lost} log lines were lost, for nobody read them fast enough","@l":"Warning","Lost":{{lost}}}{{'\n'}}"""));
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
                spare = new RawJsonWriter(2 * BatchBytes);
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
        // Nobody reads any more, and there is no other place to say so.
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
        // Whoever disposes of this writes what is left.
        catch (ObjectDisposedException)
        {
        }
    }
}
