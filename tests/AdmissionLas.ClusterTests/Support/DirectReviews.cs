using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;
using AdmissionLas.Server;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>
/// Reviews straight to the replicas at a steady rate, over TLS and HTTP/2 as the API server sends them: to the service's name, with trust in
/// what the registration says and in nothing else. Connections are made anew every second, so that every certificate is met at once.
/// </summary>
sealed class DirectReviews : IAsyncDisposable
{
    const int Workers = 8;

    readonly InstalledWebhook installed;
    readonly CancellationTokenSource stop = new();
    readonly SocketsHttpHandler[] handlers;
    readonly ConcurrentBag<string> failures = [];
    readonly ConcurrentDictionary<string, bool> certificates = [];
    readonly byte[] body = Encoding.UTF8.GetBytes(SampleReview.Of(Steps.Sample("predict-home-edge"), "under-load").ToJsonString());
    readonly List<Task> running;
    TrustBundle trusted;
    int answered;
    int handshakes;

    DirectReviews(InstalledWebhook installed, TrustBundle trusted, int ratePerSecond)
    {
        (this.installed, this.trusted) = (installed, trusted);
        handlers = [.. installed.Replicas.Select(Handler)];
        running = [.. Enumerable.Range(0, Workers).Select(i => SendAsync(handlers[i % handlers.Length], TimeSpan.FromSeconds((double)Workers / ratePerSecond))), FollowTrustAsync()];
    }

    /// <param name="installed">Whom to call.</param>
    /// <param name="ratePerSecond">How many reviews; a slow machine sends fewer.</param>
    internal static async Task<DirectReviews> StartAsync(InstalledWebhook installed, int ratePerSecond) =>
        new(installed, (await installed.TrustedAsync())!, ratePerSecond);

    internal async Task<Counts> StopAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(running);
        return new Counts(answered, handshakes, certificates.Count, [.. failures]);
    }

    /// <param name="Answered">Reviews answered with a patch.</param>
    /// <param name="Handshakes">Connections made.</param>
    /// <param name="Certificates">Different certificates met.</param>
    /// <param name="Failures">Reviews without a patch, and why.</param>
    internal sealed record Counts(int Answered, int Handshakes, int Certificates, IReadOnlyList<string> Failures);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var handler in handlers)
        {
            handler.Dispose();
        }

        stop.Dispose();
    }

    SocketsHttpHandler Handler(IPEndPoint replica) => new()
    {
        PooledConnectionLifetime = TimeSpan.FromSeconds(1),
        ConnectCallback = async (_, token) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(replica, token);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            {
                Interlocked.Increment(ref handshakes);
                var (leaf, now) = ((X509Certificate2)certificate!, DateTimeOffset.UtcNow);
                var served = CertificateFacts.Of(leaf);
                certificates[served.Fingerprint] = true;
                return leaf.MatchesHostname(InstalledWebhook.Host) && served.NotBefore <= now && now <= served.NotAfter && Volatile.Read(ref trusted).Trusts(leaf, [], now);
            },
        },
    };

    async Task SendAsync(SocketsHttpHandler handler, TimeSpan period)
    {
        using var client = new HttpClient(handler, disposeHandler: false)
        {
            DefaultRequestVersion = HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(30),
        };
        var due = TimeProvider.System.GetTimestamp();
        var periodTicks = (long)(period.TotalSeconds * TimeProvider.System.TimestampFrequency);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
                using var response = await client.PostAsync(new Uri($"https://{InstalledWebhook.Host}{MutateEndpoint.Path}"), content);
                var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["response"]!;
                if (response.IsSuccessStatusCode && answer["patch"] is not null)
                {
                    Interlocked.Increment(ref answered);
                }
                else
                {
                    failures.Add($"{(int)response.StatusCode} {answer}");
                }
            }
            catch (Exception fault)
            {
                failures.Add($"{DateTime.UtcNow:HH:mm:ss.fff} {fault.Message} {fault.InnerException?.Message}");
            }

            due += periodTicks;
            var left = TimeProvider.System.GetElapsedTime(TimeProvider.System.GetTimestamp(), due);
            if (left > TimeSpan.Zero)
            {
                await Task.Delay(left);
            }
        }
    }

    /// <summary>As an API server's informer does.</summary>
    async Task FollowTrustAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            Volatile.Write(ref trusted, (await installed.TrustedAsync())!);
            await Task.Delay(TimeSpan.FromMilliseconds(200), stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }
}
