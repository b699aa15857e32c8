namespace AdmissionLas.ClusterTests.Support;

/// <summary>
/// An overlay on the real API server, in place of the webhook that the other tests share: both have the same name. Deleted at the end.
/// </summary>
sealed class InstalledOverlay : IAsyncDisposable
{
    readonly ControlPlane cluster;
    readonly IReadOnlyList<JsonObject> objects;

    InstalledOverlay(ControlPlane cluster, IReadOnlyList<JsonObject> objects)
    {
        (this.cluster, this.objects) = (cluster, objects);
        Kubectl = new Kubectl(cluster.Kubeconfig);
    }

    internal Kubectl Kubectl { get; }

    internal static async Task<InstalledOverlay> ApplyAsync(ControlPlane cluster, Overlay overlay)
    {
        var installed = new InstalledOverlay(cluster, await AsServedAsync(cluster.Api, overlay));
        await cluster.UnregisterAsync();
        try
        {
            await installed.Kubectl.ApplyAsync(installed.objects);
            return installed;
        }
        catch
        {
            await installed.DisposeAsync();
            throw;
        }
    }

    /// <summary>Applies another one over it, as a second <c>kubectl apply -k</c> does: nothing is pruned.</summary>
    internal async Task ApplyOverAsync(Overlay other) => await Kubectl.ApplyAsync(await AsServedAsync(cluster.Api, other));

    /// <summary>Those of its objects that the server has.</summary>
    internal Task<string[]> ExistingAsync() => Kubectl.ExistingAsync(objects);

    /// <summary>What <c>kubectl delete -k</c> does.</summary>
    internal async Task DeleteAsync()
    {
        await Kubectl.DeleteAsync(objects);
        await Kubectl.RemoveNamespaceAsync("admission-las");
    }

    public async ValueTask DisposeAsync()
    {
        await DeleteAsync();
        await cluster.RestoreRegistrationAsync();
    }

    /// <summary>
    /// Kubernetes 1.20, which Debian has the source of, knows two of our kinds in their beta version alone, one of them without a field. A
    /// server that has the versions of the manifests gets the manifests.
    /// </summary>
    static async Task<IReadOnlyList<JsonObject>> AsServedAsync(ApiServer api, Overlay overlay)
    {
        var hasBudgets = await ServesAsync(api, "policy/v1", "PodDisruptionBudget");
        var hasCronJobs = await ServesAsync(api, "batch/v1", "CronJob");
        return [.. overlay.Objects.Select(o => Overlay.KindOf(o) switch
        {
            "PodDisruptionBudget" when !hasBudgets => o.DeepClone().AsObject().With(budget =>
            {
                budget["apiVersion"] = "policy/v1beta1";
                budget["spec"]!.AsObject().Remove("unhealthyPodEvictionPolicy");
            }),
            "CronJob" when !hasCronJobs => o.DeepClone().AsObject().With(job => job["apiVersion"] = "batch/v1beta1"),
            _ => o,
        })];
    }

    static async Task<bool> ServesAsync(ApiServer api, string groupVersion, string kind)
    {
        try
        {
            return (await api.GetAsync($"/apis/{groupVersion}"))["resources"]!.AsArray().Any(r => r!["kind"]!.GetValue<string>() == kind);
        }
        catch (HttpRequestException fault) when (fault.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }
}
