using System.Text;
using AdmissionLas.Admission;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace AdmissionLas.Telemetry;

/// <summary>
/// Log lines for machines, many with one write: a system call for each line would be a tenth of what a review costs. The lines are a fraction
/// of a second late, and a process that is killed outright takes those of that moment with it. Nobody who logs ever waits for whoever reads.
/// </summary>
sealed class LogOutput : ILogEventSink, IDisposable
{
    /// <summary>How long a line waits for others at most.</summary>
    static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>What may wait for a reader that is slow or stuck; lines beyond that are counted and lost.</summary>
    const int MostWaitingBytes = 4 << 20;

    /// <summary>Memory that a burst has taken is given back.</summary>
    const int MostKeptBytes = 256 << 10;

    static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(1);

    readonly ITextFormatter formatter;
    readonly Stream output;
    readonly Timer timer;
    readonly Lock gate = new();
    JsonText waiting = new();
    JsonText spare = new();
    bool isAwaited;
    long lost;

    /// <param name="formatter">Makes a line of an event.</param>
    /// <param name="output">Where the lines go; not disposed of.</param>
    internal LogOutput(ITextFormatter formatter, Stream output)
    {
        (this.formatter, this.output) = (formatter, output);
        timer = new Timer(static o => ((LogOutput)o!).Flush(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
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
            if (waiting.WrittenCount + line.Length > MostWaitingBytes)
            {
                lost++;
                return;
            }

            waiting.Add(line);
            if (isAwaited)
            {
                return;
            }

            isAwaited = true;
            Await();
        }
    }

    /// <summary>Writes what is left.</summary>
    public void Dispose()
    {
        using var isIdle = new ManualResetEvent(false);
        if (timer.Dispose(isIdle) && isIdle.WaitOne(LongestGoodbye))
        {
            Flush();
        }
    }

    void Flush()
    {
        JsonText full;
        lock (gate)
        {
            full = waiting;
            (waiting, spare) = (spare, waiting);
            if (lost > 0)
            {
                waiting.Add(Encoding.UTF8.GetBytes(
                    $$"""{"@t":"{{DateTime.UtcNow:O}}","@mt":"{Lost} log lines were lost, for nobody read them fast enough","@l":"Warning","Lost":{{lost}}}{{'\n'}}"""));
                lost = 0;
            }
        }

        var isRead = TryWrite(full.WrittenSpan);
        lock (gate)
        {
            full.ResetWrittenCount();
            if (full.Capacity > MostKeptBytes)
            {
                spare = new JsonText();
            }

            // Only now, so that a reader who is stuck holds up one thread and not one more with every interval.
            isAwaited = isRead && waiting.WrittenCount > 0;
            if (isAwaited)
            {
                Await();
            }
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
        try
        {
            timer.Change(Interval, Timeout.InfiniteTimeSpan);
        }
        // Whoever disposes of this writes what is left.
        catch (ObjectDisposedException)
        {
            isAwaited = true;
        }
    }
}
