using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Configuration;
using AdmissionLas.Registration;
using AdmissionLas.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Serilog.Events;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>
/// etcd, kube-apiserver and the default kube-scheduler with the testbed's nodes, started once by the script that users start them with;
/// and the webhook in this process, registered with that API server.
/// </summary>
public sealed class ControlPlane : IAsyncLifetime
{
    /// <summary>The name under which the webhook is registered.</summary>
    internal const string Registration = "admission-las";

    internal const string Registrations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

    readonly ControlPlaneScript script = new("admissionlas-cluster-tests");
    readonly string ownFiles = Directory.CreateTempSubdirectory("admissionlas-cluster-tests-").FullName;
    readonly DevelopmentCertificate certificate = DevelopmentCertificate.Create(DateTimeOffset.UtcNow);
    readonly ClientAuthority clients = new();
    string kubeconfig = "";
    int webhookPort;
    WebApplication? webhook;
    HttpClient? caller;
    ApiServer? api;

    internal ApiServer Api => api!;

    /// <summary>The cluster admin's.</summary>
    internal string Kubeconfig => kubeconfig;

    /// <summary>Where the webhook answers, this one or another on this machine.</summary>
    internal Uri Address(int? port = null) => new($"https://127.0.0.1:{port ?? webhookPort}{MutateEndpoint.Path}");

    /// <summary>The authority that signed the webhook's certificate, PEM.</summary>
    internal string AuthorityPem => certificate.Authority.ExportCertificatePem();

    /// <summary>The view that the running webhook answers from.</summary>
    internal ClusterState State => webhook!.Services.GetRequiredService<ClusterState>();

    /// <summary>What it is made of; a test that changes something puts it back.</summary>
    internal IServiceProvider Services => webhook!.Services;

    /// <summary>What it has counted.</summary>
    internal NodeUsageCache UsageCache => webhook!.Services.GetRequiredService<NodeUsageCache>();

    /// <summary>The common name of the certificate that the API server shows to webhooks that ask for one.</summary>
    internal const string ApiServerName = "kube-apiserver";

    public async Task InitializeAsync()
    {
        // The oldest release that is supported is newer than the one that can be built here, and counts like today's.
        kubeconfig = (await script.RunAsync("up", "--no-webhook", "--quiet", "--scheduler-weights", "today", "--admission-config", WriteAdmissionConfiguration())).Trim();
        api = new ApiServer(kubeconfig);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(certificate.Authority);
        caller = new HttpClient(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust } });
        await StartWebhookAsync();
        await RegisterAsync(Registration);
    }

    public async Task DisposeAsync()
    {
        await StopWebhookAsync();
        caller?.Dispose();
        api?.Dispose();
        await script.RunAsync("down", "--quiet");
        Directory.Delete(ownFiles, recursive: true);
    }

    /// <summary>Starts and registers a second webhook, which answers only callers of these names.</summary>
    internal async Task<IAsyncDisposable> StartWebhookForAsync(string name, params string[] allowedClients)
    {
        var (file, key) = DevelopmentCertificate.InDirectory(ownFiles, DateTimeOffset.UtcNow);
        var settings = new Dictionary<string, string?>
        {
            ["server:address"] = "127.0.0.1",
            ["server:port"] = "0",
            ["server:healthPort"] = "0",
            ["server:certificate"] = file,
            ["server:certificateKey"] = key,
            ["server:clientCa"] = Path.Combine(ownFiles, "client-ca.crt"),
        };
        foreach (var (i, client) in allowedClients.Index())
        {
            settings[$"server:allowedClients:{i}"] = client;
        }

        var server = WebhookServer.Build(
            configuration => configuration.AddInMemoryCollection(settings), ClusterSource.FromKubeconfig(kubeconfig, null), quietest: LogEventLevel.Error);
        await server.StartAsync();
        await Eventually.IsTrueAsync("the second webhook has its nodes", () =>
            Task.FromResult(server.Services.GetRequiredService<ClusterState>().Current is { Nodes.Count: > 0 }));
        await RegisterAsync(name, port: WebhookServer.WebhookAddress(server).Port, authorityPem: await File.ReadAllTextAsync(Path.Combine(ownFiles, "ca.crt")));
        return new SecondWebhook(this, name, server);
    }

    sealed class SecondWebhook(ControlPlane cluster, string name, WebApplication server) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await cluster.UnregisterAsync(name);
            await server.StopAsync(new CancellationToken(canceled: true));
            await server.DisposeAsync();
        }
    }

    /// <summary>
    /// Tells the API server which certificate to show to webhooks
    /// (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#authenticate-apiservers).
    /// </summary>
    string WriteAdmissionConfiguration()
    {
        var shown = clients.Issue(ApiServerName);
        File.WriteAllText(Path.Combine(ownFiles, "client-ca.crt"), clients.Pem);
        File.WriteAllText(Path.Combine(ownFiles, "client.crt"), shown.ExportCertificatePem());
        File.WriteAllText(Path.Combine(ownFiles, "client.key"), shown.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(ownFiles, "webhooks.kubeconfig"), $$"""
            apiVersion: v1
            kind: Config
            users:
              - name: "*"
                user: { client-certificate: {{ownFiles}}/client.crt, client-key: {{ownFiles}}/client.key }
            """);
        var file = Path.Combine(ownFiles, "admission.yaml");
        File.WriteAllText(file, $$"""
            apiVersion: apiserver.config.k8s.io/v1
            kind: AdmissionConfiguration
            plugins:
              - name: MutatingAdmissionWebhook
                configuration:
                  apiVersion: apiserver.config.k8s.io/v1
                  kind: WebhookAdmissionConfiguration
                  kubeConfigFile: {{ownFiles}}/webhooks.kubeconfig
            """);
        return file;
    }

    /// <summary>Starts the webhook on the port that is registered and waits until it is ready.</summary>
    /// <param name="apiServer">How it reaches the API server; <see langword="null"/> for directly.</param>
    /// <param name="assumeSeconds">How long it believes in a pod that nobody shows it.</param>
    internal async Task StartWebhookAsync(Uri? apiServer = null, int assumeSeconds = 60)
    {
        webhook = WebhookServer.Build(
            configuration =>
            {
                ConfigurationFile.Add(configuration, Checkout.PathOf("tests/Corpus/rules.yaml"));
                configuration.AddInMemoryCollection(new Dictionary<string, string?>
                {
                    ["server:address"] = "127.0.0.1",
                    ["server:port"] = webhookPort.ToString(CultureInfo.InvariantCulture),
                    ["server:healthPort"] = "0",
                    ["usage:assumeSeconds"] = assumeSeconds.ToString(CultureInfo.InvariantCulture),
                });
            },
            ClusterSource.FromKubeconfig(KubeconfigFor(apiServer), null),
            ServingCertificate.From(certificate),
            apiServer is null ? LogEventLevel.Warning : LogEventLevel.Error);
        await webhook.StartAsync();
        webhookPort = WebhookServer.WebhookAddress(webhook).Port;
        await Eventually.IsTrueAsync("the webhook has its first lists", () => Task.FromResult(State.Current is { Nodes.Count: > 0 } && UsageCache.IsFollowed));
    }

    /// <summary>
    /// Lets the registered webhook follow the cluster by another way, until this is disposed of; and forget sooner what never came to be,
    /// for a test would have to wait for that.
    /// </summary>
    internal async Task<IAsyncDisposable> FollowThroughAsync(Uri apiServer)
    {
        await StopWebhookAsync();
        await StartWebhookAsync(apiServer, assumeSeconds: 10);
        return new Detour(this);
    }

    sealed class Detour(ControlPlane cluster) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await cluster.StopWebhookAsync();
            await cluster.StartWebhookAsync();
        }
    }

    /// <summary>The cluster admin's kubeconfig with another address.</summary>
    internal string KubeconfigFor(Uri? apiServer)
    {
        if (apiServer is null)
        {
            return kubeconfig;
        }

        var text = Checkout.Yaml(kubeconfig);
        text["clusters"]![0]!["cluster"]!["server"] = $"{apiServer}";
        var file = Path.Combine(ownFiles, $"kubeconfig-{apiServer.Port}");
        File.WriteAllText(file, text.ToJsonString());
        return file;
    }

    internal async Task StopWebhookAsync()
    {
        if (webhook is not null)
        {
            await webhook.StopAsync(new CancellationToken(canceled: true));
            await webhook.DisposeAsync();
            webhook = null;
        }
    }

    /// <summary>What the webhook's readiness probe says.</summary>
    internal async Task<string> ReadinessAsync() => await caller!.GetStringAsync(new Uri(WebhookServer.HealthAddress(webhook!), "/readyz"));

    /// <summary>Asks the webhook itself, without the API server.</summary>
    internal async Task<JsonObject> ReviewAsync(JsonObject pod)
    {
        using var content = new StringContent(SampleReview.Of(pod, "direct").ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await caller!.PostAsync(Address(), content);
        response.EnsureSuccessStatusCode();
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!["response"]!.AsObject();
    }

    /// <summary>Registers the webhook as <c>admission-las register --every-pod</c> does.</summary>
    internal Task RegisterAsync(string name, string[]? reviewVersions = null, int? port = null, string? authorityPem = null)
    {
        var registration = RegistrationTemplate.Fill(new RegistrationChoices
        {
            Name = name,
            Address = new WebhookAddress.Url(Address(port)),
            CaBundle = Encoding.ASCII.GetBytes(authorityPem ?? AuthorityPem),
            IsEveryPod = true,
        });
        if (reviewVersions is not null)
        {
            registration["webhooks"]![0]!["admissionReviewVersions"] = new JsonArray([.. reviewVersions.Select(v => JsonValue.Create(v))]);
        }

        return Api.CreateAsync(Registrations, registration);
    }

    internal Task UnregisterAsync(string name) => Api.DeleteAsync($"{Registrations}/{name}");

    internal Task KillApiServerAsync() => script.RunAsync("stop", "apiserver", "--kill", "--quiet");

    internal Task StartApiServerAsync() => script.RunAsync("start", "apiserver", "--quiet");

    /// <summary>A namespace whose pods come to the webhook; its pods are gone when it is disposed of.</summary>
    /// <param name="name">Its name, where it matters; it may be there already.</param>
    internal async Task<TestNamespace> CreateNamespaceAsync(string? name = null)
    {
        name ??= $"test-{Guid.NewGuid():N}"[..20];
        var (status, body) = await Api.TryCreateAsync("/api/v1/namespaces", new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = new JsonObject { ["admissionlas.io/inject"] = "enabled" } },
        });
        Assert.True(status is HttpStatusCode.Created or HttpStatusCode.Conflict, $"{body["message"]}");
        return new TestNamespace(Api, name, SettleAsync);
    }

    // The next test's pods are placed by what the webhook knows: it should know that the last test's are gone.
    async Task SettleAsync()
    {
        if (webhook is not null)
        {
            await Eventually.IsTrueAsync("the webhook has seen the pods go", async () =>
            {
                var pods = (await Api.GetAsync("/api/v1/pods"))["items"]!.AsArray().Count(p => p!["spec"]!["nodeName"] is not null);
                return UsageCache.Count - UsageCache.AssumedCount <= pods;
            });
        }
    }
}

/// <summary>All cluster tests share one control plane, one test at a time: nodes belong to everybody.</summary>
[CollectionDefinition(Name)]
public sealed class ControlPlaneCollection : ICollectionFixture<ControlPlane>
{
    internal const string Name = "control plane";
}
