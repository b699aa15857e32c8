using System.CommandLine;
using AdmissionLas.Experiment;

var scenarios = new Option<string[]>("--scenarios") { Description = "only these, by name", AllowMultipleArgumentsPerToken = true };
var modes = new Option<string[]>("--modes") { Description = "only these of none, thesis, preferred, required, adaptive and oracle", AllowMultipleArgumentsPerToken = true };
var seeds = new Option<int[]>("--seeds") { Description = "which made-up clusters and pods; several for all of them one after the other", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1] };
var folder = new Option<string>("--out") { Description = "where placement.json, placement.md and placement.svg go", DefaultValueFactory = _ => "artifacts/placement" };
var weights = new Option<string>("--weights") { Description = "today: the scheduler's plugins count as in Kubernetes 1.23 and later; own: as in the release that runs, 1.20, where node affinity counts half", DefaultValueFactory = _ => "today" };
var root = new RootCommand("Compares the placement modes on a real API server and the default scheduler.") { scenarios, modes, seeds, folder, weights };
foreach (var scenario in Scenarios.All)
{
    root.Description += $"\n  {scenario.Name}: {scenario.Summary}";
}

weights.AcceptOnlyFromAmong("today", "own");
scenarios.AcceptOnlyFromAmong([.. Scenarios.All.Select(s => s.Name)]);
modes.AcceptOnlyFromAmong("none", "thesis", "preferred", "required", "adaptive", "oracle");
root.SetAction(async (parsed, stop) =>
{
    var isToday = parsed.GetValue(weights) == "today";
    var policy = new PlacementPolicy { NodeAffinityWeight = isToday ? 2 : 1 };
    Strategy[] strategies =
    [
        new("none", null),
        // The extender gives its whole weight to one node; a preferred term that one node matches is worth 100 points times the plugin's weight.
        new("thesis", policy with { Mode = PlacementMode.Preferred, NamedNodes = 1 }),
        new("preferred", policy with { Mode = PlacementMode.Preferred }),
        new("required", policy with { Mode = PlacementMode.Required }),
        new("adaptive", policy with { Mode = PlacementMode.Adaptive }),
        new("oracle", null, IsOracle: true),
    ];
    var (onlyScenarios, onlyModes) = (parsed.GetValue(scenarios) ?? [], parsed.GetValue(modes) ?? []);
    var results = new List<Outcomes>();
    Console.WriteLine(Report.Heading);
    foreach (var alike in Scenarios.All.Where(s => onlyScenarios.Length == 0 || onlyScenarios.Contains(s.Name)).GroupBy(s => s.Scoring))
    {
        await RunAsync([.. alike], alike.Key);
    }

    async Task RunAsync(Scenario[] chosen, ScoringStrategy scoring)
    {
        var script = new ControlPlaneScript("admissionlas-experiment");
        string[] scheduler = [.. isToday ? (string[])["--scheduler-weights", "today"] : [], .. scoring == default ? (string[])[] : ["--scheduler-scoring", $"{scoring}"]];
        try
        {
            var kubeconfig = (await script.RunAsync(["up", "--no-webhook", "--no-nodes", "--scheduler-scores", "--quiet", .. scheduler])).Trim();
            using var api = new ApiServer(kubeconfig);
            var minor = int.Parse((await api.GetAsync("/version"))["minor"]!.GetValue<string>().TrimEnd('+'), CultureInfo.InvariantCulture);
            await using var webhook = await RunningWebhook.FollowAsync(kubeconfig);
            await api.CreateAsync("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", webhook.Registration(ObjectNames.Registration));
            var lab = new ExperimentRunner(api, webhook.Services, new SchedulerLog(Path.Combine(script.Directory, "log", "scheduler.log")));
            foreach (var scenario in chosen)
            {
                if (minor < scenario.SinceMinor)
                {
                    Console.WriteLine($"{scenario.Name}: left out, as it needs Kubernetes 1.{scenario.SinceMinor}");
                    continue;
                }

                foreach (var seed in parsed.GetValue(seeds)!)
                {
                    foreach (var strategy in strategies.Where(c => onlyModes.Length == 0 || onlyModes.Contains(c.Name)))
                    {
                        stop.ThrowIfCancellationRequested();
                        results.Add(await lab.RunAsync(scenario, seed, strategy));
                        Console.WriteLine(Report.Line(results[^1]));
                    }
                }

                // After each scenario, so that a run that is ended early leaves what it has.
                await Report.WriteAsync(parsed.GetValue(folder)!, results);
            }
        }
        finally
        {
            await script.RunAsync("down", "--quiet");
        }
    }

    Console.WriteLine();
    foreach (var line in Report.Shortfalls(results.Where(r => r.Strategy is "adaptive")))
    {
        Console.WriteLine(line);
    }

    Console.WriteLine($"Written: placement.json, placement.md and placement.svg in {parsed.GetValue(folder)}");
    return 0;
});
var costNodes = new Option<int[]>("--nodes") { Description = "how many nodes; several for one after the other", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [500, 5000] };
var costPods = new Option<int>("--pods") { Description = "pods of each form in a round", DefaultValueFactory = _ => 1000 };
var costRounds = new Option<int>("--rounds") { Description = "how often each form has its turn", DefaultValueFactory = _ => 3 };
var cost = new Command("scheduler-cost", "Measures what the forms of a decision cost the scheduler, and where pods land.") { costNodes, costPods, costRounds };
cost.SetAction(async (parsed, stop) =>
{
    Console.WriteLine(SchedulerCost.Heading);
    foreach (var nodes in parsed.GetValue(costNodes)!)
    {
        stop.ThrowIfCancellationRequested();
        var script = new ControlPlaneScript("admissionlas-scheduler-cost");
        try
        {
            var kubeconfig = (await script.RunAsync("up", "--no-webhook", "--no-nodes", "--quiet", "--scheduler-weights", "today")).Trim();
            using var api = new ApiServer(kubeconfig);
            await using var webhook = await RunningWebhook.FollowAsync(kubeconfig);
            await api.CreateAsync("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", webhook.Registration(ObjectNames.Registration));
            var process = int.Parse((await File.ReadAllLinesAsync(Path.Combine(script.Directory, "run", "scheduler.pid"), stop))[0], CultureInfo.InvariantCulture);
            await SchedulerCost.RunAsync(api, webhook.Services, process, nodes, parsed.GetValue(costPods), parsed.GetValue(costRounds));
        }
        finally
        {
            await script.RunAsync("down", "--quiet");
        }
    }

    return 0;
});
root.Add(cost);
return await root.Parse(args).InvokeAsync();
