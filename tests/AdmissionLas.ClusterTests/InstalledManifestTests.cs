using AdmissionLas.Server;

namespace AdmissionLas.ClusterTests;

/// <summary>The overlays on the real API server: installed, changed, deleted.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class InstalledManifestTests(ControlPlane cluster)
{
    const string Registration = $"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{ObjectNames.Registration}";

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
    public async Task Pods_are_created_while_nothing_of_what_is_installed_runs()
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var installed = await InstalledOverlay.ApplyAsync(cluster, await Overlay.RenderAsync("default"));
        await ns.WebhookIsNotCalledAsync();

        Assert.NotEmpty(await ns.NodeOfAsync(await ns.CreateAsync(Steps.Predict("HOME-EDGE"))));
    }

    [Fact]
    public async Task A_second_apply_keeps_the_trust_that_the_rotation_has_written()
    {
        var overlay = await Overlay.RenderAsync("default");
        await using var installed = await InstalledOverlay.ApplyAsync(cluster, overlay);
        var bundle = Convert.ToBase64String(Encoding.UTF8.GetBytes(DevelopmentCertificate.Create(DateTimeOffset.UtcNow).Authority.ExportCertificatePem()));
        var webhooks = await WebhooksAsync();
        foreach (var webhook in webhooks)
        {
            webhook!["clientConfig"]!["caBundle"] = bundle;
        }

        await cluster.Api.MergePatchAsync(Registration, new JsonObject { ["webhooks"] = webhooks.DeepClone() });

        await installed.ApplyOverAsync(overlay);

        Assert.Equal([bundle, bundle], (await WebhooksAsync()).Select(w => $"{w!["clientConfig"]!["caBundle"]}"));
    }

    [Fact]
    public async Task The_component_every_pod_can_be_added_later_and_taken_away_again()
    {
        var labelled = await Overlay.RenderAsync("default");
        await using var installed = await InstalledOverlay.ApplyAsync(cluster, labelled);

        await installed.ApplyOverAsync(await Overlay.RenderWithComponentAsync("default", "every-pod"));
        Assert.Empty(Assert.Single(await WebhooksAsync())!["objectSelector"]!.AsObject());

        await installed.ApplyOverAsync(labelled);
        Assert.Equal(["place.admissionlas.io", "place-prefixed.admissionlas.io"], (await WebhooksAsync()).Select(w => $"{w!["name"]}"));
        Assert.All(await WebhooksAsync(), w => Assert.NotEmpty(w!["objectSelector"]!["matchExpressions"]!.AsArray()));
    }

    async Task<JsonArray> WebhooksAsync() => (await cluster.Api.GetAsync(Registration))["webhooks"]!.AsArray();
}
