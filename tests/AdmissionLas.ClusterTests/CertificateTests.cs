using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Certificates;
using k8s.Autorest;

namespace AdmissionLas.ClusterTests;

/// <summary>The self-managed certificates of the manifests, with the real API server calling over TLS and trusting what the registration says.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class CertificateTests(ControlPlane cluster)
{
    [Fact]
    public async Task The_first_certificate_is_made_and_the_API_server_trusts_it()
    {
        await using var installed = await InstalledWebhook.InstallAsync(cluster);
        await using var team = await cluster.CreateNamespaceAsync();
        Assert.Null(TestNamespace.DecisionOf(await team.CreateAsync(Steps.Predict("HOME-EDGE"))));

        await installed.StartAsync();

        await team.WebhookIsCalledAsync();
        using var served = X509Certificate2.CreateFromPem((await installed.StoredCertificateAsync()).Pem);
        Assert.True(served.MatchesHostname(InstalledWebhook.Host));
        Assert.True((await installed.TrustedAsync())!.Trusts(served, [], DateTimeOffset.UtcNow));
    }

    [Fact]
    public async Task A_change_of_authority_that_stops_after_any_step_goes_on_and_every_pod_is_patched_meanwhile()
    {
        await using var installed = await InstalledWebhook.InstallAsync(cluster);
        await installed.StartAsync();
        await using var team = await cluster.CreateNamespaceAsync();
        await team.WebhookIsCalledAsync();
        await using var load = SteadyPods.Start(cluster, team);

        var steps = await StoppedAfterEachStepAsync(installed);

        var (created, unpatched) = await load.StopAsync();
        Assert.InRange(steps, 6, 20);
        Assert.True(created > 0);
        Assert.Empty(unpatched);
        Assert.Single((await installed.TrustedAsync())!.Authorities);
    }

    [Fact]
    public async Task A_rotation_whose_process_was_killed_is_finished_by_the_next_once_its_Lease_has_run_out()
    {
        await using var installed = await InstalledWebhook.InstallAsync(cluster);
        await installed.StartAsync();
        await using var team = await cluster.CreateNamespaceAsync();
        await team.WebhookIsCalledAsync();
        await using var load = SteadyPods.Start(cluster, team, TimeSpan.FromMilliseconds(10));

        await using (var first = Certs("rotate", "--force", "authority", "--trust-delay", "30"))
        {
            await first.WritesAsync("waiting: API servers get 30 s");
            first.Kill();
        }

        await using var second = Certs("rotate", "--trust-delay", "1");
        Assert.Equal(0, await second.ExitCodeAsync());
        await using var status = Certs("status");
        Assert.Equal(0, await status.ExitCodeAsync());

        var (created, unpatched) = await load.StopAsync();
        Assert.True(created > 0);
        Assert.Empty(unpatched);
        await status.WritesAsync("pod admission-las-1: CN=admission-las.admission-las.svc");
        await status.WritesAsync("all is well");
        Assert.Single((await installed.TrustedAsync())!.Authorities);
    }

    [Fact]
    public async Task Status_says_what_needs_a_person()
    {
        await using var installed = await InstalledWebhook.InstallAsync(cluster);
        await installed.StartAsync();
        await installed.OverwriteTrustAsync(Authority.Create(InstalledWebhook.Policy, DateTimeOffset.UtcNow).Certificate.Pem);

        await using var status = Certs("status");

        Assert.Equal(2, await status.ExitCodeAsync());
        await status.WritesAsync("place.admissionlas.io: its bundle is not what it should be");
        await status.WritesAsync("serves a certificate that place.admissionlas.io does not trust");
    }

    [Fact]
    public async Task Of_two_rotations_at_once_one_wins_and_the_other_says_so()
    {
        await using var installed = await InstalledWebhook.InstallAsync(cluster);
        await installed.StartAsync();
        var began = new TaskCompletionSource();

        var first = installed.RotateAsync(RotationGoal.RenewAuthority, _ => began.TrySetResult());
        await began.Task;
        var refused = await Assert.ThrowsAsync<RotationInProgressException>(() => InstalledWebhook.RotateAsync(
            cluster.Kubeconfig, RotationGoal.RenewAuthority, timings: InstalledWebhook.Timings with { TrustDelay = TimeSpan.FromSeconds(10) }));

        Assert.Contains("Lease admission-las/admission-las-certificates", refused.Message, StringComparison.Ordinal);
        Assert.Equal(RotationOutcome.Done, await first);
    }

    [Fact]
    public async Task A_Secret_that_was_deleted_is_made_anew_and_replicas_serve_the_last_one_until_then()
    {
        await using var installed = await InstalledWebhook.InstallAsync(cluster);
        await installed.StartAsync();
        await using var team = await cluster.CreateNamespaceAsync();
        await team.WebhookIsCalledAsync();
        await installed.DeleteSecretAsync("admission-las-tls");
        await installed.DeleteSecretAsync("admission-las-ca");

        await team.WebhookIsCalledAsync();
        Assert.Equal(RotationOutcome.Done, await installed.RotateAsync(RotationGoal.Renew));

        await team.WebhookIsCalledAsync();
        Assert.Single((await installed.TrustedAsync())!.Authorities);
    }

    [Fact]
    public async Task A_bundle_that_somebody_overwrote_is_put_right()
    {
        await using var installed = await InstalledWebhook.InstallAsync(cluster);
        await installed.StartAsync();
        await using var team = await cluster.CreateNamespaceAsync();
        await team.WebhookIsCalledAsync();
        await installed.OverwriteTrustAsync(Authority.Create(InstalledWebhook.Policy, DateTimeOffset.UtcNow).Certificate.Pem);

        Assert.Equal(RotationOutcome.Done, await installed.RotateAsync(RotationGoal.Complete));

        await team.WebhookIsCalledAsync();
    }

    [Fact]
    public async Task The_rotation_has_the_rights_that_it_needs_and_no_other()
    {
        await using var installed = await InstalledWebhook.InstallAsync(cluster);
        await installed.StartAsync();
        await using var account = await RestrictedAccount.CreateAsync(cluster, await Overlay.RenderAsync("default"), "admission-las-certificates");

        Assert.Empty(await account.SuperfluousRightsAsync(async kubeconfig =>
        {
            // From nothing, so that what creates is needed; the authority that is still trusted is let go; then a new serving certificate.
            await installed.DeleteSecretAsync("admission-las-tls");
            await installed.DeleteSecretAsync("admission-las-ca");
            await cluster.Api.DeleteAsync("/apis/coordination.k8s.io/v1/namespaces/admission-las/leases/admission-las-certificates");
            var quick = InstalledWebhook.Timings with { TrustDelay = TimeSpan.Zero };
            try
            {
                return await InstalledWebhook.RotateAsync(kubeconfig, RotationGoal.Complete, timings: quick) == RotationOutcome.Done
                    && await InstalledWebhook.RotateAsync(kubeconfig, RotationGoal.Renew, timings: quick) == RotationOutcome.Done
                    && await InstalledWebhook.RotateAsync(kubeconfig, RotationGoal.RenewServing, timings: quick) == RotationOutcome.Done;
            }
            catch (HttpOperationException refused) when (refused.Response.StatusCode == System.Net.HttpStatusCode.Forbidden)
            {
                return false;
            }
        }));
    }

    Tool Certs(params string[] arguments) => Tool.StartAdmissionLas(["certs", .. arguments, "--kubeconfig", cluster.Kubeconfig]);

    /// <summary>Stops a change of authority at its first line, the next one at its second, and so on, until one is not stopped any more.</summary>
    /// <returns>How many stops there were.</returns>
    static async Task<int> StoppedAfterEachStepAsync(InstalledWebhook installed)
    {
        for (var stopAt = 1; ; stopAt++)
        {
            var lines = 0;
            try
            {
                await installed.RotateAsync(RotationGoal.RenewAuthority, _ =>
                {
                    if (++lines == stopAt)
                    {
                        throw new StoppedException();
                    }
                });
                return stopAt - 1;
            }
            catch (StoppedException)
            {
                Assert.Equal(RotationOutcome.Done, await installed.RotateAsync(RotationGoal.Renew));
            }
        }
    }

    sealed class StoppedException : Exception;
}
