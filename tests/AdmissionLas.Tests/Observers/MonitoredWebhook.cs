using Microsoft.AspNetCore.Http;
using static AdmissionLas.Tests.Support.FakeApiServer;

namespace AdmissionLas.Tests.Observers;

/// <summary>
/// A server that has seen a bit of everything that its metrics tell of, and a Prometheus that scrapes it: made once for all tests that only look.
/// </summary>
public sealed class MonitoredWebhook : IAsyncLifetime
{
    const int BodyLimitBytes = 64 * 1024;

    readonly DirectoryInfo files = Directory.CreateTempSubdirectory("admissionlas-monitored-");
    readonly CancellationTokenSource stop = new();
    FakeApiServer? api;
    WebhookProcess? server;
    Prometheus? prometheus;
    Task traffic = Task.CompletedTask;

    internal Prometheus Prometheus => prometheus!;

    internal WebhookProcess Server => server!;

    public async Task InitializeAsync()
    {
        try
        {
            await StartAsync();
        }
        // A fixture that could not be made is not disposed of.
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    async Task StartAsync()
    {
        api = await FakeApiServer.StartAsync();
        api.Pods = http => http.Request.Query.ContainsKey("watch") ? RunStepsAsync(http) : List("1", null)(http);
        api.Namespaces = http => (http.Request.Query.ContainsKey("watch")
            ? Watch(staysOpen: true) : List("1", null, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "team" } }))(http);
        // The first watch ends at once, so that one is opened again.
        api.OnList(List("1", null, Node("near", "1ms", isReady: false), Node("next", "5ms"), Node("far", "80ms")))
            .OnWatch(Watch(staysOpen: false, Bookmark("2")))
            .OnWatch(Watch(staysOpen: true));
        server = await WebhookProcess.StartAsync(
            ["--kubeconfig", Kubeconfig.Write(files.FullName, api.Address)],
            new() { ["ADMISSION_LAS_SERVER__BODYLIMITBYTES"] = $"{BodyLimitBytes}", ["ADMISSION_LAS_SERVER__HTTP2"] = "true", ["ADMISSION_LAS_LOGGING__LEVEL"] = "Error" });
        await SendAsync();
        prometheus = await Prometheus.StartAsync(server.Health("").Authority);
        traffic = KeepSendingAsync();
    }

    public async Task DisposeAsync()
    {
        await stop.CancelAsync();
        await traffic;
        stop.Dispose();
        await (prometheus?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (server?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (api?.DisposeAsync() ?? ValueTask.CompletedTask);
        files.Delete(recursive: true);
    }

    /// <summary>A step of each kind, and a request that is refused.</summary>
    async Task SendAsync()
    {
        await server!.ReviewAsync(RunningWebhook.Predict("HERE"));
        await server.ReviewAsync(RunningWebhook.Predict("THERE"));
        await server.ReviewAsync(RunningWebhook.Predict("NOWHERE-AT-ALL"));
        var training = RunningWebhook.Predict("HERE");
        training["metadata"]!["labels"]!["typeOfComponent"] = "Training";
        await server.ReviewAsync(training);
        // HTTP/2: there a refusal can overtake the body.
        using var refused = await server.PostAsync(RunningWebhook.Json(new string(' ', BodyLimitBytes + 1)), HttpVersion.Version20);
    }

    // A rate is between two scrapes that saw different counts.
    async Task KeepSendingAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            await SendAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(200), stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A watch on which one step after the other goes elsewhere than decided, and one comes without a decision.</summary>
    static async Task RunStepsAsync(HttpContext http)
    {
        const string Record = """{ "version": 1, "type": "Predict", "outcome": "Placed", "mode": "Adaptive", "node": "near", "location": "HERE" }""";
        await http.Response.StartAsync();
        for (var i = 0; !http.RequestAborted.IsCancellationRequested; i++)
        {
            var (placed, bare) = ($"placed-{i}", $"bare-{i}");
            await http.Response.WriteAsync(
                Line("ADDED", Step(placed, Record)) + Line("MODIFIED", Step(placed, Record, "far")) + Line("DELETED", Step(placed, Record, "far")) +
                Line("ADDED", Step(bare, null)) + Line("DELETED", Step(bare, null)));
            await http.Response.Body.FlushAsync();
            await Task.Delay(TimeSpan.FromMilliseconds(200), http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        static JsonObject Step(string uid, string? record, string? node = null)
        {
            var pod = Pods.PredictJson("HERE");
            (pod["metadata"]!["uid"], pod["metadata"]!["namespace"], pod["spec"]!["nodeName"]) = (uid, "team", node);
            pod["metadata"]!["annotations"] = record is null ? null : new JsonObject { [PodHints.RecordKey] = record };
            return pod;
        }
    }

    static JsonObject Node(string name, string latency, bool isReady = true)
    {
        var node = FakeApiServer.Node(name, "1", latency);
        if (name == "far")
        {
            node["metadata"]!["labels"]!["THERE"] = "2ms";
        }

        node["status"] = new JsonObject
        {
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = isReady ? "True" : "False" }),
            ["allocatable"] = new JsonObject { ["cpu"] = "4000", ["memory"] = "8Ti", ["pods"] = "100000" },
        };
        return node;
    }
}
