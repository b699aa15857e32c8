using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace AdmissionLas.Abuse;

/// <summary>What everybody can do who reaches the ports. A tenant reaches the same code with pods, through the API server.</summary>
static class PortAttacks
{
    /// <summary>Beyond what the server reads of a review, beside it and below.</summary>
    const int AlmostTooLarge = (4 * Bodies.Megabyte) - 64 * 1024;

    internal static IReadOnlyList<Attack> All { get; } =
    [
        new("bodies that stop before their end", Attack.AnyoneAtThePort, (server, strength, stop) => Attack.RepeatAsync(Attack.Scaled(90, strength), async (_, ct) =>
        {
            await using var stream = await server.ConnectAsync();
            await stream.WriteAsync(Head(AlmostTooLarge), ct);
            await stream.WriteAsync(new byte[AlmostTooLarge - Bodies.Megabyte / 8], ct);
            await UntilClosedAsync(stream, ct);
        }, stop)),
        new("streams without a body", Attack.AnyoneAtThePort, (server, strength, stop) => StreamsAsync(server, Attack.Scaled(8, strength), async (http2, ct) =>
        {
            await http2.BeginReviewAsync(RawHttp2.EndHeaders, ct);
            await Task.Delay(5, ct);
        }, stop)) { NeedsHttp2 = true },
        new("streams that are reset at once", Attack.AnyoneAtThePort, (server, strength, stop) => StreamsAsync(server, Attack.Scaled(4, strength), async (http2, ct) =>
        {
            for (var i = 0; i < 10; i++)
            {
                var id = await http2.BeginReviewAsync(RawHttp2.EndHeaders, ct);
                await http2.FrameAsync(RawHttp2.ResetStream, 0, id, new byte[4], ct);
            }

            await Task.Delay(5, ct);
        }, stop)) { NeedsHttp2 = true },
        new("headers that never end", Attack.AnyoneAtThePort, (server, strength, stop) => Attack.RepeatAsync(Attack.Scaled(16, strength), async (_, ct) =>
        {
            await using var http2 = await RawHttp2.ConnectAsync(server, 65_535, ct);
            var id = await http2.BeginReviewAsync(flags: 0, ct);
            while (!ct.IsCancellationRequested)
            {
                await http2.FrameAsync(RawHttp2.Continuation, 0, id, new byte[16], ct);
                await Task.Delay(1, ct);
            }
        }, stop)) { NeedsHttp2 = true },
        new("pings and settings", Attack.AnyoneAtThePort, (server, strength, stop) => StreamsAsync(server, Attack.Scaled(8, strength), async (http2, ct) =>
        {
            for (var i = 0; i < 20; i++)
            {
                await http2.FrameAsync(RawHttp2.Ping, 0, 0, new byte[8], ct);
                await http2.FrameAsync(RawHttp2.Settings, 0, 0, ReadOnlyMemory<byte>.Empty, ct);
            }

            await Task.Delay(5, ct);
        }, stop)) { NeedsHttp2 = true },
        new("answers over HTTP/2 that are never taken", Attack.AnyoneAtThePort, (server, strength, stop) => Attack.RepeatAsync(Attack.Scaled(200, strength), async (_, ct) =>
        {
            await using var http2 = await RawHttp2.ConnectAsync(server, window: 0, ct);
            for (var i = 0; i < 100; i++)
            {
                await http2.BodyAsync(await http2.BeginReviewAsync(RawHttp2.EndHeaders, ct), Bodies.Usual(), ct);
                await Task.Delay(50, ct);
            }

            await Task.Delay(Timeout.Infinite, ct);
        }, stop)) { NeedsHttp2 = true },
        new("errors over HTTP/2 that are never taken", Attack.AnyoneAtThePort, (server, strength, stop) => Attack.RepeatAsync(Attack.Scaled(200, strength), async (_, ct) =>
        {
            await using var http2 = await RawHttp2.ConnectAsync(server, window: 0, ct);
            for (var i = 0; i < 100; i++)
            {
                await http2.BodyAsync(await http2.BeginReviewAsync(RawHttp2.EndHeaders, ct), "{}"u8.ToArray(), ct);
                await Task.Delay(20, ct);
            }

            await Task.Delay(Timeout.Infinite, ct);
        }, stop)) { NeedsHttp2 = true },
        new("requests in a row whose answers are never read", Attack.AnyoneAtThePort, (server, strength, stop) => Attack.RepeatAsync(Attack.Scaled(200, strength), async (_, ct) =>
        {
            await using var stream = await server.ConnectAsync();
            var body = Bodies.Usual();
            byte[] request = [.. Head(body.Length), .. body];
            // Until the buffers of both sides are full: then it hangs.
            while (!ct.IsCancellationRequested)
            {
                await stream.WriteAsync(request, ct);
                await Task.Delay(200, ct);
            }
        }, stop)),
        new("idle connections", Attack.AnyoneAtThePort, (server, strength, stop) => Attack.RepeatAsync(Attack.Scaled(8000, strength), async (i, ct) =>
        {
            // At first 2,000 a second.
            await Task.Delay(i / 2, ct);
            await using var stream = await server.ConnectAsync();
            await UntilClosedAsync(stream, ct);
            await Task.Delay(8000, ct);
        }, stop)),
        new("connections that do not begin TLS", Attack.AnyoneAtThePort, (server, strength, stop) => Attack.RepeatAsync(Attack.Scaled(4000, strength), async (i, ct) =>
        {
            await Task.Delay(i, ct);
            using var socket = new TcpClient();
            await socket.ConnectAsync(IPAddress.Loopback, server.Mutate.Port, ct);
            // The beginning of a handshake record.
            await socket.GetStream().WriteAsync(new byte[] { 0x16, 0x03, 0x01, 0x3f, 0xff }, ct);
            await UntilClosedAsync(socket.GetStream(), ct);
            await Task.Delay(1000, ct);
        }, stop)),
        new("headers that come slowly", Attack.AnyoneAtThePort, (server, strength, stop) => Attack.RepeatAsync(Attack.Scaled(1000, strength), async (i, ct) =>
        {
            await Task.Delay(i, ct);
            await using var stream = await server.ConnectAsync();
            await stream.WriteAsync("POST /mutate HTTP/1.1\r\nHost: localhost\r\n"u8.ToArray(), ct);
            while (!ct.IsCancellationRequested)
            {
                await Task.Delay(500, ct);
                await stream.WriteAsync("X-More: of this\r\n"u8.ToArray(), ct);
            }
        }, stop)),
        new("chunks of one byte", Attack.AnyoneAtThePort, (server, strength, stop) => Attack.RepeatAsync(Attack.Scaled(32, strength), async (_, ct) =>
        {
            await using var stream = await server.ConnectAsync();
            await stream.WriteAsync("POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"u8.ToArray(), ct);
            while (!ct.IsCancellationRequested)
            {
                await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("1\r\n{\r\n", 200))), ct);
                await Task.Delay(5, ct);
            }
        }, stop)),
        Posting("a uid of 3.9 MB", 4, () => Bodies.WithUid(AlmostTooLarge)),
        Posting("a name of 2.9 MB", 4, () => Bodies.WithMetadata("name", new string('n', 29 * Bodies.Megabyte / 10))),
        Posting("a location annotation of 200 KB", 4, () => Bodies.WithMetadata("annotations", new JsonObject { ["admissionlas.io/location"] = new string('l', 200_000), ["admissionlas.io/component"] = "Predict" })),
        Posting("a million brackets", 4, () => Bodies.WithSpec("more", JsonNode.Parse($"[{string.Join(',', Enumerable.Repeat("[]", 1_000_000))}]")!)),
        Posting("60,000 required terms", 4, () => Bodies.WithSpec("affinity", JsonNode.Parse($$$"""
            { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [ {{{string.Join(',', Enumerable.Repeat("""{"matchExpressions":[{"key":"a","operator":"Exists"}]}""", 60_000))}}} ] } } }
            """)!)),
        Posting("26,000 resource names", 4, () => Bodies.Requesting(Enumerable.Range(0, 26_000).Select(i => KeyValuePair.Create($"example.com/device-{i}", "1")), "step", "kubeflow")),
        Posting("names that cannot be, for a whole node each", 8, () => Bodies.Requesting([new("cpu", "2"), new("memory", "2Gi")], "Bad_Name", "team-x"), pause: 2),
        Posting("namespaces that are invented", 8, () => Bodies.Usual(@namespace: $"n{Random.Shared.Next()}"), pause: 2),
        Posting("locations that are invented", 8, () => Bodies.Usual(location: $"L{Random.Shared.Next()}"), pause: 2),
        new("connections to the plain port whose metrics are never read", Attack.AnyoneAtThePort, (server, strength, stop) => Attack.RepeatAsync(Attack.Scaled(1000, strength), async (i, ct) =>
        {
            await Task.Delay(i, ct);
            using var socket = new TcpClient { ReceiveBufferSize = 4096 };
            await socket.ConnectAsync(IPAddress.Loopback, server.Health("/").Port, ct);
            for (var more = 0; more < 20; more++)
            {
                await socket.GetStream().WriteAsync("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray(), ct);
            }

            await Task.Delay(3000, ct);
        }, stop)),
    ];

    static Attack Posting(string name, int atOnce, Func<byte[]> body, int pause = 20) => new(name, Attack.AnyoneAtThePort, async (server, strength, stop) =>
    {
        var large = body();
        await Attack.RepeatAsync(Attack.Scaled(atOnce, strength), async (_, ct) =>
        {
            // A small one is new each time; a large one would cost us more than the server.
            using var content = new ByteArrayContent(large.Length > 64 * 1024 ? large : body()) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            using var answer = await server.Client.PostAsync(server.Mutate, content, ct);
            await Task.Delay(pause, ct);
        }, stop);
    });

    static Task StreamsAsync(ServedWebhook server, int connections, Func<RawHttp2, CancellationToken, Task> act, CancellationToken stop) =>
        Attack.RepeatAsync(connections, async (_, ct) =>
        {
            await using var http2 = await RawHttp2.ConnectAsync(server, 65_535, ct);
            while (!ct.IsCancellationRequested)
            {
                await act(http2, ct);
            }
        }, stop);

    static byte[] Head(int length) =>
        Encoding.ASCII.GetBytes($"POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");

    static async Task UntilClosedAsync(Stream stream, CancellationToken stop)
    {
        var dropped = new byte[1024];
        while (await stream.ReadAsync(dropped, stop) > 0)
        {
        }
    }
}
