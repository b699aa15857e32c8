using System.Text;
using Serilog.Configuration;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting;

namespace AdmissionLas.Telemetry;

/// <summary>
/// Log lines for machines, many with one write: a system call for each line would be a tenth of what a review costs. The lines are a fraction
/// of a second late, and a process that is killed outright takes those of that moment with it.
/// </summary>
/// <param name="formatter">Makes a line of an event.</param>
/// <param name="output">Where the lines go; not disposed of.</param>
sealed class BatchedOutput(ITextFormatter formatter, Stream output) : IBatchedLogEventSink, IDisposable
{
    /// <summary>How long a line waits for others at most.</summary>
    internal static readonly BatchingOptions Options = new() { BatchSizeLimit = 1000, BufferingTimeLimit = TimeSpan.FromMilliseconds(200), EagerlyEmitFirstEvent = true };

    readonly StreamWriter writer = new(output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 16 * 1024, leaveOpen: true);

    /// <inheritdoc/>
    public Task EmitBatchAsync(IReadOnlyCollection<LogEvent> batch)
    {
        foreach (var line in batch)
        {
            formatter.Format(line, writer);
        }

        return writer.FlushAsync();
    }

    /// <inheritdoc/>
    public void Dispose() => writer.Dispose();
}
