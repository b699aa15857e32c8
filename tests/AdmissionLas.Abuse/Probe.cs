using System.Diagnostics;

namespace AdmissionLas.Abuse;

/// <summary>
/// An API server's part: sends real reviews at a steady pace and waits for each patch. Threads of its own that block, so that an attack from the same
/// process does not make it late. One keeps its connection, as an API server does; one opens a new connection for each review.
/// </summary>
/// <param name="server">The server.</param>
/// <param name="patience">How long it waits for each byte.</param>
sealed class Probe(ServedWebhook server, TimeSpan patience)
{
    readonly List<double> kept = [];
    readonly List<double> anew = [];
    readonly List<string> lost = [];

    /// <summary>Milliseconds from a review to its patch, on the connection that is kept.</summary>
    internal IReadOnlyList<double> KeptMs => kept;

    /// <summary>The same with a new connection, its handshake included.</summary>
    internal IReadOnlyList<double> NewMs => anew;

    /// <summary>Why reviews came back without a patch, one entry each.</summary>
    internal IReadOnlyList<string> Lost => lost;

    /// <summary>Runs until it is stopped.</summary>
    internal Task RunAsync(CancellationToken stop) => Task.WhenAll(
        Start(kept, TimeSpan.FromMilliseconds(10), keeps: true, stop), Start(anew, TimeSpan.FromMilliseconds(100), keeps: false, stop));

    /// <summary>What so large a part of the times is at most.</summary>
    internal static double Quantile(IReadOnlyList<double> times, double part) => times.Count == 0 ? double.NaN : times.Order().ElementAt((int)((times.Count - 1) * part));

    Task Start(List<double> times, TimeSpan pace, bool keeps, CancellationToken stop) => Task.Factory.StartNew(
        () =>
        {
            SslStream? stream = null;
            while (!stop.IsCancellationRequested)
            {
                var startedAt = Stopwatch.GetTimestamp();
                try
                {
                    stream ??= Connect();
                    Review(stream);
                    times.Add(Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds);
                }
                catch (Exception fault)
                {
                    lock (lost)
                    {
                        lost.Add($"{(keeps ? "kept" : "new")}: {fault.Message}");
                    }

                    stream?.Dispose();
                    stream = null;
                }

                if (!keeps)
                {
                    stream?.Dispose();
                    stream = null;
                }

                Thread.Sleep(pace);
            }

            stream?.Dispose();
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    SslStream Connect() => server.Connect(patience);

    static void Review(SslStream stream)
    {
        var body = Bodies.Usual();
        byte[] request = [.. Encoding.ASCII.GetBytes($"POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"), .. body];
        stream.Write(request);
        var answer = new byte[64 * 1024];
        var length = 0;
        while (true)
        {
            var read = stream.Read(answer, length, answer.Length - length);
            length += read;
            var text = Encoding.ASCII.GetString(answer, 0, length);
            if (read == 0 || !text.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
            {
                throw new IOException($"the answer is {text.Split('\r')[0]}");
            }

            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0 && length >= end + 4 + LengthOf(text))
            {
                if (!text.Contains("\"patch\"", StringComparison.Ordinal))
                {
                    throw new IOException("the answer has no patch");
                }

                return;
            }
        }
    }

    static int LengthOf(string head)
    {
        const string Name = "Content-Length: ";
        var at = head.IndexOf(Name, StringComparison.OrdinalIgnoreCase) + Name.Length;
        return int.Parse(head.AsSpan(at, head.IndexOf('\r', at) - at), CultureInfo.InvariantCulture);
    }
}
