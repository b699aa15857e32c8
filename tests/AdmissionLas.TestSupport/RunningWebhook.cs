using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Configuration;
using AdmissionLas.Kubernetes;
using AdmissionLas.Page;
using AdmissionLas.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Serilog.Events;

namespace AdmissionLas.TestSupport;

/// <summary>The real server in this process.</summary>
sealed class RunningWebhook : ServedWebhook
{
    readonly WebApplication app;

    RunningWebhook(WebApplication app, X509Certificate2 authority)
        : base(authority, WebhookServer.WebhookAddress(app), WebhookServer.HealthAddress(app)) =>
        this.app = app;

    internal IServiceProvider Services => app.Services;

    /// <summary>The view that it answers from.</summary>
    internal ClusterState State => Services.GetRequiredService<ClusterState>();

    /// <summary>What it has counted.</summary>
    internal NodeUsageCache UsageCache => Services.GetRequiredService<NodeUsageCache>();

    /// <summary>The operator's page; <see langword="null"/> when it is off.</summary>
    internal Uri? Page => PageHosting.Address(app);

    /// <summary>Starts the server over the embedded testbed.</summary>
    /// <param name="settings">Configuration; without it the ports are free ones of the loopback.</param>
    /// <param name="source">Other nodes than the testbed's.</param>
    /// <param name="file">A configuration file.</param>
    /// <param name="certificates">Serve from files in this directory instead of from memory.</param>
    /// <param name="certificate">A certificate that must outlive this server.</param>
    /// <param name="quietest">The lowest level that is logged.</param>
    internal static async Task<RunningWebhook> StartAsync(
        Dictionary<string, string?>? settings = null, ClusterSource? source = null, string? file = null, string? certificates = null,
        DevelopmentCertificate? certificate = null, LogEventLevel quietest = LogEventLevel.Fatal)
    {
        settings = new(settings ?? []);
        settings.TryAdd("server:address", "127.0.0.1");
        settings.TryAdd("server:port", "0");
        settings.TryAdd("server:healthPort", "0");
        certificate ??= DevelopmentCertificate.Create(DateTimeOffset.UtcNow);
        if (certificates is not null)
        {
            (settings["server:certificate"], settings["server:certificateKey"]) = DevelopmentCertificate.InDirectory(certificates, DateTimeOffset.UtcNow);
            certificate = certificate with { Authority = AuthorityIn(certificates) };
        }

        var app = WebhookServer.Build(
            configuration =>
            {
                if (file is not null)
                {
                    ConfigurationFile.Add(configuration, file);
                }

                configuration.AddInMemoryCollection(settings);
            },
            source ?? ClusterSource.Embedded(),
            settings.ContainsKey("server:certificate") ? null : ServingCertificate.From(certificate),
            quietest);
        await app.StartAsync();
        return new RunningWebhook(app, certificate.Authority);
    }

    /// <summary>The same on an API server, once it has its first lists of nodes and pods.</summary>
    internal static async Task<RunningWebhook> FollowAsync(
        string kubeconfig, Dictionary<string, string?>? settings = null, string? file = null, string? certificates = null,
        DevelopmentCertificate? certificate = null, LogEventLevel quietest = LogEventLevel.Error)
    {
        var webhook = await StartAsync(settings, ClusterSource.FromKubeconfig(kubeconfig, null), file, certificates, certificate, quietest);
        await Eventually.IsTrueAsync("the webhook has its first lists", () =>
            Task.FromResult(webhook.State.Current is not null && webhook.UsageCache.IsFollowed));
        return webhook;
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        // Requests that a test leaves hanging are not waited for.
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
    }
}
