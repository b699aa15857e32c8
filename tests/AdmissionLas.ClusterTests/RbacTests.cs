using System.Text.Json.Nodes;
using AdmissionLas.ClusterTests.Support;
using AdmissionLas.Hosting;
using AdmissionLas.Kubernetes;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.ClusterTests;

/// <summary>The manifests' rights are enough, and none of them is too much: told by the real RBAC authorizer.</summary>
[Collection(ControlPlaneCollection.Name)]
public sealed class RbacTests(ControlPlane cluster)
{
    [Fact]
    public async Task The_webhook_follows_nodes_with_its_rights_and_with_none_of_them_missing()
    {
        await using var account = await RestrictedAccount.CreateAsync(cluster, await Overlay.RenderAsync("default"), "admission-las");

        Assert.Empty(await account.SuperfluousRightsAsync(FollowsNodesAsync));
    }

    /// <summary>Whether the feed has a first list of nodes and then sees one change, with nothing refused.</summary>
    async Task<bool> FollowsNodesAsync(string kubeconfig)
    {
        var state = new ClusterState(TimeProvider.System);
        var faults = new Faults();
        using var api = new KubeApi(Assert.IsType<ClusterSource.ApiServer>(ClusterSource.FromKubeconfig(kubeconfig, null)).Configuration, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var running = new NodeFeed(api, state, TimeProvider.System, faults).RunAsync(stop.Token);
        try
        {
            await Eventually.IsTrueAsync("the nodes are listed, or refused", () => Task.FromResult(state.Current is not null || faults.Any));
            if (!faults.Any)
            {
                await LabelAsync("1");
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

    sealed class Faults : ILogger<NodeFeed>
    {
        volatile bool any;

        internal bool Any => any;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => any = true;
    }
}
