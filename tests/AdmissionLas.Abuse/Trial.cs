using System.Diagnostics;

namespace AdmissionLas.Abuse;

/// <summary>What an attack did to the reviews of others, and to the server.</summary>
/// <param name="Attack">The attack.</param>
/// <param name="Reviews">How many reviews of others got their patch meanwhile.</param>
/// <param name="Lost">Why others did not, one entry each.</param>
/// <param name="P99Ms">The 99th percentile of their times, milliseconds.</param>
/// <param name="NewP99Ms">The same with a new connection for each review.</param>
/// <param name="BeforeMegabytes">Resident memory before the attack, MB.</param>
/// <param name="PeakMegabytes">The most that it was.</param>
/// <param name="AfterMegabytes">What it was at the end: as soon as it was within 20 % of before, or when there was no more patience.</param>
/// <param name="IsAlive">The process has not ended.</param>
sealed record Trial(
    Attack Attack, int Reviews, IReadOnlyList<string> Lost, double P99Ms, double NewP99Ms, double BeforeMegabytes, double PeakMegabytes, double AfterMegabytes, bool IsAlive)
{
    const double MaxP99Ms = 100, MaxGrowth = 1.2;

    /// <summary>What a server is started with: of the 384Mi that the Deployment gives the container the runtime lets the heap take three quarters.</summary>
    internal static Dictionary<string, string> Environment(bool http2, string logLevel) => new()
    {
        ["DOTNET_GCHeapHardLimit"] = "0x12000000",
        ["ADMISSION_LAS_SERVER__HTTP2"] = $"{http2}",
        ["ADMISSION_LAS_LOGGING__LEVEL"] = logLevel,
    };

    /// <summary>No review was lost, none was late, and the memory came back.</summary>
    internal bool HasHeld => IsAlive && Lost.Count == 0 && P99Ms <= MaxP99Ms && HasMemoryBack;

    internal bool HasMemoryBack => AfterMegabytes <= MaxGrowth * BeforeMegabytes;

    /// <summary>Runs an attack on a server that answers others meanwhile.</summary>
    /// <param name="attack">The attack.</param>
    /// <param name="server">The server.</param>
    /// <param name="strength">How hard it is, from 0 to 1.</param>
    /// <param name="lasts">How long it lasts.</param>
    /// <param name="patience">How long the memory has to come back.</param>
    internal static async Task<Trial> RunAsync(Attack attack, WebhookProcess server, double strength, TimeSpan lasts, TimeSpan patience)
    {
        var probe = new Probe(server, Patience(patience));
        if (patience > TimeSpan.Zero)
        {
            await ProbeForAsync(server, () => Task.Delay(3000));
        }

        var before = Resident(server);
        var peak = before;
        using var over = new CancellationTokenSource();
        var attacking = attack.RunAsync(server, strength, over.Token);
        using var probed = new CancellationTokenSource();
        var probing = probe.RunAsync(probed.Token);
        var startedAt = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(startedAt) < lasts)
        {
            await Task.Delay(50);
            peak = Math.Max(peak, Resident(server));
        }

        await probed.CancelAsync();
        await probing;
        await over.CancelAsync();
        await attacking.WaitAsync(TimeSpan.FromMinutes(1));
        await ProbeForAsync(server, async () =>
        {
            startedAt = Stopwatch.GetTimestamp();
            while (Resident(server) > MaxGrowth * before && Stopwatch.GetElapsedTime(startedAt) < patience)
            {
                await Task.Delay(200);
            }
        });
        return new Trial(
            attack, probe.KeptMs.Count + probe.NewMs.Count, probe.Lost, Probe.Quantile(probe.KeptMs, 0.99), Probe.Quantile(probe.NewMs, 0.99), before, peak, Resident(server),
            !server.Process.HasExited);
    }

    // Where nothing is measured, on a machine that does much else, a late answer is none that is lost.
    static TimeSpan Patience(TimeSpan forMemory) => forMemory > TimeSpan.Zero ? TimeSpan.FromSeconds(2) : TimeSpan.FromMinutes(1);

    static async Task ProbeForAsync(ServedWebhook server, Func<Task> meanwhile)
    {
        using var over = new CancellationTokenSource();
        var probing = new Probe(server, TimeSpan.FromSeconds(2)).RunAsync(over.Token);
        await meanwhile();
        await over.CancelAsync();
        await probing;
    }

    // A process that ends has none any more.
    static double Resident(WebhookProcess server) => server.Process.HasExited ? 0 : double.Parse(
        File.ReadLines($"/proc/{server.Process.Id}/status").SingleOrDefault(l => l.StartsWith("VmRSS:", StringComparison.Ordinal), "VmRSS: 0")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;
}
