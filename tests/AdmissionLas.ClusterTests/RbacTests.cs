using AdmissionLas.Observers;
using AdmissionLas.Server;
using k8s.Autorest;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.ClusterTests;

/// <summary>The manifests' rights are enough, and none of them is too much: the real RBAC authorizer decides.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class RbacTests(ControlPlane cluster)
{
    [Fact]
    public async Task The_webhook_follows_nodes_and_pods_and_writes_events_with_its_rights_and_with_none_of_them_missing()
    {
        await using var account = await RestrictedAccount.CreateAsync(cluster, await Overlay.RenderAsync("default"), "admission-las");

        Assert.Empty(await account.SuperfluousRightsAsync(WorksAsync));
    }

    async Task<bool> WorksAsync(string kubeconfig) => await FollowsAsync(kubeconfig) && await WritesEventsAsync(kubeconfig);

    /// <summary>Whether an Event about a step can be written.</summary>
    async Task<bool> WritesEventsAsync(string kubeconfig)
    {
        await using var ns = await cluster.CreateNamespaceAsync();
        using var api = new KubeApi(Assert.IsType<ClusterSource.ApiServer>(ClusterSource.FromKubeconfig(kubeconfig, null)).Configuration, TimeProvider.System);
        try
        {
            await EventSender.WriteAsync(api, new PlacementProblem(ns.Name, new OwnerReference("v1", "Pod", "step", ""), "LocationUnknown", "a test"), 1, DateTime.UtcNow, CancellationToken.None);
            return true;
        }
        catch (HttpOperationException refused) when (refused.Response.StatusCode == HttpStatusCode.Forbidden)
        {
            return false;
        }
    }

    /// <summary>Whether the feeds have their first lists and then see one change each, with nothing refused.</summary>
    async Task<bool> FollowsAsync(string kubeconfig)
    {
        var state = new ClusterState(TimeProvider.System);
        var faults = new Faults();
        using var api = new KubeApi(Assert.IsType<ClusterSource.ApiServer>(ClusterSource.FromKubeconfig(kubeconfig, null)).Configuration, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var usageCache = new NodeUsageCache(TimeProvider.System, TimeSpan.FromMinutes(1));
        var running = Task.WhenAll(
            new NodeInformer(api, state, LatencyLabels.All, TimeProvider.System, faults).RunAsync(stop.Token),
            new NamespaceInformer(api, "admissionlas.io/inject=enabled", TimeProvider.System, faults).RunAsync(stop.Token), new PodInformer(api, usageCache, (_, _) => true, TimeProvider.System, faults).RunAsync(stop.Token));
        try
        {
            await Eventually.IsTrueAsync("nodes and pods are listed, or refused", () => Task.FromResult((state.Current is not null && usageCache.IsFollowed) || faults.Any));
            if (!faults.Any)
            {
                await LabelAsync("1");
                await using var ns = await cluster.CreateNamespaceAsync();
                await ns.CreateAsync(Steps.Filler("nitos-cloud-node", "10m"));
                await Eventually.IsTrueAsync("the pod is seen, or refused", () => Task.FromResult(usageCache.Current.On("nitos-cloud-node").Pods > 0 || faults.Any));
                await Eventually.IsTrueAsync("the change is seen, or refused", () => Task.FromResult(state.Current!.NearestTo(Location).Count == 1 || faults.Any));
            }

            return !faults.Any;
        }
        finally
        {
            await LabelAsync(null);
            await stop.CancelAsync();
            await running;
        }
    }

    const string Location = "RBAC";

    Task LabelAsync(string? latency) => cluster.Api.MergePatchAsync("/api/v1/nodes/nitos-cloud-node", new JsonObject
    {
        ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [$"latency.admissionlas.io/{Location}"] = latency } },
    });

    sealed class Faults : ILogger<NodeInformer>, ILogger<PodInformer>, ILogger<NamespaceInformer>
    {
        volatile bool any;

        internal bool Any => any;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => any = true;
    }
}
