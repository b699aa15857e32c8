using AdmissionLas.Certificates;
using CsCheck;

namespace AdmissionLas.Tests.Certificates;

/// <summary>Runs of any kind, at any distance, killed anywhere: what the API servers trust and what the replicas serve always fit.</summary>
public sealed class RotationProperties
{
    const long Iterations = 100;

    sealed record Run(RotationGoal Goal, int? KillAtWrite, bool AfterWriting, int PauseHours);

    static readonly Gen<Run> Runs = Gen.Select(
        Gen.OneOf(RotationGoal.Complete, RotationGoal.Renew, RotationGoal.Renew, RotationGoal.RenewServing, RotationGoal.RenewAuthority, RotationGoal.Revoke),
        Gen.Int[0, 12],
        Gen.Bool,
        Gen.Int[0, 24 * 14],
        (goal, kill, after, pause) => new Run(goal, kill == 0 ? null : kill, after, pause));

    static readonly Gen<(int Seed, int ApiServers, int Replicas, int SlowestReplicaMinutes, Run[] Runs)> Histories =
        Gen.Select(Gen.Int, Gen.Int[1, 3], Gen.Int[1, 3], Gen.Int[1, 60], Runs.Array[1, 15], (seed, a, r, slow, runs) => (seed, a, r, slow, runs));

    [Fact]
    public async Task At_every_point_of_a_rotation_killed_anywhere_the_API_servers_trust_what_is_served() => await Histories.SampleAsync(async history =>
    {
        var cluster = new SimulatedCluster(history.Seed, history.ApiServers, history.Replicas) { SlowestReplica = TimeSpan.FromMinutes(history.SlowestReplicaMinutes) };
        foreach (var run in history.Runs)
        {
            try
            {
                await cluster.RunAsync(run.Goal, run.KillAtWrite, run.AfterWriting);
            }
            catch (KilledException)
            {
            }

            cluster.Pass(TimeSpan.FromHours(run.PauseHours));
            // The daily job, which is never killed.
            await cluster.RunAsync(RotationGoal.Renew);
        }

        // Whatever happened before, time and the daily job put everything in order: at most one change of authority is still due.
        cluster.Pass(TimeSpan.FromHours(2));
        await cluster.RunAsync(RotationGoal.Renew);
        cluster.Pass(TimeSpan.FromHours(2));
        Assert.Equal(RotationOutcome.Done, await cluster.RunAsync(RotationGoal.Renew));
        cluster.Pass(TimeSpan.FromHours(2));
        Assert.True(cluster.EverythingWorks);
        Assert.Single(cluster.Registered!.Authorities);
    }, iter: Iterations);
}
