using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using AdmissionLas.Kubernetes;
using AdmissionLas.Page;
using AdmissionLas.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Serilog.Events;

namespace AdmissionLas.BrowserTests.Support;

/// <summary>The real server with its page, on free loopback ports.</summary>
sealed class ServedPage : IAsyncDisposable
{
    readonly WebApplication app;
    readonly HttpClient client;
    bool isStopped;

    ServedPage(WebApplication app, DevelopmentCertificate certificate)
    {
        this.app = app;
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(certificate.Authority);
        client = new HttpClient(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = trust } });
        Address = PageHosting.Address(app)!;
    }

    internal Uri Address { get; }

    /// <summary>Starts the server.</summary>
    /// <param name="nodes">The cluster; the embedded testbed when left out.</param>
    /// <param name="port">The page's port; a free one when left out.</param>
    internal static async Task<ServedPage> StartAsync(IEnumerable<NodeFacts>? nodes = null, int port = 0)
    {
        var certificate = DevelopmentCertificate.Create(DateTimeOffset.UtcNow);
        var app = WebhookServer.Build(
            configuration => configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["server:address"] = "127.0.0.1",
                ["server:port"] = "0",
                ["server:healthPort"] = "0",
                ["server:drainSeconds"] = "0",
                ["page:enabled"] = "true",
                ["page:port"] = port.ToString(CultureInfo.InvariantCulture),
            }),
            nodes is null ? ClusterSource.Embedded() : new ClusterSource.Snapshot(new ClusterView(nodes)),
            ServingCertificate.From(certificate),
            LogEventLevel.Fatal);
        await app.StartAsync();
        return new ServedPage(app, certificate);
    }

    /// <summary>Lets pods count, as a server does that may list and watch them: these are bound already.</summary>
    internal void RunPods(params (string Node, long CpuMilli, long MemoryBytes, int Count)[] pods)
    {
        var usageCache = app.Services.GetRequiredService<NodeUsageCache>();
        usageCache.BeginList();
        foreach (var (node, cpuMilli, memoryBytes, count) in pods)
        {
            for (var i = 0; i < count; i++)
            {
                usageCache.Set($"{node}-{i}", new PodUsage($"{node}-{i}", node, new Resources(cpuMilli, memoryBytes), IsUnschedulable: false, Review: null));
            }
        }

        usageCache.EndList();
    }

    /// <summary>Sends a pod for review, over TLS as the API server would.</summary>
    internal async Task ReviewAsync(string name, string type, string? location = null, string @namespace = "kubeflow")
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
        using var content = new StringContent(SampleReview.Of(pod, Guid.NewGuid().ToString(), @namespace).ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri(WebhookServer.WebhookAddress(app), MutateEndpoint.Path), content);
        response.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        if (isStopped)
        {
            return;
        }

        isStopped = true;
        client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
