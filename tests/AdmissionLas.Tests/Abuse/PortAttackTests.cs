using AdmissionLas.Abuse;

namespace AdmissionLas.Tests.Abuse;

/// <summary>
/// Attacks on the ports with little strength, one after the other on one server: others get every answer meanwhile, and the process lives with the memory
/// that the container gives it. scripts/abuse.sh runs the same at full strength, with times and memory.
/// </summary>
[Collection(AbuseCollection.Name)]
public sealed class PortAttackTests(PortAttackTests.Server server) : IClassFixture<PortAttackTests.Server>
{
    const double Strength = 0.05;

    static readonly TimeSpan Lasts = TimeSpan.FromSeconds(1.5);

    public static TheoryData<string> Names => [.. PortAttacks.All.Select(a => a.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Others_get_every_answer_meanwhile(string attack)
    {
        var trial = await Trial.RunAsync(PortAttacks.All.Single(a => a.Name == attack), server.Process!, Strength, Lasts, patience: TimeSpan.Zero);

        Assert.True(trial.IsAlive, server.Process!.Process.Log);
        Assert.Empty(trial.Lost);
        Assert.NotEqual(0, trial.Reviews);
    }

    public sealed class Server : IAsyncLifetime
    {
        internal WebhookProcess? Process { get; private set; }

        public async Task InitializeAsync() =>
            Process = await WebhookProcess.StartAsync(environment: Trial.Environment(http2: true, "Error"));

        public async Task DisposeAsync() => await Process!.DisposeAsync();
    }
}
