using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Configuration;
using AdmissionLas.Page;
using AdmissionLas.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Serilog.Events;

namespace AdmissionLas.Tests.Support;

/// <summary>The real server on free loopback ports, and a client that trusts it and nothing else.</summary>
sealed class RunningWebhook : IAsyncDisposable
{
    readonly WebApplication app;
    readonly SslClientAuthenticationOptions tls;

    RunningWebhook(WebApplication app, DevelopmentCertificate certificate)
    {
        this.app = app;
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(certificate.Authority);
        tls = new SslClientAuthenticationOptions { CertificateChainPolicy = trust, TargetHost = "localhost" };
        Client = new HttpClient(new SocketsHttpHandler { SslOptions = tls });
    }

    internal HttpClient Client { get; }

    internal IServiceProvider Services => app.Services;

    /// <summary>Another client, which shows this certificate.</summary>
    internal HttpClient ClientWith(X509Certificate2? certificate) => new(new SocketsHttpHandler
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = tls.CertificateChainPolicy,
            TargetHost = tls.TargetHost,
            ClientCertificates = certificate is null ? [] : [certificate],
            LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!,
        },
    });

    internal Uri Mutate => new(WebhookServer.WebhookAddress(app), MutateEndpoint.Path);

    /// <summary>The operator's page; <see langword="null"/> when it is off.</summary>
    internal Uri? Page => PageHosting.Address(app);

    internal Uri Health(string path) => new(WebhookServer.HealthAddress(app), path);

    /// <summary>Starts the server over the embedded testbed.</summary>
    /// <param name="settings">Configuration beside the addresses.</param>
    /// <param name="source">Other nodes than the testbed's.</param>
    /// <param name="file">A configuration file.</param>
    /// <param name="certificates">Serve from files in this directory instead of from memory.</param>
    internal static async Task<RunningWebhook> StartAsync(
        Dictionary<string, string?>? settings = null, ClusterSource? source = null, string? file = null, string? certificates = null)
    {
        var certificate = DevelopmentCertificate.Create(DateTimeOffset.UtcNow);
        settings ??= [];
        if (certificates is not null)
        {
            (settings["server:certificate"], settings["server:certificateKey"]) = DevelopmentCertificate.InDirectory(certificates, DateTimeOffset.UtcNow);
            certificate = certificate with { Authority = X509CertificateLoader.LoadCertificateFromFile(Path.Combine(certificates, "ca.crt")) };
        }

        var app = WebhookServer.Build(
            configuration =>
            {
                if (file is not null)
                {
                    ConfigurationFile.Add(configuration, file);
                }

                configuration.AddInMemoryCollection(new Dictionary<string, string?>(settings)
                {
                    ["server:address"] = "127.0.0.1",
                    ["server:port"] = "0",
                    ["server:healthPort"] = "0",
                });
            },
            source ?? ClusterSource.Embedded(),
            certificates is null ? ServingCertificate.From(certificate) : null,
            LogEventLevel.Fatal);
        await app.StartAsync();
        return new RunningWebhook(app, certificate);
    }

    /// <summary>Posts a body as an API server would.</summary>
    internal Task<HttpResponseMessage> PostAsync(HttpContent content, Version? version = null) => Client.SendAsync(new HttpRequestMessage(HttpMethod.Post, Mutate)
    {
        Content = content,
        Version = version ?? HttpVersion.Version20,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    });

    /// <summary>The response member of the answer to a review of this pod.</summary>
    internal async Task<JsonObject> ReviewAsync(JsonObject pod, Version? version = null)
    {
        using var response = await PostAsync(Json(SampleReview.Of(pod, "a-uid").ToJsonString()), version);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!["response"]!.AsObject();
    }

    internal static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

    /// <summary>A bare TLS connection that speaks HTTP/1.1, for what a well-behaved client would never do.</summary>
    internal async Task<SslStream> ConnectAsync(SslProtocols protocols = SslProtocols.None)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, Mutate.Port);
        var stream = new SslStream(socket.GetStream());
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = tls.CertificateChainPolicy,
            TargetHost = tls.TargetHost,
            EnabledSslProtocols = protocols,
        });
        return stream;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        // Requests that a test leaves hanging are not waited for.
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
    }

    /// <summary>A predict step for a location, written as small as it can be.</summary>
    internal static JsonObject Predict(string location) => new()
    {
        ["metadata"] = new JsonObject
        {
            ["generateName"] = "step-",
            ["labels"] = new JsonObject { ["typeOfComponent"] = "Predict", ["OurLocation"] = location },
        },
        ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "main" }) },
    };
}
