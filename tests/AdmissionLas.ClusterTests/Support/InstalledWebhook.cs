using System.Net.Sockets;
using AdmissionLas.Certificates;
using k8s;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>
/// The manifests' webhook on the real API server, as <c>kubectl apply -k</c> installs it. No kubelet and no kube-proxy run here, so their part
/// is played: the replicas are servers in this process with a Pod object each, their certificate files follow the Secret as a volume does,
/// and the Service leads to a forwarder. The API server calls the service's name and trusts what the registration says.
/// </summary>
sealed class InstalledWebhook : IAsyncDisposable
{
    internal const string Namespace = "admission-las";
    internal const string Host = "admission-las.admission-las.svc";
    const string Registration = $"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{ObjectNames.Registration}";

    internal static readonly CertificatePolicy Policy = new()
    {
        Subject = $"CN={Host}",
        AuthoritySubject = "CN=AdmissionLas CA",
        DnsNames = [Host, $"{Host}.cluster.local"],
        ServingLifetime = TimeSpan.FromDays(90),
        AuthorityLifetime = TimeSpan.FromDays(1826),
    };

    /// <summary>Everything on this machine is quicker than in a cluster.</summary>
    internal static readonly RotationTimings Timings = new(TrustDelay: TimeSpan.FromSeconds(1), ReplicaPatience: TimeSpan.FromMinutes(1), Poll: TimeSpan.FromMilliseconds(100));

    readonly ControlPlane cluster;
    readonly DirectoryInfo files = Directory.CreateTempSubdirectory("admissionlas-installed-");
    readonly ServiceForwarder forwarder = new(TimeSpan.FromMilliseconds(200));
    readonly CancellationTokenSource stop = new();
    readonly List<Task> kubelets = [];
    readonly List<RunningWebhook> servers = [];
    InstalledOverlay? overlay;

    InstalledWebhook(ControlPlane cluster) => this.cluster = cluster;

    /// <summary>Where each replica listens.</summary>
    internal IReadOnlyList<IPEndPoint> Replicas { get; private set; } = [];

    internal static async Task<InstalledWebhook> InstallAsync(ControlPlane cluster)
    {
        var installed = new InstalledWebhook(cluster);
        try
        {
            installed.Replicas = FreeEndpoints();
            installed.overlay = await InstalledOverlay.ApplyAsync(cluster, installed.Localized(await Overlay.RenderAsync("default")));
            foreach (var (i, replica) in installed.Replicas.Index())
            {
                await installed.CreatePodAsync(await Overlay.RenderAsync("default"), $"admission-las-{i}", replica.Address);
                installed.kubelets.Add(installed.RunReplicaAsync(i, replica));
            }

            return installed;
        }
        catch
        {
            await installed.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a rotation as the certificate jobs do, with an admin's rights.</summary>
    internal Task<RotationOutcome> RotateAsync(RotationGoal goal, Action<string>? tell = null) => RotateAsync(cluster.Kubeconfig, goal, tell);

    internal static async Task<RotationOutcome> RotateAsync(string kubeconfig, RotationGoal goal, Action<string>? tell = null, RotationTimings? timings = null)
    {
        using var api = new KubeApi(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig), TimeProvider.System);
        var rotation = new Rotation(
            new SecretCertificateStore(api, Namespace, TimeProvider.System), new WebhookCaBundleStore(api, ObjectNames.Registration), Policy, timings ?? Timings, TimeProvider.System, tell ?? (_ => { }));
        return await rotation.RunAsync(goal, CancellationToken.None);
    }

    /// <summary>The first certificate, and replicas that serve it.</summary>
    internal async Task StartAsync()
    {
        Assert.Equal(RotationOutcome.Done, await RotateAsync(RotationGoal.Complete));
        await Eventually.IsTrueAsync("both replicas are ready", () => Task.FromResult(forwarder.ReadyCount == Replicas.Count));
    }

    /// <summary>The authorities that the API server trusts; a broken bundle is none.</summary>
    internal async Task<TrustBundle?> TrustedAsync()
    {
        var webhooks = (await cluster.Api.GetAsync(Registration))["webhooks"]!.AsArray();
        var texts = webhooks.Select(w => w!["clientConfig"]!["caBundle"]?.GetValue<string>() ?? "").Distinct();
        return TrustBundle.Read(Encoding.UTF8.GetString(Convert.FromBase64String(Assert.Single(texts))));
    }

    /// <summary>Writes this into every entry of the registration, as a stranger might.</summary>
    internal async Task OverwriteTrustAsync(string pem)
    {
        var webhooks = (await cluster.Api.GetAsync(Registration))["webhooks"]!.DeepClone().AsArray();
        foreach (var webhook in webhooks)
        {
            webhook!["clientConfig"]!["caBundle"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(pem));
        }

        await cluster.Api.MergePatchAsync(Registration, new JsonObject { ["webhooks"] = webhooks });
    }

    internal Task DeleteSecretAsync(string name) => cluster.Api.DeleteAsync($"/api/v1/namespaces/{Namespace}/secrets/{name}");

    internal async Task<CertificateFacts> StoredCertificateAsync() => CertificateFacts.Of(Encoding.UTF8.GetString(
        Convert.FromBase64String((await cluster.Api.GetAsync($"/api/v1/namespaces/{Namespace}/secrets/admission-las-tls"))["data"]!["tls.crt"]!.GetValue<string>())));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(kubelets);
        foreach (var server in servers)
        {
            await server.DisposeAsync();
        }

        await forwarder.DisposeAsync();
        if (overlay is not null)
        {
            // At once: without a kubelet nothing confirms that they have ended.
            await cluster.Api.DeleteAsync($"/api/v1/namespaces/{Namespace}/pods");
            await overlay.DisposeAsync();
        }

        files.Delete(recursive: true);
        stop.Dispose();
    }

    // Each replica has an address of its own on the loopback, and all have the same port, as pods do.
    static IPEndPoint[] FreeEndpoints()
    {
        using var probe = new TcpListener(IPAddress.Parse("127.0.0.2"), 0);
        probe.Start();
        var port = ((IPEndPoint)probe.LocalEndpoint).Port;
        return [new(IPAddress.Parse("127.0.0.2"), port), new(IPAddress.Parse("127.0.0.3"), port)];
    }

    /// <summary>The overlay as it is, but the Service leads to the forwarder.</summary>
    Overlay Localized(Overlay rendered) => rendered with
    {
        Objects = [.. rendered.Objects.Select(o => o.DeepClone().AsObject().With(changed =>
        {
            switch (Overlay.KindOf(changed))
            {
                case "Service":
                    changed["spec"]!["type"] = "ExternalName";
                    changed["spec"]!["externalName"] = "localhost";
                    changed["spec"]!["ports"]![0]!["port"] = forwarder.Port;
                    changed["spec"]!["ports"]![0]!["targetPort"] = Replicas[0].Port;
                    break;
                case "MutatingWebhookConfiguration":
                    foreach (var webhook in changed["webhooks"]!.AsArray())
                    {
                        webhook!["clientConfig"]!["service"]!["port"] = forwarder.Port;
                    }

                    break;
            }
        }))],
    };

    /// <summary>The Pod object that the Deployment's controller would make, as a kubelet would report it.</summary>
    async Task CreatePodAsync(Overlay rendered, string name, IPAddress address)
    {
        var pod = rendered.WebhookPod.DeepClone().AsObject();
        pod["metadata"]!["name"] = name;
        pod["spec"]!["nodeName"] = "nitos-cloud-node";
        await cluster.Api.CreateAsync($"/api/v1/namespaces/{Namespace}/pods", pod);
        await cluster.Api.MergePatchAsync($"/api/v1/namespaces/{Namespace}/pods/{name}/status", new JsonObject
        {
            ["status"] = new JsonObject
            {
                ["phase"] = "Running",
                ["podIP"] = address.ToString(),
                ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = address.ToString() }),
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
            },
        });
    }

    /// <summary>Keeps the replica's files as the Secret is, and starts it when they are there for the first time.</summary>
    async Task RunReplicaAsync(int number, IPEndPoint endpoint)
    {
        var volume = new DirectoryCertificateStore(Path.Combine(files.FullName, $"replica-{number}"));
        using var api = new KubeApi(KubernetesClientConfiguration.BuildConfigFromConfigFile(cluster.Kubeconfig), TimeProvider.System);
        var secret = new SecretCertificateStore(api, Namespace, TimeProvider.System);
        string? mounted = null;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                // A volume keeps the last files of a Secret that was deleted.
                if (await secret.ReadAsync(CertificateGroup.Serving, stop.Token) is { } texts && texts["tls.crt"] != mounted)
                {
                    await volume.WriteAsync(CertificateGroup.Serving, texts, stop.Token);
                    if (mounted is null)
                    {
                        await StartServerAsync(volume.PlaceOf(CertificateGroup.Serving), endpoint);
                    }

                    mounted = texts["tls.crt"];
                }

                // Replicas never learn of a change at the same moment.
                await Task.Delay(TimeSpan.FromMilliseconds(150 + 200 * number), stop.Token);
            }
            catch (Exception fault) when (fault is OperationCanceledException or HttpRequestException)
            {
            }
        }
    }

    async Task StartServerAsync(string certificates, IPEndPoint endpoint)
    {
        var server = await RunningWebhook.FollowAsync(cluster.Kubeconfig, new()
        {
            ["server:address"] = endpoint.Address.ToString(),
            ["server:port"] = endpoint.Port.ToString(CultureInfo.InvariantCulture),
            ["server:certificate"] = Path.Combine(certificates, "tls.crt"),
            ["server:certificateKey"] = Path.Combine(certificates, "tls.key"),
            ["server:certificateReloadSeconds"] = "1",
        });
        servers.Add(server);
        forwarder.Add(endpoint, server.Health("/readyz"));
    }
}
