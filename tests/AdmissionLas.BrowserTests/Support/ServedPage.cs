using System.Globalization;
using System.Text.Json.Nodes;
using AdmissionLas.Kubernetes;
using AdmissionLas.Observers;
using AdmissionLas.Realised;
using AdmissionLas.Server;
using Microsoft.Extensions.DependencyInjection;

namespace AdmissionLas.BrowserTests.Support;

/// <summary>The real server with its page, on free loopback ports.</summary>
sealed class ServedPage(RunningWebhook webhook) : IAsyncDisposable
{
    internal Uri Address => webhook.Page!;

    /// <summary>Starts the server.</summary>
    /// <param name="nodes">The cluster; the embedded testbed when left out.</param>
    /// <param name="port">The page's port; a free one when left out.</param>
    internal static async Task<ServedPage> StartAsync(IEnumerable<NodeFacts>? nodes = null, int port = 0)
    {
        var source = nodes is null ? null : new ClusterSource.Snapshot(_ => new ClusterView(nodes));
        return new(await RunningWebhook.StartAsync(new() { ["page:enabled"] = "true", ["page:port"] = port.ToString(CultureInfo.InvariantCulture) }, source));
    }

    /// <summary>Lets pods count, as a server does that may list and watch them: these are bound already.</summary>
    internal void RunPods(params (string Node, long CpuMilli, long MemoryBytes, int Count)[] pods)
    {
        var usageCache = webhook.UsageCache;
        usageCache.BeginList();
        foreach (var (node, cpuMilli, memoryBytes, count) in pods)
        {
            for (var i = 0; i < count; i++)
            {
                usageCache.Set($"{node}-{i}", new PodUsage($"{node}-{i}", node, new Resources(cpuMilli, memoryBytes)));
            }
        }

        usageCache.EndList();
    }

    /// <summary>Sends a pod for review, over TLS as the API server would.</summary>
    /// <returns>The review's uid.</returns>
    internal async Task<string> ReviewAsync(string name, string type, string? location = null, string @namespace = "kubeflow")
    {
        var labels = new JsonObject { ["typeOfComponent"] = type };
        if (location is not null)
        {
            labels["OurLocation"] = location;
        }

        var pod = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels },
            ["spec"] = new JsonObject
            {
                ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["cpu"] = "500m" } } }),
            },
        };
        var uid = Guid.NewGuid().ToString();
        await webhook.ReviewAsync(pod, uid, @namespace);
        return uid;
    }

    /// <summary>Lets the scheduler bind the pod of a review.</summary>
    internal void Bind(string review, string node, PlacementResult result) => webhook.Services.GetRequiredService<RecentDecisions>().Bound(review, node, result);

    public ValueTask DisposeAsync() => webhook.DisposeAsync();
}
