namespace AdmissionLas.Abuse;

/// <summary>A way to take the server down, or to keep it from answering others.</summary>
/// <param name="Name">What is done, in a few words.</param>
/// <param name="Who">Who can do it.</param>
/// <param name="RunAsync">Does it until it is stopped: to a server, as hard as a number from 0 to 1 says.</param>
sealed record Attack(string Name, string Who, Func<ServedWebhook, double, CancellationToken, Task> RunAsync)
{
    /// <summary>It needs a server that speaks HTTP/2, which is off unless an admin turns it on.</summary>
    internal bool NeedsHttp2 { get; init; }

    internal const string AnyoneAtThePort = "anyone at the port";

    /// <summary>Does something again and again, several times at once, whatever becomes of it.</summary>
    internal static Task RepeatAsync(int atOnce, Func<int, CancellationToken, Task> act, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, atOnce).Select(i => Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    try
                    {
                        await act(i, stop);
                    }
                    // A server may refuse, close or ignore it; the next one comes.
                    catch (Exception fault) when (fault is IOException or OperationCanceledException or System.Net.Sockets.SocketException or HttpRequestException or
                        System.Security.Authentication.AuthenticationException or ObjectDisposedException)
                    {
                        await Task.Delay(5, CancellationToken.None);
                    }
                }
            },
            CancellationToken.None)));

    /// <summary>How many, at least two, of what the attack has at its full strength.</summary>
    internal static int Scaled(int most, double strength) => Math.Max(2, (int)(most * strength));
}
