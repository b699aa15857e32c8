using AdmissionLas.Abuse;

namespace AdmissionLas.Tests.Abuse;

/// <summary>Attacks by pods and nodes that are stored, with little strength: others get every answer meanwhile, and the process lives.</summary>
[Collection(AbuseCollection.Name)]
public sealed class FeedAttackTests
{
    const double Strength = 0.1;

    static readonly TimeSpan Lasts = TimeSpan.FromSeconds(2);

    public static TheoryData<string> Names => [.. FeedAttacks.All.Select(a => a.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Others_get_every_answer_meanwhile(string feed)
    {
        await using var cluster = await FeedAttackCluster.StartAsync(
            FeedAttacks.All.Single(f => f.Name == feed), Strength, Trial.Environment(http2: false, "Error"), program: null);

        var trial = await Trial.RunAsync(cluster.Attack, cluster.Server, Strength, Lasts, patience: TimeSpan.Zero);

        Assert.True(trial.IsAlive, cluster.Server.Process.Log);
        Assert.Empty(trial.Lost);
        Assert.NotEqual(0, trial.Reviews);
    }
}
