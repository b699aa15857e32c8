using System.Diagnostics;
using AdmissionLas.Certificates;
using Xunit.Abstractions;

namespace AdmissionLas.ClusterTests;

[Collection(ControlPlaneCollection.Name)]
public sealed class RotationUnderLoadTests(ControlPlane cluster, ITestOutputHelper output)
{
    const int Rotations = 3;
    const int ReviewsPerSecond = 250;

    /// <summary>How long the load lasts: LOAD_SECONDS, which <c>.ci/run</c> sets to a minute.</summary>
    static readonly TimeSpan Duration = TimeSpan.FromSeconds(
        int.TryParse(Environment.GetEnvironmentVariable("LOAD_SECONDS"), CultureInfo.InvariantCulture, out var seconds) ? seconds : 20);

    [Fact]
    public async Task Under_load_authority_and_certificate_change_three_times_and_no_review_fails()
    {
        await using var installed = await InstalledWebhook.InstallAsync(cluster);
        await installed.StartAsync();
        await using var team = await cluster.CreateNamespaceAsync();
        await team.WebhookIsCalledAsync();
        List<string> steps = [];
        var clock = Stopwatch.StartNew();
        await using var reviews = await DirectReviews.StartAsync(installed, ReviewsPerSecond);
        await using var pods = SteadyPods.Start(cluster, team, TimeSpan.FromMilliseconds(20));

        for (var rotation = 1; rotation <= Rotations; rotation++)
        {
            Assert.Equal(RotationOutcome.Done, await installed.RotateAsync(RotationGoal.RenewAuthority, line => steps.Add($"{DateTime.UtcNow:HH:mm:ss.fff} {line}")));
            var rest = Duration * rotation / Rotations - clock.Elapsed;
            await Task.Delay(rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
        }

        var counts = await reviews.StopAsync();
        var took = clock.Elapsed;
        var (created, unpatched) = await pods.StopAsync();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{Rotations} changes of authority in {took.TotalSeconds:0} s. Straight over TLS: {counts.Answered} reviews answered ({counts.Answered / took.TotalSeconds:0}/s), {counts.Failures.Count} failed; {counts.Handshakes} connections, {counts.Certificates} certificates. Through the API server: {created} Predict pods, {unpatched.Count} unpatched."));
        Assert.True(counts.Failures.Count == 0, string.Join('\n', [.. counts.Failures, .. steps]));
        Assert.True(unpatched.Count == 0, string.Join('\n', [.. unpatched.Select(u => $"{u:HH:mm:ss.fff} unpatched"), .. steps]));
        Assert.True(counts.Certificates > Rotations, "every new certificate was met");
        Assert.True(created > 0);
    }
}
