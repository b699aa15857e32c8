using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace AdmissionLas.Benchmarks;

/// <summary>
/// What following a large cluster costs: a server that follows it, beside one with the same nodes from a snapshot, which follows nothing.
/// Reviews go to both at a steady rate, first while the cluster is quiet, then while its nodes change. First on a real API server: what the
/// second server suffers is the noise, for the API server, etcd and the load have the same cores. Then with the same nodes and changes from an
/// API server that is played, and takes next to none of them.
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
        var (changes, seconds) = (new Changes(numbers[0], numbers[1]), numbers[2]);

        using var cluster = new LoadedCluster(kubeconfig);
        var created = Stopwatch.GetTimestamp();
        await cluster.CreateNodesAsync(Nodes);
        Console.WriteLine($"{Nodes:n0} nodes created in {Stopwatch.GetElapsedTime(created).TotalSeconds:0} s");
        var list = await cluster.GetAsync("/api/v1/nodes");
        var snapshot = Path.Combine(files, "nodes.json");
        await File.WriteAllTextAsync(snapshot, Slim(list));

        await using var idle = await ServerProcess.StartAsync(server, "--snapshot", snapshot);
        await CompareAsync("a real API server", server, kubeconfig, idle, seconds, new Updates(cluster, changes));
        var played = new PlayedNodes(list, changes);
        await using var api = await LoopbackServer.StartAsync(played.AnswerAsync);
        await CompareAsync("an API server that is played", server, Kubeconfig.Write(files, api.Address), idle, seconds, played);
        return 0;
    }

    static async Task CompareAsync(string whose, string server, string kubeconfig, ServerProcess idle, int seconds, ILoad load)
    {
        await using var following = await ServerProcess.StartAsync(server, "--kubeconfig", kubeconfig);
        Console.WriteLine($"\nWith {whose}: {(await following.ReadinessAsync()).TrimEnd()}");

        // Every location is asked for once, and everything that is compiled at run time is.
        await ReviewAsync([following, idle], TimeSpan.FromSeconds(10));
        await Task.Delay(TimeSpan.FromSeconds(5));

        var quiet = await MeasureAsync("quiet", [following, idle], TimeSpan.FromSeconds(Math.Min(seconds, 60)));
        using var stop = new CancellationTokenSource();
        var loading = load.RunAsync(stop.Token);
        await Task.Delay(TimeSpan.FromSeconds(5));
        var (before, at) = (load.Done, Stopwatch.GetTimestamp());
        var busy = await MeasureAsync("while nodes change", [following, idle], TimeSpan.FromSeconds(seconds));
        Console.WriteLine($"changes that the API server sent: {(load.Done - before) / Stopwatch.GetElapsedTime(at).TotalSeconds:0} a second");
        await stop.CancelAsync();
        await loading;

        Console.WriteLine($"p99 busy / quiet: {busy[0].P99 / quiet[0].P99:0.00}; of the server that follows nothing: {busy[1].P99 / quiet[1].P99:0.00}");
        Console.WriteLine($"CPU for following: {100 * (busy[0].Cpu - quiet[0].Cpu):0.0} % of a core more than quiet");
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

            await UntilAsync(startedAt, period * (i + 1));
        }

        return times;
    }

    static (long Idle, long Total) MachineTicks()
    {
        long[] ticks = [.. File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9].Select(t => long.Parse(t, CultureInfo.InvariantCulture))];
        return (ticks[3] + ticks[4], ticks.Sum());
    }

    /// <summary>How nodes change.</summary>
    /// <param name="PerSecond">How many.</param>
    /// <param name="LabelPercent">So many of them are new latencies, the others heartbeats.</param>
    readonly record struct Changes(int PerSecond, int LabelPercent)
    {
        // Each in its turn, with a step that comes to all of them.
        internal static int NodeOf(int number) => (int)((long)number * 7 % Nodes);

        internal bool IsMeasurement(int number) => number * 37 % 100 < LabelPercent;
    }

    interface ILoad
    {
        /// <summary>How many changes there were.</summary>
        long Done { get; }

        Task RunAsync(CancellationToken stop);
    }

    /// <summary>Updates at a steady rate, by as many clients as it takes.</summary>
    sealed class Updates(LoadedCluster cluster, Changes changes) : ILoad
    {
        const int Clients = 8;
        long done;

        public long Done => Interlocked.Read(ref done);

        public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, Clients).Select(c => RunAsync(c, stop)));

        async Task RunAsync(int client, CancellationToken stop)
        {
            var (startedAt, period) = (Stopwatch.GetTimestamp(), TimeSpan.FromSeconds((double)Clients / changes.PerSecond));
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                var number = (i * Clients) + client;
                var node = Changes.NodeOf(number);
                await (changes.IsMeasurement(number) ? cluster.MeasuredAsync(node, number) : cluster.HeartbeatAsync(node, number));
                Interlocked.Increment(ref done);
                await UntilAsync(startedAt, period * (i + 1), stop);
            }
        }
    }

    /// <summary>The nodes as a real API server had them, and the events that it would send of the same updates.</summary>
    sealed class PlayedNodes : ILoad
    {
        readonly JsonArray nodes;
        readonly Changes changes;
        readonly Channel<byte[]> events = Channel.CreateUnbounded<byte[]>();
        long version;
        long done;

        internal PlayedNodes(string list, Changes changes)
        {
            this.changes = changes;
            var parsed = JsonNode.Parse(list)!;
            nodes = parsed["items"]!.AsArray();
            version = long.Parse((string)parsed["metadata"]!["resourceVersion"]!, CultureInfo.InvariantCulture);
        }

        public long Done => Interlocked.Read(ref done);

        public async Task RunAsync(CancellationToken stop)
        {
            var (startedAt, period) = (Stopwatch.GetTimestamp(), TimeSpan.FromSeconds(1.0 / changes.PerSecond));
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                events.Writer.TryWrite(Event(i));
                Interlocked.Increment(ref done);
                await UntilAsync(startedAt, period * (i + 1), stop);
            }
        }

        internal async Task AnswerAsync(HttpContext http)
        {
            var isNodes = http.Request.Path.Value!.EndsWith("/nodes", StringComparison.Ordinal);
            http.Response.ContentType = "application/json";
            if (!http.Request.Query.ContainsKey("watch"))
            {
                await http.Response.WriteAsync(isNodes ? Page(http.Request.Query) : """{"metadata":{"resourceVersion":"1"},"items":[]}""");
                return;
            }

            await http.Response.Body.FlushAsync();
            // As a real one does, it ends the stream when it was asked to.
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
            ending.CancelAfter(TimeSpan.FromSeconds(Number(http.Request.Query, "timeoutSeconds") ?? 600));
            try
            {
                while (isNodes)
                {
                    await http.Response.Body.WriteAsync(await events.Reader.ReadAsync(ending.Token), http.RequestAborted);
                }

                await Task.Delay(Timeout.Infinite, ending.Token);
            }
            catch (OperationCanceledException)
            {
            }
        }

        // No change comes before the list has been read.
        string Page(IQueryCollection query)
        {
            var (first, limit) = (Number(query, "continue") ?? 0, Number(query, "limit") ?? nodes.Count);
            var next = first + limit < nodes.Count ? (first + limit).ToString(CultureInfo.InvariantCulture) : "";
            return $$"""{"metadata":{"resourceVersion":"{{version}}","continue":"{{next}}"},"items":[{{string.Join(',', nodes.Skip(first).Take(limit).Select(n => n!.ToJsonString()))}}]}""";
        }

        static int? Number(IQueryCollection query, string parameter) =>
            int.TryParse(query[parameter], CultureInfo.InvariantCulture, out var number) ? number : null;

        byte[] Event(int number)
        {
            var node = nodes[Changes.NodeOf(number)]!;
            node["metadata"]!["resourceVersion"] = (++version).ToString(CultureInfo.InvariantCulture);
            if (changes.IsMeasurement(number))
            {
                var labels = node["metadata"]!["labels"]!;
                foreach (var (key, latency) in LoadedCluster.Latencies(number))
                {
                    labels[key] = latency;
                }
            }
            else
            {
                node["status"]!["conditions"] = LoadedCluster.Conditions(number);
            }

            return Encoding.UTF8.GetBytes($$"""{"type":"MODIFIED","object":{{node.ToJsonString()}}}{{'\n'}}""");
        }
    }

    static async Task UntilAsync(long startedAt, TimeSpan due, CancellationToken stop = default)
    {
        var left = due - Stopwatch.GetElapsedTime(startedAt);
        if (left > TimeSpan.Zero)
        {
            await Task.Delay(left, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
