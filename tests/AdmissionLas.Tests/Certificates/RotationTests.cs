using AdmissionLas.Certificates;

namespace AdmissionLas.Tests.Certificates;

public sealed class RotationTests
{
    [Fact]
    public async Task The_first_run_makes_all_that_a_call_needs()
    {
        var cluster = new SimulatedCluster();

        Assert.Equal(RotationOutcome.Done, await cluster.RunAsync(RotationGoal.Complete));
        cluster.Pass(TimeSpan.FromMinutes(5));

        Assert.True(cluster.EverythingWorks);
        Assert.Equal(3, cluster.Writes);
    }

    [Theory]
    [InlineData(RotationGoal.Complete)]
    [InlineData(RotationGoal.Renew)]
    [InlineData(RotationGoal.Complete, 80)]
    public async Task A_second_run_changes_nothing_and_completing_renews_nothing_that_still_works(RotationGoal goal, int days = 0)
    {
        var cluster = await InstalledAsync();
        cluster.Pass(TimeSpan.FromDays(days));

        Assert.Equal(RotationOutcome.Done, await cluster.RunAsync(goal));

        Assert.Equal(0, cluster.Writes);
        Assert.Contains("nothing is due", cluster.Reported[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(60, 0)]
    [InlineData(61, 1)]
    public async Task The_serving_certificate_is_renewed_at_two_thirds_of_its_life(int days, int writes)
    {
        var cluster = await InstalledAsync();
        // Ten minutes of its life lie before it was made.
        cluster.Pass(TimeSpan.FromDays(days) - TimeSpan.FromMinutes(20));

        await cluster.RunAsync(RotationGoal.Renew);

        Assert.Equal(writes, cluster.Writes);
    }

    [Fact]
    public async Task A_change_of_authority_ends_with_the_new_one_alone()
    {
        var cluster = await InstalledAsync();
        var before = (await cluster.InventoryAsync()).Authorities!.Signer.Certificate;

        Assert.Equal(RotationOutcome.Done, await cluster.RunAsync(RotationGoal.RenewAuthority));

        var after = await cluster.InventoryAsync();
        Assert.Equal([after.Authorities!.Signer.Certificate], cluster.Registered!.Authorities);
        Assert.NotEqual(before, after.Authorities.Signer.Certificate);
        Assert.True(after.Authorities.SignerSigned(after.Serving!.Certificate));
        Assert.Empty(after.Authorities.Old);
        Assert.Null(after.Authorities.Next);
        Assert.Equal(WritesOfAChange, cluster.Writes);
        Assert.True(cluster.EverythingWorks);
    }

    [Theory]
    [MemberData(nameof(EveryWriteOfAChange))]
    public async Task A_change_of_authority_that_was_killed_goes_on_where_it_stopped(int write, bool afterWriting)
    {
        var cluster = await InstalledAsync();
        var before = (await cluster.InventoryAsync()).Authorities!.Signer.Certificate;
        await Assert.ThrowsAsync<KilledException>(() => cluster.RunAsync(RotationGoal.RenewAuthority, write, afterWriting));
        cluster.Pass(TimeSpan.FromHours(1));

        // Nothing was begun yet if the very first write did not happen.
        Assert.Equal(RotationOutcome.Done, await cluster.RunAsync(write == 1 && !afterWriting ? RotationGoal.RenewAuthority : RotationGoal.Renew));

        Assert.NotEqual(before, Assert.Single(cluster.Registered!.Authorities));
        Assert.True(cluster.EverythingWorks);
    }

    public static TheoryData<int, bool> EveryWriteOfAChange()
    {
        var data = new TheoryData<int, bool>();
        foreach (var write in Enumerable.Range(1, WritesOfAChange))
        {
            data.Add(write, false);
            data.Add(write, true);
        }

        return data;
    }

    // The next authority, both trusted, the promotion, the serving certificate, the old one forgotten, the new one trusted alone.
    const int WritesOfAChange = 6;

    [Fact]
    public async Task While_a_replica_lags_behind_the_old_authority_stays()
    {
        var cluster = await InstalledAsync();
        cluster.SlowestReplica = TimeSpan.FromDays(365);

        Assert.Equal(RotationOutcome.Unfinished, await cluster.RunAsync(RotationGoal.RenewAuthority));
        Assert.Equal(2, cluster.Registered!.Authorities.Count);
        Assert.Equal(RotationOutcome.Unfinished, await cluster.RunAsync(RotationGoal.Revoke));

        cluster.Pass(TimeSpan.FromDays(366 - 300));
        Assert.Equal(2, cluster.Registered!.Authorities.Count);
    }

    [Fact]
    public async Task Where_replicas_cannot_be_seen_only_a_person_lets_the_old_authority_go()
    {
        var cluster = await InstalledAsync();
        cluster.ReplicasCanBeSeen = false;

        Assert.Equal(RotationOutcome.Unfinished, await cluster.RunAsync(RotationGoal.RenewAuthority));
        Assert.Contains("--unseen", cluster.Reported[^1], StringComparison.Ordinal);
        cluster.Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(RotationOutcome.Done, await cluster.RunAsync(RotationGoal.RevokeUnseen));

        Assert.Single(cluster.Registered!.Authorities);
        Assert.True(cluster.EverythingWorks);
    }

    [Fact]
    public async Task An_old_authority_is_not_let_go_before_its_successor_has_signed_what_is_served()
    {
        var cluster = await InstalledAsync();
        await Assert.ThrowsAsync<KilledException>(() => cluster.RunAsync(RotationGoal.RenewAuthority, killAtWrite: 3, afterWriting: true));

        Assert.Equal(RotationOutcome.Unfinished, await cluster.RunAsync(RotationGoal.RevokeUnseen));

        Assert.Equal(2, cluster.Registered!.Authorities.Count);
    }

    [Fact]
    public async Task Revoking_without_an_old_authority_does_nothing()
    {
        var cluster = await InstalledAsync();

        Assert.Equal(RotationOutcome.Done, await cluster.RunAsync(RotationGoal.Revoke));

        Assert.Equal(0, cluster.Writes);
        Assert.Equal("there is no old authority", cluster.Reported[^1]);
    }

    [Theory]
    [InlineData(CertificateGroup.Serving, false)]
    [InlineData(CertificateGroup.Authorities, false)]
    [InlineData(CertificateGroup.Serving, true)]
    [InlineData(CertificateGroup.Authorities, true)]
    public async Task What_was_deleted_or_damaged_is_made_anew_damage_is_named_and_no_call_fails_meanwhile(CertificateGroup group, bool isDamaged)
    {
        var cluster = await InstalledAsync();
        (isDamaged ? g => cluster.Damage(g) : (Action<CertificateGroup>)cluster.Delete)(group);

        Assert.Equal(RotationOutcome.Done, await cluster.RunAsync(RotationGoal.Renew));
        cluster.Pass(TimeSpan.FromHours(1));

        Assert.Equal(isDamaged, cluster.Reported.Any(line => line.StartsWith($"{group}: ", StringComparison.Ordinal)));
        var after = await cluster.InventoryAsync();
        Assert.Empty(after.Faults);
        Assert.True(after.Authorities!.SignerSigned(after.Serving!.Certificate));
        Assert.True(cluster.EverythingWorks);
    }

    [Theory]
    [InlineData(1, "next.crt")]
    [InlineData(3, "old.crt")]
    public async Task What_was_damaged_in_the_middle_of_a_change_is_made_anew_and_no_call_fails_meanwhile(int write, string damaged)
    {
        var cluster = await InstalledAsync();
        await Assert.ThrowsAsync<KilledException>(() => cluster.RunAsync(RotationGoal.RenewAuthority, write, afterWriting: true));
        cluster.Damage(CertificateGroup.Authorities, damaged);

        Assert.Equal(RotationOutcome.Done, await cluster.RunAsync(RotationGoal.Renew));
        cluster.Pass(TimeSpan.FromHours(1));

        Assert.Empty((await cluster.InventoryAsync()).Faults);
        Assert.Single(cluster.Registered!.Authorities);
        Assert.True(cluster.EverythingWorks);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_bundle_that_was_overwritten_or_broken_is_repaired(bool isBroken)
    {
        var cluster = await InstalledAsync();
        var ours = cluster.Registered;
        cluster.Overwrite(isBroken ? null : new TrustBundle([Authority.Create(SimulatedCluster.Policy, cluster.Now).Certificate]));
        cluster.Pass(TimeSpan.FromMinutes(1));
        Assert.False(cluster.EverythingWorks);

        await cluster.RunAsync(RotationGoal.Complete);
        cluster.Pass(TimeSpan.FromMinutes(1));

        Assert.Equal(ours, cluster.Registered);
        Assert.True(cluster.EverythingWorks);
    }

    [Fact]
    public async Task A_webhook_that_is_not_registered_yet_gets_its_certificates_all_the_same()
    {
        var cluster = new SimulatedCluster { IsRegistered = false };

        Assert.Equal(RotationOutcome.Done, await cluster.RunAsync(RotationGoal.Complete));

        Assert.NotNull((await cluster.InventoryAsync()).Serving);
    }

    [Fact]
    public async Task Other_names_in_the_policy_make_another_serving_certificate()
    {
        var cluster = await InstalledAsync();
        var policy = SimulatedCluster.Policy with { DnsNames = [SimulatedCluster.Host, "another.example"] };

        await new Rotation(cluster, cluster, policy, SimulatedCluster.Timings, cluster.Clock, _ => { }).RunAsync(RotationGoal.Complete, CancellationToken.None);

        Assert.Contains("another.example", (await cluster.InventoryAsync()).Serving!.Certificate.Names());
    }

    [Fact]
    public async Task A_dry_run_reports_every_step_and_writes_nothing()
    {
        var cluster = await InstalledAsync();
        cluster.Reported.Clear();

        Assert.Equal(RotationOutcome.Done, await cluster.DryRunAsync(RotationGoal.RenewAuthority));

        Assert.Equal(0, cluster.Writes);
        Assert.Equal(WritesOfAChange + 1, cluster.Reported.Count);
        Assert.All(cluster.Reported, line => Assert.StartsWith("would: ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_line_that_is_reported_holds_a_key()
    {
        var cluster = await InstalledAsync();
        await cluster.RunAsync(RotationGoal.RenewAuthority);

        Assert.DoesNotContain(cluster.Reported, line => line.Contains("PRIVATE", StringComparison.Ordinal) || line.Contains("-----", StringComparison.Ordinal));
    }

    static async Task<SimulatedCluster> InstalledAsync()
    {
        var cluster = new SimulatedCluster();
        await cluster.RunAsync(RotationGoal.Complete);
        cluster.Pass(TimeSpan.FromMinutes(5));
        await cluster.RunAsync(RotationGoal.Complete);
        Assert.True(cluster.EverythingWorks);
        return cluster;
    }
}
