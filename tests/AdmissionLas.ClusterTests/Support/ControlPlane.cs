using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Registration;
using AdmissionLas.Server;
using Serilog.Events;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>
/// etcd, kube-apiserver and the default kube-scheduler with the testbed's nodes, started once by the script that users start them with;
/// and the webhook in this process, registered with that API server.
/// </summary>
public sealed class ControlPlane : IAsyncLifetime
{
    /// <summary>The name under which the webhook is registered.</summary>
    internal const string Registration = ObjectNames.Registration;

    internal const string Registrations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

    readonly ControlPlaneScript script = new("admissionlas-cluster-tests");
    readonly string ownFiles = Directory.CreateTempSubdirectory("admissionlas-cluster-tests-").FullName;
    readonly DevelopmentCertificate certificate = DevelopmentCertificate.Create(DateTimeOffset.UtcNow);
    readonly ClientAuthority clients = new();
    int webhookPort;
    RunningWebhook? webhook;
    ApiServer? api;

    internal ApiServer Api => api!;

    /// <summary>The cluster admin's.</summary>
    internal string Kubeconfig { get; private set; } = "";

    /// <summary>The webhook that is registered; a test that changes something in it puts it back.</summary>
    internal RunningWebhook Webhook => webhook!;

    /// <summary>The view that the running webhook answers from.</summary>
    internal ClusterState State => Webhook.State;

    /// <summary>What it has counted.</summary>
    internal NodeUsageCache UsageCache => Webhook.UsageCache;

    /// <summary>The common name of the certificate that the API server shows to webhooks that ask for one.</summary>
    internal const string ApiServerName = "kube-apiserver";

    public async Task InitializeAsync()
    {
        // The oldest release that is supported is newer than the one that can be built here, and counts like today's.
        Kubeconfig = (await script.RunAsync("up", "--no-webhook", "--quiet", "--scheduler-weights", "today", "--admission-config", WriteAdmissionConfiguration())).Trim();
        api = new ApiServer(Kubeconfig);
        await StartWebhookAsync();
        await RegisterAsync();
    }

    public async Task DisposeAsync()
    {
        await StopWebhookAsync();
        api?.Dispose();
        await script.RunAsync("down", "--quiet");
        Directory.Delete(ownFiles, recursive: true);
    }

    /// <summary>Starts another webhook, which answers only callers of these names, and registers it in place of the first.</summary>
    internal async Task<RunningWebhook> StartWebhookForAsync(params string[] allowedClients)
    {
        var settings = new Dictionary<string, string?> { ["server:clientCa"] = Path.Combine(ownFiles, "client-ca.crt") };
        foreach (var (i, client) in allowedClients.Index())
        {
            settings[$"server:allowedClients:{i}"] = client;
        }

        var other = await RunningWebhook.FollowAsync(Kubeconfig, settings, certificates: ownFiles);
        await UnregisterAsync();
        await RegisterAsync(other);
        return other;
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
        var configuration = new AdmissionConfiguration(ownFiles, $"{ownFiles}/client.crt", $"{ownFiles}/client.key", "*");
        File.WriteAllText(configuration.KubeconfigFile, configuration.Kubeconfig);
        File.WriteAllText(configuration.AdmissionFile, configuration.Admission);
        return configuration.AdmissionFile;
    }

    /// <summary>Starts the webhook on the port that is registered and waits until it is ready.</summary>
    /// <param name="apiServer">How it reaches the API server; <see langword="null"/> for directly.</param>
    /// <param name="assumeSeconds">How long it believes in a pod that no watch shows it.</param>
    internal async Task StartWebhookAsync(Uri? apiServer = null, int assumeSeconds = 60)
    {
        webhook = await RunningWebhook.FollowAsync(
            KubeconfigFor(apiServer),
            new()
            {
                ["server:port"] = webhookPort.ToString(CultureInfo.InvariantCulture),
                ["usage:assumeSeconds"] = assumeSeconds.ToString(CultureInfo.InvariantCulture),
            },
            Checkout.PathOf("tests/Corpus/rules.yaml"),
            certificate: certificate,
            quietest: apiServer is null ? LogEventLevel.Warning : LogEventLevel.Error);
        webhookPort = webhook.Mutate.Port;
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
            return Kubeconfig;
        }

        var text = Checkout.Yaml(Kubeconfig);
        text["clusters"]![0]!["cluster"]!["server"] = $"{apiServer}";
        var file = Path.Combine(ownFiles, $"kubeconfig-{apiServer.Port}");
        File.WriteAllText(file, text.ToJsonString());
        return file;
    }

    internal async Task StopWebhookAsync()
    {
        if (webhook is not null)
        {
            await webhook.DisposeAsync();
            webhook = null;
        }
    }

    /// <summary>Registers the webhook as <c>admission-las register --every-pod</c> does.</summary>
    /// <param name="other">Another webhook in its place.</param>
    /// <param name="port">The port that the API server calls, if another one leads there.</param>
    internal Task RegisterAsync(ServedWebhook? other = null, int? port = null) =>
        Api.CreateAsync(Registrations, (other ?? Webhook).Registration(Registration, port));

    internal Task UnregisterAsync(string name = Registration) => Api.DeleteAsync($"{Registrations}/{name}");

    /// <summary>Registers the webhook again, after a test has had its own registration in its place.</summary>
    internal async Task RestoreRegistrationAsync()
    {
        await UnregisterAsync();
        await RegisterAsync();
        await using var ns = await CreateNamespaceAsync();
        await ns.WebhookIsCalledAsync();
    }

    /// <summary>Lets new pods wait, until this is disposed of.</summary>
    internal async Task<IAsyncDisposable> StopSchedulerAsync()
    {
        await script.RunAsync("stop", "scheduler", "--quiet");
        return new StoppedScheduler(script);
    }

    sealed class StoppedScheduler(ControlPlaneScript script) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await script.RunAsync("start", "scheduler", "--quiet");
    }

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

/// <summary>All cluster tests share one control plane, one test at a time: all of them use the nodes.</summary>
[CollectionDefinition(Name)]
public sealed class ControlPlaneCollection : ICollectionFixture<ControlPlane>
{
    internal const string Name = "control plane";
}
