using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace AdmissionLas.Benchmarks;

/// <summary>
/// What following a large cluster costs: a server that follows a real API server, beside one with the same nodes from a snapshot, which
/// follows nothing. Reviews go to both at a steady rate, first while the cluster is quiet, then while its nodes change. What the second one
/// suffers is the noise: the API server, etcd and the load have the same cores.
/// </summary>
static class WatchCost
{
    const int Nodes = 5_000;
    const int ReviewsPerSecond = 50;

    /// <param name="arguments">server kubeconfig files updates-a-second share-of-label-changes seconds</param>
    internal static async Task<int> RunAsync(string[] arguments)
    {
        var (server, kubeconfig, files) = (arguments[0], arguments[1], arguments[2]);
        int[] numbers = [.. arguments[3..].Select(a => int.Parse(a, CultureInfo.InvariantCulture))];
        var (updates, labelPercent, seconds) = (numbers[0], numbers[1], numbers[2]);

        using var cluster = new LoadedCluster(kubeconfig);
        var created = Stopwatch.GetTimestamp();
        await cluster.CreateNodesAsync(Nodes);
        Console.WriteLine($"{Nodes:n0} nodes created in {Stopwatch.GetElapsedTime(created).TotalSeconds:0} s");
        var snapshot = Path.Combine(files, "nodes.json");
        await File.WriteAllTextAsync(snapshot, Slim(await cluster.GetAsync("/api/v1/nodes")));
        await using var idle = await ServerProcess.StartAsync(server, files, 28_443, "--snapshot", snapshot);
        await using var following = await ServerProcess.StartAsync(server, files, 28_543, "--kubeconfig", kubeconfig);
        Console.WriteLine($"{(await following.ReadinessAsync()).TrimEnd()}");

        // Every location is asked for once, and everything that is compiled at run time is.
        await ReviewAsync([following, idle], TimeSpan.FromSeconds(10));
        await Task.Delay(TimeSpan.FromSeconds(5));

        var quietSeconds = Math.Min(seconds, 60);
        var quiet = await MeasureAsync("quiet", [following, idle], TimeSpan.FromSeconds(quietSeconds));
        using var stop = new CancellationTokenSource();
        var load = new Updates(cluster, Nodes, updates, labelPercent);
        var loading = load.RunAsync(stop.Token);
        await Task.Delay(TimeSpan.FromSeconds(5));
        var (before, at) = (load.Done, Stopwatch.GetTimestamp());
        var busy = await MeasureAsync($"{updates} updates a second", [following, idle], TimeSpan.FromSeconds(seconds));
        Console.WriteLine($"updates that the API server took: {(load.Done - before) / Stopwatch.GetElapsedTime(at).TotalSeconds:0} a second, {labelPercent} % of them new latencies, the others heartbeats");
        await stop.CancelAsync();
        await loading;

        Console.WriteLine($"p99 busy / quiet: {busy[0].P99 / quiet[0].P99:0.00}; of the server that follows nothing: {busy[1].P99 / quiet[1].P99:0.00}");
        Console.WriteLine($"CPU for following: {100 * (busy[0].Cpu - quiet[0].Cpu):0.0} % of a core more than quiet");
        return 0;
    }

    /// <summary>The list as kubectl would save it, without what only a kubelet needs.</summary>
    static string Slim(string list)
    {
        var nodes = JsonNode.Parse(list)!["items"]!.AsArray().Select(n => new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Node",
            ["metadata"] = new JsonObject { ["name"] = n!["metadata"]!["name"]!.DeepClone(), ["labels"] = n["metadata"]!["labels"]!.DeepClone() },
            ["status"] = new JsonObject { ["allocatable"] = n["status"]!["allocatable"]!.DeepClone(), ["conditions"] = n["status"]!["conditions"]!.DeepClone() },
        });
        return new JsonObject { ["apiVersion"] = "v1", ["kind"] = "List", ["items"] = new JsonArray([.. nodes]) }.ToJsonString();
    }

    /// <param name="Cpu">Share of a core.</param>
    /// <param name="P50">Milliseconds.</param>
    /// <param name="P99">Milliseconds.</param>
    readonly record struct Measured(double Cpu, double P50, double P99);

    static async Task<Measured[]> MeasureAsync(string what, ServerProcess[] servers, TimeSpan duration)
    {
        var cpu = servers.Select(s => s.CpuSeconds).ToArray();
        var machine = MachineTicks();
        using var stop = new CancellationTokenSource();
        var memory = servers.Select(s => s.SampleMemoryAsync(TimeSpan.FromSeconds(Math.Max(1, duration.TotalSeconds / 12)), stop.Token)).ToArray();
        var took = Stopwatch.GetTimestamp();
        var times = await ReviewAsync(servers, duration);
        var seconds = Stopwatch.GetElapsedTime(took).TotalSeconds;
        await stop.CancelAsync();
        var (idleTicks, totalTicks) = MachineTicks();
        Console.WriteLine($"\n{what}, {duration.TotalSeconds:0} s; the machine's cores were busy {100 - (100.0 * (idleTicks - machine.Idle) / (totalTicks - machine.Total)):0} %");
        var measured = new Measured[servers.Length];
        for (var i = 0; i < servers.Length; i++)
        {
            times[i].Sort();
            measured[i] = new Measured((servers[i].CpuSeconds - cpu[i]) / seconds, times[i][times[i].Count / 2], times[i][times[i].Count * 99 / 100]);
            var resident = await memory[i];
            Console.WriteLine(
                $"  {(i == 0 ? "follows the cluster" : "follows nothing    ")}  {times[i].Count,6} reviews  p50 {measured[i].P50:0.00} ms  p99 {measured[i].P99:0.00} ms  " +
                $"CPU {100 * measured[i].Cpu:0.0} %  memory {string.Join(' ', resident.Select(m => $"{m:0}"))} MB");
        }

        return measured;
    }

    static async Task<List<double>[]> ReviewAsync(ServerProcess[] servers, TimeSpan duration)
    {
        var reviews = Enumerable.Range(0, LoadedCluster.Locations).Select(l => Workload.Review("Predict", $"LOCATION-{l}")).ToArray();
        var times = servers.Select(_ => new List<double>()).ToArray();
        var (startedAt, period) = (Stopwatch.GetTimestamp(), TimeSpan.FromSeconds(1.0 / ReviewsPerSecond));
        for (var i = 0; Stopwatch.GetElapsedTime(startedAt) < duration; i++)
        {
            // One after the other, and each first in turn: both meet the same moments, and neither waits for the other.
            for (var s = 0; s < servers.Length; s++)
            {
                var server = (s + i) % servers.Length;
                times[server].Add(await servers[server].ReviewAsync(reviews[i % reviews.Length]));
            }

            var left = (period * (i + 1)) - Stopwatch.GetElapsedTime(startedAt);
            if (left > TimeSpan.Zero)
            {
                await Task.Delay(left);
            }
        }

        return times;
    }

    static (long Idle, long Total) MachineTicks()
    {
        long[] ticks = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9].Select(t => long.Parse(t, CultureInfo.InvariantCulture))];
        return (ticks[3] + ticks[4], ticks.Sum());
    }

    /// <summary>Updates at a steady rate, by as many clients as it takes.</summary>
    sealed class Updates(LoadedCluster cluster, int nodes, int perSecond, int labelPercent)
    {
        const int Clients = 8;
        long done;

        internal long Done => Interlocked.Read(ref done);

        internal Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, Clients).Select(c => RunAsync(c, stop)));

        async Task RunAsync(int client, CancellationToken stop)
        {
            var (startedAt, period) = (Stopwatch.GetTimestamp(), TimeSpan.FromSeconds((double)Clients / perSecond));
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var number = (i * Clients) + client;
                // Each in its turn, with a step that comes to all of them.
                var node = (int)((long)number * 7 % nodes);
                await (number * 37 % 100 < labelPercent ? cluster.MeasuredAsync(node, number) : cluster.HeartbeatAsync(node, number));
                Interlocked.Increment(ref done);
                var left = (period * (i + 1)) - Stopwatch.GetElapsedTime(startedAt);
                if (left > TimeSpan.Zero)
                {
                    await Task.Delay(left, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }
            }
        }
    }
}
