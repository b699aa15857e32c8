using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using AdmissionLas.Registration;
using AdmissionLas.Server;
using AdmissionLas.Webhook;

namespace AdmissionLas.TestSupport;

/// <summary>
/// A webhook on the loopback, and a client that trusts it and nothing else. It runs in this process (<see cref="RunningWebhook"/>), where a test
/// reaches its services, or in a process of its own (<see cref="WebhookProcess"/>) with its own metrics, log and memory, which gets signals.
/// </summary>
abstract class ServedWebhook : IAsyncDisposable
{
    readonly X509Certificate2 authority;
    readonly Uri health;

    protected ServedWebhook(X509Certificate2 authority, Uri webhook, Uri health)
    {
        (this.authority, this.health) = (authority, health);
        Mutate = new Uri(webhook, MutateEndpoint.Path);
        Client = new HttpClient(new SocketsHttpHandler { SslOptions = Tls() });
    }

    internal HttpClient Client { get; }

    /// <summary>Where reviews go.</summary>
    internal Uri Mutate { get; }

    /// <summary>The authority that signed its certificate, PEM.</summary>
    internal string AuthorityPem => authority.ExportCertificatePem();

    /// <summary>A path of the plain port.</summary>
    internal Uri Health(string path) => new(health, path);

    /// <summary>Another client, which shows this certificate.</summary>
    internal HttpClient ClientWith(X509Certificate2? certificate)
    {
        var tls = Tls();
        tls.ClientCertificates = certificate is null ? [] : [certificate];
        tls.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate!;
        return new HttpClient(new SocketsHttpHandler { SslOptions = tls });
    }

    /// <summary>A bare TLS connection, for what a well-behaved client would never do.</summary>
    /// <param name="protocols">The versions of TLS.</param>
    /// <param name="protocol">What is spoken on it; HTTP/1.1 without it.</param>
    internal async Task<SslStream> ConnectAsync(SslProtocols protocols = SslProtocols.None, SslApplicationProtocol? protocol = null)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, Mutate.Port);
        var stream = new SslStream(socket.GetStream());
        var tls = Tls();
        tls.EnabledSslProtocols = protocols;
        tls.ApplicationProtocols = protocol is { } spoken ? [spoken] : null;
        await stream.AuthenticateAsClientAsync(tls);
        return stream;
    }

    /// <summary>The same from another machine, as it seems, and with a thread that blocks for so long at most with each step.</summary>
    internal SslStream Connect(TimeSpan patience)
    {
        var milliseconds = (int)patience.TotalMilliseconds;
        var socket = new TcpClient(new IPEndPoint(new IPAddress([127, 0, 0, 2]), 0)) { ReceiveTimeout = milliseconds, SendTimeout = milliseconds };
        socket.Connect(IPAddress.Loopback, Mutate.Port);
        var stream = new SslStream(socket.GetStream());
        stream.AuthenticateAsClient(Tls());
        return stream;
    }

    /// <summary>Posts a body as an API server would.</summary>
    internal Task<HttpResponseMessage> PostAsync(HttpContent content, Version? version = null) => Client.SendAsync(new(HttpMethod.Post, Mutate)
    {
        Content = content,
        Version = version ?? HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    });

    /// <summary>The response member of the answer to a review of this pod.</summary>
    internal async Task<JsonObject> ReviewAsync(JsonObject pod, string uid = "a-uid", string @namespace = "kubeflow", Version? version = null)
    {
        using var response = await PostAsync(Json(SampleReview.Of(pod, uid, @namespace).ToJsonString()), version);
        response.EnsureSuccessStatusCode();
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!["response"]!.AsObject();
    }

    /// <summary>What its readiness probe says; nothing while it is not ready.</summary>
    internal async Task<string> ReadinessAsync()
    {
        try
        {
            return await Client.GetStringAsync(Health("/readyz"));
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }

    /// <summary>Its registration, as <c>register --every-pod</c> makes it.</summary>
    /// <param name="name">The registration's name.</param>
    /// <param name="port">The port that the API server calls, if another one leads here.</param>
    internal JsonObject Registration(string name, int? port = null) => RegistrationTemplate.Fill(new RegistrationChoices
    {
        Name = name,
        Address = new WebhookAddress.Url(new UriBuilder(Mutate) { Port = port ?? Mutate.Port }.Uri),
        CaBundle = Encoding.ASCII.GetBytes(AuthorityPem),
        IsEveryPod = true,
    });

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync()
    {
        Client.Dispose();
        return ValueTask.CompletedTask;
    }

    internal static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");

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

    /// <summary>The authority of the development certificate in this folder.</summary>
    protected static X509Certificate2 AuthorityIn(string folder) =>
        X509CertificateLoader.LoadCertificateFromFile(Path.Combine(folder, "ca.crt"));

    SslClientAuthenticationOptions Tls()
    {
        var tls = Trust.In([authority]);
        tls.TargetHost = "localhost";
        return tls;
    }
}
