using AdmissionLas.Observers;
using Serilog;
using Serilog.Formatting.Compact;

namespace AdmissionLas.Tests.Observers;

/// <summary>Log lines on their way out, above all where no process reads them.</summary>
public sealed class JsonLinesSinkTests : IDisposable
{
    readonly Pipe pipe = new();
    readonly Serilog.Core.Logger log;

    public JsonLinesSinkTests() => log = new JsonLinesSink(new CompactJsonFormatter(), pipe).AddTo(new LoggerConfiguration()).CreateLogger();

    public void Dispose()
    {
        pipe.IsRead.Set();
        log.Dispose();
        pipe.Dispose();
    }

    [Fact]
    public async Task Lines_come_out_in_the_order_in_which_they_went_in_and_many_with_one_write()
    {
        pipe.IsRead.Set();
        for (var i = 0; i < 5_000; i++)
        {
            log.Warning("{Number}", i);
        }

        await Eventually.IsTrueAsync("all lines are out", () => Task.FromResult(pipe.Lines.Length == 5_000));
        Assert.Equal(Enumerable.Range(0, 5_000), Numbers());
        Assert.True(pipe.Writes < 1000, $"{pipe.Writes} writes");
    }

    [Fact]
    public async Task A_line_that_comes_alone_is_not_kept_back()
    {
        pipe.IsRead.Set();
        foreach (var i in (int[])[1, 2])
        {
            log.Warning("{Number}", i);
            await Eventually.IsTrueAsync("the line is out", () => Task.FromResult(pipe.Lines.Length == i));
        }
    }

    [Fact]
    public void What_is_left_comes_out_at_the_end()
    {
        pipe.IsRead.Set();
        log.Warning("{Number}", 1);
        log.Dispose();

        Assert.Equal([1], Numbers());
    }

    [Fact]
    public void An_event_is_one_line_of_compact_json()
    {
        pipe.IsRead.Set();
        log.Warning("Node {Node} is gone", "é\n");
        log.Dispose();

        var line = JsonNode.Parse(Assert.Single(pipe.Lines))!;
        Assert.Equal(("é\n", "Warning"), ($"{line["Node"]}", $"{line["@l"]}"));
    }

    [Fact]
    public async Task A_reader_that_is_stuck_holds_up_nothing_and_the_lines_that_are_lost_to_it_are_counted()
    {
        log.Warning("{Number}", 0);
        await Eventually.IsTrueAsync("the writer is stuck", () => Task.FromResult(pipe.IsWaiting));
        const int far = 30_000;
        for (var i = 1; i <= far; i++)
        {
            log.Warning("{Number}", i);
        }

        pipe.IsRead.Set();
        await Eventually.IsTrueAsync("the loss is reported", () => Task.FromResult(pipe.Lines.Any(l => l.Contains("\"Lost\"", StringComparison.Ordinal))));
        log.Dispose();
        var lost = pipe.Lines.Sum(l => (int?)JsonNode.Parse(l)!["Lost"] ?? 0);
        Assert.Equal(1 + far, Numbers().Length + lost);
        Assert.InRange(lost, 1, far - 1);
    }

    int[] Numbers() => [.. pipe.Lines.Select(l => (int?)JsonNode.Parse(l)!["Number"]).OfType<int>()];

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
