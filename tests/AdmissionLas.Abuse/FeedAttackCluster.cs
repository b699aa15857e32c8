namespace AdmissionLas.Abuse;

/// <summary>A server that follows a cluster in which somebody stores what hurts, as soon as the attack runs.</summary>
sealed class FeedAttackCluster : IAsyncDisposable
{
    readonly LoopbackServer api;
    readonly CancellationTokenSource begun;
    readonly CancellationTokenSource over;
    readonly DirectoryInfo files;

    FeedAttackCluster(FeedAttacks.Feed feed, LoopbackServer api, CancellationTokenSource begun, CancellationTokenSource over, DirectoryInfo files, WebhookProcess server)
    {
        (this.api, this.begun, this.over, this.files, Server) = (api, begun, over, files, server);
        Attack = new Attack(feed.Name, feed.Who, async (_, _, stop) =>
        {
            await begun.CancelAsync();
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await over.CancelAsync();
        });
    }

    internal WebhookProcess Server { get; }

    internal Attack Attack { get; }

    internal static async Task<FeedAttackCluster> StartAsync(FeedAttacks.Feed feed, double strength, Dictionary<string, string> environment, string? program)
    {
        var (begun, over) = (new CancellationTokenSource(), new CancellationTokenSource());
        var api = await FeedAttacks.ServeAsync(feed, strength, begun.Token, over.Token);
        var files = Directory.CreateTempSubdirectory("admissionlas-abuse-");
        var kubeconfig = Path.Combine(files.FullName, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, FeedAttacks.Kubeconfig(api));
        return new FeedAttackCluster(feed, api, begun, over, files, await WebhookProcess.StartAsync(["--kubeconfig", kubeconfig], environment, program: program));
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await api.DisposeAsync();
        begun.Dispose();
        over.Dispose();
        files.Delete(recursive: true);
    }
}
