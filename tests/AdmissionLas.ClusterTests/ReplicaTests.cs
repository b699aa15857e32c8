using Xunit.Abstractions;

namespace AdmissionLas.ClusterTests;

/// <summary>Two replicas behind a Service, under a steady load of pods that go through the real API server.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class ReplicaTests(ControlPlane cluster, ITestOutputHelper output) : IAsyncLifetime
{
    const int Creators = 4;

    /// <summary>The readiness probe of manifests/base/deployment.yaml.</summary>
    static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(2);

    /// <summary>Longer than the forwarder takes to notice that a replica is not ready, as it is in the manifests.</summary>
    static readonly Dictionary<string, string> DrainsLongEnough = new() { ["ADMISSION_LAS_SERVER__DRAINSECONDS"] = "3" };

    readonly DirectoryInfo files = Directory.CreateTempSubdirectory("admissionlas-replicas-");
    readonly ServiceForwarder service = new(ProbeEvery);
    readonly WebhookProcess?[] replicas = new WebhookProcess?[2];
    TestNamespace? team;

    public async Task InitializeAsync()
    {
        await StartAsync(0);
        await StartAsync(1);
        await cluster.UnregisterAsync();
        await cluster.RegisterAsync(replicas[0], service.Port);
        team = await cluster.CreateNamespaceAsync();
        await team.WebhookIsCalledAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (var replica in replicas.OfType<WebhookProcess>())
        {
            await replica.DisposeAsync();
        }

        await service.DisposeAsync();
        await team!.DisposeAsync();
        files.Delete(recursive: true);
        await cluster.RestoreRegistrationAsync();
    }

    [Fact]
    public async Task A_replica_that_is_told_to_end_drains_and_no_pod_goes_in_unpatched()
    {
        var load = StartLoad();
        List<string> logs = [];

        foreach (var i in (int[])[0, 1])
        {
            Assert.Equal(0, await replicas[i]!.Process.TerminateAsync());
            // Thousands of decisions say nothing of how it ended.
            logs.AddRange(replicas[i]!.Process.Log.Split('\n').Where(l => !l.Contains("\"Decision\"", StringComparison.Ordinal)));
            await StartAsync(i);
        }

        var (created, unpatched) = await StopAsync(load);
        output.WriteLine($"Each of two replicas ended by SIGTERM and started again: {created} pods created, {unpatched.Count} unpatched.");
        Assert.True(unpatched.Count == 0, string.Join('\n', [.. unpatched.Select(u => u.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)), service.Events, .. logs]));
        Assert.True(created > 0);
    }

    [Fact]
    public async Task A_replica_that_is_killed_holds_up_no_pod_and_few_go_in_unpatched()
    {
        var load = StartLoad();
        var killedAt = DateTime.UtcNow;

        replicas[0]!.Process.Kill();
        await Eventually.IsTrueAsync("the Service has noticed", () => Task.FromResult(service.ReadyCount == 1));
        await team!.WebhookIsCalledAsync();
        var noticedAt = DateTime.UtcNow;
        await Task.Delay(ProbeEvery);

        // Creating throws when a pod is refused, so what is counted was created.
        var (created, unpatched) = await StopAsync(load);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"One of two replicas killed: {created} pods created, {unpatched.Count} unpatched, all within {(unpatched.Count == 0 ? 0 : (unpatched.Max() - killedAt).TotalSeconds):0.0} s; the probe noticed after {(noticedAt - killedAt).TotalSeconds:0.0} s."));
        Assert.True(created > 0);
        Assert.DoesNotContain(unpatched, at => at > noticedAt);
    }

    async Task StartAsync(int number)
    {
        await (replicas[number]?.DisposeAsync() ?? ValueTask.CompletedTask);
        var replica = replicas[number] = await WebhookProcess.StartAsync(["--kubeconfig", cluster.Kubeconfig], DrainsLongEnough, files.FullName);
        service.Add(new IPEndPoint(IPAddress.Loopback, replica.Mutate.Port), replica.Health("/readyz"));
        await Eventually.IsTrueAsync("both replicas, or as many as were started, are ready", () => Task.FromResult(service.ReadyCount == replicas.Count(r => r is not null)));
    }

    List<SteadyPods> StartLoad() => [.. Enumerable.Range(0, Creators).Select(_ => SteadyPods.Start(cluster, team!, TimeSpan.FromMilliseconds(10)))];

    static async Task<(int Created, List<DateTime> Unpatched)> StopAsync(List<SteadyPods> load)
    {
        var counts = await Task.WhenAll(load.Select(l => l.StopAsync()));
        return (counts.Sum(c => c.Created), [.. counts.SelectMany(c => c.Unpatched)]);
    }
}
