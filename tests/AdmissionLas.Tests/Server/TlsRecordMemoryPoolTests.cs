using System.Buffers;
using AdmissionLas.Server;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace AdmissionLas.Tests.Server;

public sealed class TlsRecordMemoryPoolTests
{
    // RFC 5246 section 6.2.3: 2^14 bytes of content, up to 2048 more once protected, five of header.
    const int LargestRecordBytes = 16384 + 2048 + 5;

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(4096)]
    [InlineData(LargestRecordBytes)]
    public void A_block_holds_the_largest_tls_record_whatever_is_asked_for(int minimumBytes)
    {
        using var pool = new TlsRecordMemoryPool();

        using var block = pool.Rent(minimumBytes);

        Assert.InRange(block.Memory.Length, LargestRecordBytes, pool.MaxBufferSize);
    }

    [Fact]
    public void More_than_a_block_is_refused()
    {
        using var pool = new TlsRecordMemoryPool();

        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(pool.MaxBufferSize + 1));
    }

    [Fact]
    public void A_block_is_given_out_again_once_it_is_given_back_and_not_before()
    {
        using var pool = new TlsRecordMemoryPool();
        var first = pool.Rent();
        using var second = pool.Rent();
        Assert.NotSame(first, second);

        first.Dispose();
        using var third = pool.Rent();

        Assert.Same(first, third);
    }

    [Fact]
    public async Task What_arrives_is_read_into_these_blocks()
    {
        var webhook = await RunningWebhook.StartAsync();
        var pool = webhook.Services.GetRequiredService<IMemoryPoolFactory<byte>>().Create();
        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"));
        // Every connection has given back what it held.
        await webhook.DisposeAsync();

        var blocks = Enumerable.Range(0, 32).Select(_ => pool.Rent()).ToList();

        Assert.Contains(blocks, block => block.Memory.Span.IndexOf("\"AdmissionReview\""u8) >= 0);
    }
}
