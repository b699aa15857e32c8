using System.CommandLine;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using AdmissionLas.Configuration;
using AdmissionLas.Page;
using AdmissionLas.Server;
using Serilog.Events;
using Spectre.Console;

namespace AdmissionLas.Cli;

/// <summary>
/// <c>admission-las demo</c>: runs the server on loopback with the embedded testbed and calls it over TLS as the API server does.
/// </summary>
static class DemoCommand
{
    static readonly string[] Pipeline =
        ["data-fetching", "training", "predict-nitos-cloud", "predict-nitlab-edge", "predict-home-edge", "evaluation"];

    const int WidthWhenPiped = 200;

    static readonly Option<bool> WithPage = new("--page") { Description = "Serve the web page until Ctrl+C" };

    internal static Command Create()
    {
        var command = new Command(
            "demo", "Send the steps of a Kubeflow pipeline through the webhook over an embedded cluster and show what it decides. Needs no cluster.")
        {
            WithPage,
        };
        command.SetAction((arguments, stop) => RunAsync(arguments.GetValue(WithPage), stop));
        return command;
    }

    static async Task<int> RunAsync(bool withPage, CancellationToken stop)
    {
        var certificate = DevelopmentCertificate.Create(DateTimeOffset.UtcNow);
        await using var app = WebhookServer.Build(
            configuration => configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["server:address"] = "127.0.0.1",
                ["server:port"] = "0",
                ["server:healthPort"] = "0",
                ["server:drainSeconds"] = "0",
                ["page:enabled"] = withPage ? "true" : "false",
                ["page:port"] = "0",
            }),
            ClusterSource.Embedded(),
            ServingCertificate.From(certificate),
            LogEventLevel.Warning);
        await app.StartAsync(stop).ConfigureAwait(false);

        using var client = Client(certificate);
        var address = new Uri(WebhookServer.WebhookAddress(app), MutateEndpoint.Path);
        var table = new Table().RoundedBorder().AddColumns("Step", "Type", "Location", "Node", "Latency", "Patched", "Why");
        foreach (var step in Pipeline)
        {
            table.AddRow(Row(step, await ReviewAsync(client, address, step, stop).ConfigureAwait(false)));
        }

        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = WidthWhenPiped;
        }

        AnsiConsole.Write(table);
        AnsiConsole.MarkupLineInterpolated($"Answered by {address} from {app.Services.GetRequiredService<ClusterState>().Current!.Nodes.Count} embedded nodes. On a cluster: admission-las serve --help");
        if (PageHosting.Address(app) is { } page)
        {
            AnsiConsole.MarkupLineInterpolated($"The page is at {page} until Ctrl+C.");
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await app.StopAsync(CancellationToken.None).ConfigureAwait(false);
        return ExitCodes.Ok;
    }

    /// <summary>A client that trusts the demo's own authority and nothing else, as the API server does by the registration's caBundle.</summary>
    static HttpClient Client(DevelopmentCertificate certificate)
    {
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(certificate.Authority);
        return new HttpClient(new SocketsHttpHandler { SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust } });
    }

    static async Task<JsonObject> ReviewAsync(HttpClient client, Uri address, string step, CancellationToken stop)
    {
        using var text = EmbeddedFiles.Open($"samples/{step}.yaml");
        var pod = JsonObject.Create(YamlJson.ReadObjects(text)[0])!;
        var review = SampleReview.Of(pod, Guid.NewGuid().ToString());
        using var content = new StringContent(review.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        using var response = await client.PostAsync(address, content, stop).ConfigureAwait(false);
        response.EnsureSuccessStatusCode();
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(stop).ConfigureAwait(false))!["response"]!.AsObject();
    }

    static Markup[] Row(string step, JsonObject response)
    {
        var audit = response["auditAnnotations"] as JsonObject;
        string?[] cells =
        [
            step,
            Audit("type") ?? "other",
            Audit("location") ?? "-",
            Audit("node") ?? "any",
            Audit("latency-ms") is { } latency ? $"{latency} ms" : "-",
            Patched(response["patch"]?.GetValue<string>()),
            Audit("decision") ?? "no step that is placed: untouched",
        ];
        return [.. cells.Select(c => new Markup(Markup.Escape(c!)))];

        string? Audit(string key) => audit?[key]?.GetValue<string>();
    }

    /// <summary>The paths of the patch in short.</summary>
    static string Patched(string? patch)
    {
        if (patch is null)
        {
            return "nothing";
        }

        using var operations = JsonDocument.Parse(Convert.FromBase64String(patch));
        var changed = operations.RootElement.EnumerateArray().Select(o => o.GetProperty("path").GetString()!).Select(path =>
            path.StartsWith("/metadata/annotations", StringComparison.Ordinal) ? "annotation"
            : path.StartsWith("/spec/affinity", StringComparison.Ordinal) ? "node affinity"
            : path.StartsWith("/spec/topologySpreadConstraints", StringComparison.Ordinal) ? "spread"
            : "requests");
        return string.Join(", ", changed.Distinct());
    }
}
