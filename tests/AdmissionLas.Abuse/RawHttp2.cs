using System.Buffers.Binary;

namespace AdmissionLas.Abuse;

/// <summary>
/// A client of HTTP/2 that writes what frames it likes and drops what it gets, for what a well-behaved client would never do.
/// Source: RFC 9113 (frames) and RFC 7541 (header fields; all of them literal here, but for the first entries of the static table).
/// </summary>
sealed class RawHttp2 : IAsyncDisposable
{
    internal const byte Data = 0, Headers = 1, ResetStream = 3, Settings = 4, Ping = 6, WindowUpdate = 8, Continuation = 9;
    internal const byte EndStream = 1, EndHeaders = 4;
    const int MaxFrame = 16 * 1024;

    readonly SslStream stream;
    readonly CancellationTokenSource ended = new();
    int nextStream = 1;

    RawHttp2(SslStream stream) => this.stream = stream;

    /// <summary>Connects.</summary>
    /// <param name="server">The server.</param>
    /// <param name="window">How many bytes of each answer the server may send before it must wait.</param>
    /// <param name="stop">Ends it.</param>
    internal static async Task<RawHttp2> ConnectAsync(ServedWebhook server, uint window, CancellationToken stop)
    {
        var client = new RawHttp2(await server.ConnectAsync(protocol: SslApplicationProtocol.Http2));
        await client.stream.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray(), stop);
        var settings = new byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(settings, 4);
        BinaryPrimitives.WriteUInt32BigEndian(settings.AsSpan(2), window);
        await client.FrameAsync(Settings, 0, 0, settings, stop);
        _ = Task.Run(client.DropAnswersAsync, CancellationToken.None);
        return client;
    }

    /// <summary>Opens a stream for a review.</summary>
    internal async Task<int> BeginReviewAsync(byte flags, CancellationToken stop)
    {
        var id = nextStream;
        nextStream += 2;
        byte[] fields =
        [
            0x83, 0x87, .. Literal(0x04, "/mutate"), .. Literal(0x01, "localhost"), .. Literal([0x0f, 0x10], "application/json"),
        ];
        await FrameAsync(Headers, flags, id, fields, stop);
        return id;
    }

    /// <summary>Sends a whole body.</summary>
    internal async Task BodyAsync(int id, ReadOnlyMemory<byte> body, CancellationToken stop)
    {
        while (body.Length > MaxFrame)
        {
            await FrameAsync(Data, 0, id, body[..MaxFrame], stop);
            body = body[MaxFrame..];
        }

        await FrameAsync(Data, EndStream, id, body, stop);
    }

    internal async Task FrameAsync(byte type, byte flags, int id, ReadOnlyMemory<byte> payload, CancellationToken stop)
    {
        var frame = new byte[9 + payload.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame, ((uint)payload.Length << 8) | type);
        frame[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), id);
        payload.CopyTo(frame.AsMemory(9));
        await stream.WriteAsync(frame, stop);
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await stream.DisposeAsync();
        ended.Dispose();
    }

    async Task DropAnswersAsync()
    {
        var dropped = new byte[MaxFrame];
        try
        {
            while (await stream.ReadAsync(dropped, ended.Token) > 0)
            {
            }
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection is over, either way.
        }
    }

    static byte[] Literal(byte name, string value) => Literal([name], value);

    static byte[] Literal(byte[] name, string value) => [.. name, (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];
}
