using System.Diagnostics;

namespace AdmissionLas.Experiment;

/// <summary>
/// What a decision costs the scheduler, and what becomes of it, in clusters so large that the scheduler scores only a part of the nodes. The forms are
/// tried in turns, so that the machine's noise meets all of them alike.
/// </summary>
static class SchedulerCost
{
    const int BurstPods = 50;

    /// <summary>A way to steer pods.</summary>
    /// <param name="Strategy">Who places them.</param>
    /// <param name="HasHostPorts">Each pod has a host port, so that only the scheduler can judge it, and the webhook merely prefers nodes.</param>
    sealed record Form(Strategy Strategy, bool HasHostPorts = false);

    static readonly Form[] Forms =
    [
        new(new("plain", null)),
        new(new("names", new PlacementPolicy { NodeTerms = NodeTermForm.Names })),
        new(new("hostnames", new PlacementPolicy { NodeTerms = NodeTermForm.Hostnames })),
        new(new("preferred", new PlacementPolicy { Mode = PlacementMode.Preferred })),
        new(new("fallback", new PlacementPolicy { NodeTerms = NodeTermForm.Names }), HasHostPorts: true),
    ];

    /// <summary>Runs the forms in turns and prints a line for each.</summary>
    /// <param name="api">The API server.</param>
    /// <param name="webhook">The services of the webhook that is registered there.</param>
    /// <param name="schedulerProcess">The scheduler's process id.</param>
    /// <param name="nodes">How many nodes, in ten zones.</param>
    /// <param name="pods">How many pods of each form in a round.</param>
    /// <param name="rounds">How many rounds.</param>
    internal static async Task RunAsync(ApiServer api, IServiceProvider webhook, int schedulerProcess, int nodes, int pods, int rounds)
    {
        var runs = new List<(string Form, double CpuMs, double PodsPerSecond, Outcomes Outcomes)>();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var form in Forms)
            {
                var (cpuMs, seconds) = (0.0, 0.0);
                var runner = new ExperimentRunner(api, webhook)
                {
                    // What the scheduler needs to learn of the nodes is not the pods' cost.
                    Around = async carryOut =>
                    {
                        await IdleAsync(schedulerProcess);
                        var (before, since) = (CpuMs(schedulerProcess), Stopwatch.GetTimestamp());
                        await carryOut();
                        (cpuMs, seconds) = (CpuMs(schedulerProcess) - before, Stopwatch.GetElapsedTime(since).TotalSeconds);
                    },
                };
                var outcomes = await runner.RunAsync(new Scenario($"nodes-{nodes}", "", random => PlanOf(random, nodes, pods, form)), 1, form.Strategy);
                runs.Add((form.Strategy.Name, cpuMs / pods, pods / seconds, outcomes));
                Console.WriteLine(Line(nodes, $"round {round + 1}", form.Strategy.Name, runs[^1].CpuMs, runs[^1].PodsPerSecond, outcomes));
            }
        }

        Console.WriteLine($"Medians of {rounds}:");
        foreach (var form in runs.GroupBy(r => r.Form))
        {
            Console.WriteLine(Line(nodes, "", form.Key, Median(form.Select(r => r.CpuMs)), Median(form.Select(r => r.PodsPerSecond)), form.First().Outcomes));
        }

        Console.WriteLine();
    }

    /// <summary>The columns.</summary>
    internal static string Heading { get; } = string.Create(
        CultureInfo.InvariantCulture, $"{"nodes",6} {"",-8} {"form",-10} {"CPU ms/pod",10} {"pods/s",8} {"nearest",8} {"mean ms",9} {"p99 ms",8} {"stranded",8}");

    static string Line(int nodes, string round, string form, double cpuMs, double podsPerSecond, Outcomes o) => string.Create(
        CultureInfo.InvariantCulture,
        $"{nodes,6} {round,-8} {form,-10} {cpuMs,10:0.00} {podsPerSecond,8:0.0} {100 * o.NearestShare,7:0.0}% {o.MeanRegretMs,9:0.000} {o.P99RegretMs,8:0.00} {o.Stranded,8}");

    static Plan PlanOf(Random random, int nodes, int pods, Form form)
    {
        var cluster = Clusters.Make(random, nodes, 20);
        foreach (var (i, node) in cluster.Nodes.Index())
        {
            // As Clusters places them: the large ones at two ends, each of the others near its location.
            var isCloud = node["metadata"]!["labels"]![Objects.Tier]!.GetValue<string>() == "cloud";
            node["metadata"]!["labels"]!["topology.kubernetes.io/zone"] = isCloud ? $"cloud-{i % 2}" : $"zone-{i % 20}";
        }

        var all = Enumerable.Range(0, pods).Select(i => Objects.Predict($"p{i:00000}", cluster.Locations[random.Next(20)], 100, 100, spec =>
        {
            if (form.HasHostPorts)
            {
                spec["containers"]![0]!["ports"] = new JsonArray(new JsonObject { ["containerPort"] = 80, ["hostPort"] = 20_000 + i });
            }
        }));
        return new Plan(cluster.Nodes, [.. all.Chunk(BurstPods).Select(burst => new Act.Burst(burst)), new Act.Settle()]);
    }

    static async Task IdleAsync(int process)
    {
        for (var before = CpuMs(process); ; before = CpuMs(process))
        {
            await Task.Delay(1000);
            if (CpuMs(process) - before <= 50)
            {
                return;
            }
        }
    }

    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: utime and stime, in hundredths of a second, after the name in parentheses.
    static double CpuMs(int process)
    {
        var stat = File.ReadAllText($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return 10 * (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture));
    }

    static double Median(IEnumerable<double> values) => values.Order().ToArray() is var sorted ? sorted[sorted.Length / 2] : 0;
}
