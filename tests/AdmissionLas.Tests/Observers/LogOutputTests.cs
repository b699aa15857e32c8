using AdmissionLas.Observers;
using Serilog;
using Serilog.Formatting.Compact;

namespace AdmissionLas.Tests.Observers;

/// <summary>Log lines on their way out, above all where no process reads them.</summary>
public sealed class LogOutputTests : IDisposable
{
    readonly Pipe pipe = new();
    readonly LogOutput output;

    public LogOutputTests() => output = new LogOutput(new CompactJsonFormatter(), pipe);

    public void Dispose()
    {
        pipe.IsRead.Set();
        output.Dispose();
        pipe.Dispose();
    }

    [Fact]
    public async Task Lines_come_out_in_the_order_in_which_they_went_in()
    {
        pipe.IsRead.Set();
        for (var i = 0; i < 10_000; i++)
        {
            Add(i);
        }

        await Eventually.IsTrueAsync("all lines are out", () => Task.FromResult(pipe.Lines.Length == 10_000));
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => i.ToString(CultureInfo.InvariantCulture)), pipe.Lines);
        Assert.True(pipe.Writes < 1000, $"{pipe.Writes} writes");
    }

    [Fact]
    public async Task A_line_that_comes_alone_is_not_kept_back()
    {
        pipe.IsRead.Set();
        foreach (var i in (int[])[1, 2])
        {
            Add(i);
            await Eventually.IsTrueAsync("the line is out", () => Task.FromResult(pipe.Lines.Length == i));
        }
    }

    [Fact]
    public void What_is_left_comes_out_at_the_end()
    {
        pipe.IsRead.Set();
        Add(1);
        output.Dispose();

        Assert.Equal(["1"], pipe.Lines);
    }

    [Fact]
    public void An_event_is_one_line_of_compact_json()
    {
        pipe.IsRead.Set();
        using (var log = new LoggerConfiguration().WriteTo.Sink(output).CreateLogger())
        {
            log.Warning("Node {Node} is gone", "é\n");
        }

        output.Dispose();
        var line = JsonNode.Parse(Assert.Single(pipe.Lines))!;
        Assert.Equal(("é\n", "Warning"), ($"{line["Node"]}", $"{line["@l"]}"));
    }

    [Fact]
    public async Task A_reader_that_is_stuck_holds_up_nothing_and_the_lines_that_are_lost_to_it_are_counted()
    {
        var line = Encoding.UTF8.GetBytes(new string('x', 64 * 1024 - 1));
        output.AddLine(line);
        await Eventually.IsTrueAsync("the writer is stuck", () => Task.FromResult(pipe.IsWaiting));

        const int far = 200;
        for (var i = 0; i < far; i++)
        {
            output.AddLine(line);
        }

        pipe.IsRead.Set();
        await Eventually.IsTrueAsync("the loss is reported", () => Task.FromResult(pipe.Lines.Any(l => l.Contains("\"Lost\"", StringComparison.Ordinal))));
        var lost = (int)JsonNode.Parse(pipe.Lines.Single(l => l[0] == '{'))!["Lost"]!;
        Assert.Equal(1 + far, pipe.Lines.Count(l => l[0] == 'x') + lost);
        Assert.InRange(lost, 1, far - 1);
    }

    void Add(int number) => output.AddLine(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{number}")));

    /// <summary>Takes what is written as soon as it may be read.</summary>
    sealed class Pipe : Stream
    {
        readonly Lock gate = new();
        readonly MemoryStream taken = new();

        internal ManualResetEventSlim IsRead { get; } = new();

        internal bool IsWaiting { get; private set; }

        internal int Writes { get; private set; }

        internal string[] Lines
        {
            get
            {
                lock (gate)
                {
                    return Encoding.UTF8.GetString(taken.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
                }
            }
        }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            IsWaiting = true;
            IsRead.Wait();
            lock (gate)
            {
                Writes++;
                taken.Write(buffer);
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            taken.Dispose();
            IsRead.Dispose();
            base.Dispose(disposing);
        }
    }
}
