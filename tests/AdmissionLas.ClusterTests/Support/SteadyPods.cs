namespace AdmissionLas.ClusterTests.Support;

/// <summary>Predict pods that go through the real API server without a pause, as dry runs: the whole admission chain, and no pod to clean up.</summary>
sealed class SteadyPods : IAsyncDisposable
{
    readonly CancellationTokenSource stop = new();
    readonly List<DateTime> unpatched = [];
    readonly Task running;
    int created;

    SteadyPods(ControlPlane cluster, TestNamespace team, TimeSpan pause) => running = RunAsync(cluster, team, pause);

    internal static SteadyPods Start(ControlPlane cluster, TestNamespace team, TimeSpan pause = default) => new(cluster, team, pause);

    /// <returns>How many pods the API server accepted, and when it accepted one without a decision.</returns>
    internal async Task<(int Created, IReadOnlyList<DateTime> Unpatched)> StopAsync()
    {
        await stop.CancelAsync();
        await running;
        return (created, unpatched);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
    }

    async Task RunAsync(ControlPlane cluster, TestNamespace team, TimeSpan pause)
    {
        while (!stop.IsCancellationRequested)
        {
            JsonObject pod = await cluster.Api.CreateAsync($"{team.Pods}?dryRun=All", Steps.Predict("HOME-EDGE"));
            created++;
            if (TestNamespace.DecisionOf(pod) is null)
            {
                unpatched.Add(DateTime.UtcNow);
            }

            await Task.Delay(pause).ConfigureAwait(false);
        }
    }
}
