using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Server;

namespace AdmissionLas.Tests.Support;

/// <summary>
/// The program's <c>serve</c> as a process of its own. Instruments and trace sources go by name and are shared by all servers of one process;
/// what is counted here is this server's alone.
/// </summary>
sealed class ServedProcess : IAsyncDisposable
{
    readonly DirectoryInfo files;
    readonly Tool process;
    readonly int port;
    readonly int healthPort;

    ServedProcess(DirectoryInfo files, Tool process, int port, int healthPort)
    {
        (this.files, this.process, this.port, this.healthPort) = (files, process, port, healthPort);
        Plain = new HttpClient { BaseAddress = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{healthPort}")) };
    }

    /// <summary>A client for the plain port.</summary>
    internal HttpClient Plain { get; }

    /// <summary>A client for the TLS port, which trusts its certificate and nothing else.</summary>
    internal HttpClient Client { get; private set; } = new();

    /// <summary>Host and port of the plain port.</summary>
    internal string HealthTarget => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{healthPort}");

    /// <summary>What it has logged.</summary>
    internal string Log => process.Log;

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <param name="api">The API server that it follows; <see langword="null"/> for the nodes of the testbed.</param>
    /// <param name="environment">Environment variables.</param>
    /// <param name="arguments">Further arguments.</param>
    internal static async Task<ServedProcess> StartAsync(FakeApiServer? api = null, Dictionary<string, string>? environment = null, string[]? arguments = null)
    {
        var files = Directory.CreateTempSubdirectory("admissionlas-served-");
        var ports = FreePorts.Find(2);
        var kubeconfig = Path.Combine(files.FullName, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, $$"""
            apiVersion: v1
            kind: Config
            current-context: here
            contexts: [{ name: here, context: { cluster: here, user: me } }]
            clusters: [{ name: here, cluster: { server: "{{api?.Address}}" } }]
            users: [{ name: me, user: { token: none } }]
            """);
        string[] source = api is null ? ["--snapshot", Checkout.PathOf("manifests/testbed/nodes.yaml")] : ["--kubeconfig", kubeconfig];
        var process = Tool.Start(
            "dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "admission-las.dll"), "serve", .. source, "--dev-certificate", files.FullName,
                "--port", ports[0].ToString(CultureInfo.InvariantCulture), "--health-port", ports[1].ToString(CultureInfo.InvariantCulture), .. arguments ?? [],
            ],
            environment);
        var served = new ServedProcess(files, process, ports[0], ports[1]);
        try
        {
            await Eventually.IsTrueAsync("the server is ready", served.IsReadyAsync);
        }
        catch (TimeoutException fault)
        {
            await served.DisposeAsync();
            throw new TimeoutException($"{fault.Message}\n{served.Log}");
        }

        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(Path.Combine(files.FullName, "ca.crt")));
        served.Client = new HttpClient(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust } });
        return served;
    }

    /// <summary>The response member of the answer to a review of this pod.</summary>
    internal async Task<JsonObject> ReviewAsync(JsonObject pod, string uid = "a-uid", string? traceParent = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Mutate) { Content = RunningWebhook.Json(SampleReview.Of(pod, uid).ToJsonString()) };
        if (traceParent is not null)
        {
            request.Headers.Add("traceparent", traceParent);
        }

        using var response = await Client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!["response"]!.AsObject();
    }

    /// <summary>Where reviews go.</summary>
    internal Uri Mutate => new(string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{port}{MutateEndpoint.Path}"));

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        Plain.Dispose();
        Client.Dispose();
        files.Delete(recursive: true);
    }

    async Task<bool> IsReadyAsync()
    {
        Assert.False(process.HasExited, Log);
        try
        {
            using var response = await Plain.GetAsync(new Uri("/readyz", UriKind.Relative));
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
