using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Serilog.Events;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>Another webhook on the same API server. It is not registered: what it knows it has from the watch alone.</summary>
sealed class Replica : IAsyncDisposable
{
    readonly WebApplication server;
    readonly HttpClient caller;
    int reviews;

    Replica(WebApplication server, HttpClient caller) => (this.server, this.caller) = (server, caller);

    internal NodeUsageCache UsageCache => server.Services.GetRequiredService<NodeUsageCache>();

    internal ClusterState State => server.Services.GetRequiredService<ClusterState>();

    /// <summary>Starts it and waits for its first lists.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="apiServer">How it reaches the API server; <see langword="null"/> for directly.</param>
    internal static async Task<Replica> StartAsync(ControlPlane cluster, Uri? apiServer = null)
    {
        var certificate = DevelopmentCertificate.Create(DateTimeOffset.UtcNow);
        var server = WebhookServer.Build(
            configuration => configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["server:address"] = "127.0.0.1",
                ["server:port"] = "0",
                ["server:healthPort"] = "0",
            }),
            ClusterSource.FromKubeconfig(cluster.KubeconfigFor(apiServer), null),
            ServingCertificate.From(certificate),
            LogEventLevel.Error);
        await server.StartAsync();
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(certificate.Authority);
        var caller = new HttpClient(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust } });
        var replica = new Replica(server, caller);
        await Eventually.IsTrueAsync("the replica has its first lists", () => Task.FromResult(replica.State.Current is { Nodes.Count: > 0 } && replica.UsageCache.IsFollowed));
        return replica;
    }

    /// <summary>The node that it would choose for the pod.</summary>
    internal async Task<string?> ChooseAsync(JsonObject pod)
    {
        using var content = new StringContent(SampleReview.Of(pod, $"review-{++reviews}").ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await caller.PostAsync(new Uri(WebhookServer.WebhookAddress(server), MutateEndpoint.Path), content);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!["response"]!["auditAnnotations"]?["node"]?.GetValue<string>();
    }

    public async ValueTask DisposeAsync()
    {
        await server.StopAsync(new CancellationToken(canceled: true));
        await server.DisposeAsync();
        caller.Dispose();
    }
}
