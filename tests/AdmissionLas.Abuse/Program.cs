using AdmissionLas.Abuse;

// scripts/abuse.sh says what the arguments are.
var (binary, lasts, wanted) = (args[0], TimeSpan.FromSeconds(int.Parse(args[1], CultureInfo.InvariantCulture)), args.Length > 2 ? args[2] : "");
var patience = TimeSpan.FromSeconds(30);
var failed = 0;
Console.WriteLine($"{"attack",-58} {"who",-18} {"reviews",7} {"lost",5} {"p99 ms",7} {"new ms",7} {"before",7} {"peak",7} {"after",7} MB");
foreach (var attack in PortAttacks.All.Where(a => IsWanted(a.Name)))
{
    await using var server = await WebhookProcess.StartAsync(environment: Trial.Environment(attack.NeedsHttp2, "Information"), program: binary);
    await ReportAsync(attack, server);
}

foreach (var feed in FeedAttacks.All.Where(f => IsWanted(f.Name)))
{
    await using var cluster = await FeedAttackCluster.StartAsync(feed, 1, Trial.Environment(http2: false, "Information"), binary);
    await ReportAsync(cluster.Attack, cluster.Server);
}

return failed == 0 ? 0 : 1;

bool IsWanted(string name) => name.Contains(wanted, StringComparison.OrdinalIgnoreCase);

async Task ReportAsync(Attack attack, WebhookProcess server)
{
    await Tool.RunAsync("taskset", ["-a", "-cp", "0", $"{server.Process.Id}"]);
    var trial = await Trial.RunAsync(attack, server, 1, lasts, patience);
    failed += trial.HasHeld ? 0 : 1;
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{attack.Name,-58} {attack.Who,-18} {trial.Reviews,7} {trial.Lost.Count,5} {trial.P99Ms,7:0.0} {trial.NewP99Ms,7:0.0} {trial.BeforeMegabytes,7:0} {trial.PeakMegabytes,7:0} {trial.AfterMegabytes,7:0} {(trial.HasHeld ? "held" : trial.IsAlive ? "NOT HELD" : "DEAD")}"));
    foreach (var reasons in trial.Lost.GroupBy(l => l))
    {
        Console.WriteLine($"    {reasons.Count()} {reasons.Key}");
    }

    if (!trial.IsAlive)
    {
        Console.WriteLine(string.Join('\n', server.Process.Log.Split('\n').TakeLast(40)));
    }
}
