using System.Text.Json.Nodes;
using AdmissionLas.ClusterTests.Support;

namespace AdmissionLas.ClusterTests;

/// <summary>The overlays on the real API server: installed, changed, deleted.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class InstalledManifestTests(ControlPlane cluster)
{
    public static TheoryData<string> Overlays => [.. Overlay.Names];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task An_overlay_is_accepted_whole_and_deleted_whole(string name)
    {
        var overlay = await Overlay.RenderAsync(name);
        await using var certManager = overlay.OfKind("Certificate").Any() ? await StandInForCertManager.InstallAsync(cluster) : null;
        await using var installed = await InstalledOverlay.ApplyAsync(cluster, overlay);

        Assert.Equal(overlay.Objects.Count, (await installed.ExistingAsync()).Length);

        await installed.DeleteAsync();

        Assert.Empty(await installed.ExistingAsync());
    }

    [Fact]
    public async Task A_second_apply_keeps_the_trust_that_the_rotation_has_written()
    {
        var overlay = await Overlay.RenderAsync("default");
        await using var installed = await InstalledOverlay.ApplyAsync(cluster, overlay);
        var bundle = Convert.ToBase64String("-----BEGIN CERTIFICATE-----"u8);
        var registration = await cluster.Api.GetAsync(Registration);
        foreach (var webhook in registration["webhooks"]!.AsArray())
        {
            webhook!["clientConfig"]!["caBundle"] = bundle;
        }

        await cluster.Api.MergePatchAsync(Registration, new JsonObject { ["webhooks"] = registration["webhooks"]!.DeepClone() });

        await installed.ApplyOverAsync(overlay);

        Assert.All((await cluster.Api.GetAsync(Registration))["webhooks"]!.AsArray(), w => Assert.Equal(bundle, $"{w!["clientConfig"]!["caBundle"]}"));
    }

    const string Registration = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/admission-las";
}
