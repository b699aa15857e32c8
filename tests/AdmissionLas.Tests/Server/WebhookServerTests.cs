using System.Diagnostics.Metrics;
using System.Net.Security;
using System.Security.Authentication;
using AdmissionLas.Observers;
using AdmissionLas.Server;
using Microsoft.Extensions.DependencyInjection;

namespace AdmissionLas.Tests.Server;

public sealed class WebhookServerTests
{
    const int Megabyte = 1024 * 1024;

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_predict_pod_is_answered_over_every_http_version(string version)
    {
        await using var webhook = await RunningWebhook.StartAsync(new() { ["server:http2"] = "true" });

        var response = await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), version: new Version(version));

        Assert.Equal("home-edge-node", response["auditAnnotations"]!["node"]!.ToString());
        Assert.Equal("JSONPatch", response["patchType"]!.ToString());
    }

    [Fact]
    public async Task Http_2_is_spoken_only_where_the_admin_says_so()
    {
        await using var webhook = await RunningWebhook.StartAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), version: HttpVersion.Version20));
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Tls_1_2_and_1_3_are_spoken(SslProtocols protocol)
    {
        await using var webhook = await RunningWebhook.StartAsync();

        await using var stream = await webhook.ConnectAsync(protocol);

        Assert.Equal(protocol, stream.SslProtocol);
    }

    [Fact]
    public async Task Older_tls_is_refused()
    {
        await using var webhook = await RunningWebhook.StartAsync();

#pragma warning disable SYSLIB0039, CA5397 // The point is that it is obsolete.
        await Assert.ThrowsAnyAsync<Exception>(() => webhook.ConnectAsync(SslProtocols.Tls11));
#pragma warning restore SYSLIB0039, CA5397
    }

    [Fact]
    public async Task A_pod_as_large_as_the_API_server_takes_is_answered()
    {
        await using var webhook = await RunningWebhook.StartAsync();
        var pod = RunningWebhook.Predict("HOME-EDGE");
        pod["spec"]!["containers"]![0]!["env"] = new JsonArray(new JsonObject { ["name"] = "BIG", ["value"] = new string('x', 3 * Megabyte) });

        var response = await webhook.ReviewAsync(pod);

        Assert.Equal("home-edge-node", response["auditAnnotations"]!["node"]!.ToString());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_limit_is_refused_with_413(bool saysItsLength)
    {
        await using var webhook = await RunningWebhook.StartAsync(new() { ["server:bodyLimitBytes"] = $"{Megabyte}", ["server:http2"] = "true" });
        using var content = new StreamContent(saysItsLength ? new MemoryStream(new byte[Megabyte + 1]) : new Unseekable(new byte[Megabyte + 1]));
        content.Headers.ContentType = new("application/json");

        // There a refusal can overtake the body.
        using var response = await webhook.PostAsync(content, HttpVersion.Version20);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task A_body_that_does_not_arrive_in_time_is_refused_with_408()
    {
        await using var webhook = await RunningWebhook.StartAsync(new() { ["server:budgetMilliseconds"] = "50" });
        await using var stream = await webhook.ConnectAsync();

        await stream.WriteAsync("POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"u8.ToArray());

        using var reader = new StreamReader(stream, Encoding.ASCII);
        Assert.StartsWith("HTTP/1.1 408 ", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_behind_its_headers_has_the_whole_budget_however_long_the_one_before_it_took()
    {
        // Long beside what a busy machine adds to a delay.
        var budget = TimeSpan.FromSeconds(4);
        await using var webhook = await RunningWebhook.StartAsync(new() { ["server:budgetMilliseconds"] = $"{budget.TotalMilliseconds}" });
        await using var stream = await webhook.ConnectAsync();
        using var reader = new StreamReader(stream, Encoding.ASCII);

        Assert.StartsWith("HTTP/1.1 400 ", await PostLateAsync(), StringComparison.Ordinal);
        // What was left of the first one's budget is over when the second one comes.
        await Task.Delay(budget * 0.9);
        Assert.StartsWith("HTTP/1.1 400 ", await PostLateAsync(), StringComparison.Ordinal);

        async Task<string?> PostLateAsync()
        {
            await stream.WriteAsync("POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"u8.ToArray());
            await Task.Delay(budget * 0.15);
            await stream.WriteAsync("{}"u8.ToArray());
            var status = await reader.ReadLineAsync();
            while (await reader.ReadLineAsync() is { Length: > 0 })
            {
            }

            // The message's own line.
            await reader.ReadLineAsync();
            return status;
        }
    }

    [Theory]
    [InlineData("waitingRequests", "2", 1)]
    [InlineData("waitingBytes", "1048576", 400 * 1024)]
    public async Task Bodies_that_do_not_arrive_give_way_to_those_that_come_later_and_keep_no_review_out(string limit, string most, int sentBytes)
    {
        await using var webhook = await RunningWebhook.StartAsync(new() { [$"server:{limit}"] = most, ["server:budgetMilliseconds"] = "30000" });
        var hanging = new List<SslStream>();
        try
        {
            for (var i = 0; i < 3; i++)
            {
                hanging.Add(await HangAsync(webhook, sentBytes, after: i));
            }

            using var reader = new StreamReader(hanging[0], Encoding.ASCII);
            Assert.StartsWith("HTTP/1.1 503 ", await reader.ReadLineAsync(), StringComparison.Ordinal);
            Assert.Equal("home-edge-node", (await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE")))["auditAnnotations"]!["node"]!.ToString());
        }
        finally
        {
            foreach (var stream in hanging)
            {
                await stream.DisposeAsync();
            }
        }

        var waiting = webhook.Services.GetRequiredService<WaitingRequests>();
        await Eventually.IsTrueAsync("nothing is held any more", () => Task.FromResult(waiting is { Count: 0, Bytes: 0 }));
    }

    static async Task<SslStream> HangAsync(RunningWebhook webhook, int sentBytes, int after)
    {
        var stream = await webhook.ConnectAsync();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {Megabyte}\r\n\r\n"));
        await stream.WriteAsync(new byte[sentBytes]);
        var waiting = webhook.Services.GetRequiredService<WaitingRequests>();
        await Eventually.IsTrueAsync("it waits", () => Task.FromResult(waiting.Count == Math.Min(after + 1, 2) && waiting.Bytes >= waiting.Count * (long)sentBytes));
        return stream;
    }

    [Fact]
    public async Task A_body_in_small_pieces_is_answered_like_any_other()
    {
        await using var webhook = await RunningWebhook.StartAsync(new() { ["server:budgetMilliseconds"] = "30000" });
        await using var stream = await webhook.ConnectAsync();
        var pod = RunningWebhook.Predict("HOME-EDGE");
        pod["spec"]!["containers"]![0]!["env"] = new JsonArray(new JsonObject { ["name"] = "BIG", ["value"] = new string('x', 100_000) });
        var body = Encoding.UTF8.GetBytes(SampleReview.Of(pod, "a-uid", "kubeflow").ToJsonString());

        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n"));
        foreach (var piece in body.Chunk(7_001))
        {
            await stream.WriteAsync(piece);
        }

        using var reader = new StreamReader(stream, Encoding.ASCII);
        Assert.StartsWith("HTTP/1.1 200 ", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_connection_too_many_closes_one_of_the_address_that_has_the_most()
    {
        await using var webhook = await RunningWebhook.StartAsync(new() { ["server:connections"] = "2" });
        await using var elsewhere = webhook.Connect(TimeSpan.FromSeconds(60));
        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"));

        // Each is one too many: the first displaces the client's, which has brought its review, and each one after it the one before.
        await using var first = await webhook.ConnectAsync();
        await using var second = await webhook.ConnectAsync();

        Assert.True(await IsClosedAsync(first));
        await elsewhere.WriteAsync("POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"u8.ToArray());
        using var reader = new StreamReader(elsewhere, Encoding.ASCII);
        Assert.StartsWith("HTTP/1.1 400 ", await reader.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_brings_nothing_is_closed_soon()
    {
        await using var webhook = await RunningWebhook.StartAsync();
        await using var idle = await webhook.ConnectAsync();

        Assert.True(await IsClosedAsync(idle));
    }

    // The server says nothing on it before; a read that ends means that it has closed it.
    static async Task<bool> IsClosedAsync(SslStream stream)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            return await stream.ReadAsync(new byte[1], patience.Token) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    [Theory]
    [InlineData("", "the body is not JSON")]
    [InlineData("not json", "the body is not JSON")]
    [InlineData("[]", "the body is not an object")]
    [InlineData("{}", "kind is not AdmissionReview")]
    [InlineData("""{"kind":"Pod","apiVersion":"v1"}""", "kind is not AdmissionReview")]
    [InlineData("""{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v2"}""", "apiVersion is neither")]
    [InlineData("""{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}""", "there is no request")]
    [InlineData("""{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{}}""", "request.uid is missing")]
    public async Task What_is_not_a_review_is_refused_with_400_and_the_reason(string body, string reason)
    {
        await using var webhook = await RunningWebhook.StartAsync();

        using var response = await webhook.PostAsync(RunningWebhook.Json(body));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.StartsWith(reason, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_a_review_does_not_end_the_connection()
    {
        await using var webhook = await RunningWebhook.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            using var refused = await webhook.PostAsync(RunningWebhook.Json("{}"), HttpVersion.Version11);

            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        }

        Assert.NotNull((await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), version: HttpVersion.Version11))["patch"]);
    }

    [Fact]
    public async Task Another_content_type_is_refused_with_415()
    {
        await using var webhook = await RunningWebhook.StartAsync();

        using var response = await webhook.PostAsync(new StringContent("kind: AdmissionReview", Encoding.UTF8, "application/yaml"));

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task Only_post_is_allowed()
    {
        await using var webhook = await RunningWebhook.StartAsync();

        using var response = await webhook.Client.GetAsync(webhook.Mutate);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
    }

    [Fact]
    public async Task The_plain_port_does_not_decide_on_pods()
    {
        await using var webhook = await RunningWebhook.StartAsync();

        using var response = await webhook.Client.PostAsync(webhook.Health(MutateEndpoint.Path), RunningWebhook.Json("{}"));

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task It_is_not_ready_before_the_first_view_and_lets_pods_through_until_then()
    {
        await using var webhook = await RunningWebhook.StartAsync(source: NothingYet());

        using var readiness = await webhook.Client.GetAsync(webhook.Health("/readyz"));
        using var liveness = await webhook.Client.GetAsync(webhook.Health("/healthz"));
        var response = await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"));

        Assert.Equal(HttpStatusCode.ServiceUnavailable, readiness.StatusCode);
        Assert.Equal(HttpStatusCode.OK, liveness.StatusCode);
        Assert.True(response["allowed"]!.GetValue<bool>());
        Assert.Null(response["patch"]);
    }

    [Fact]
    public async Task Readiness_tells_how_many_nodes_are_known_and_how_old_that_is()
    {
        await using var webhook = await RunningWebhook.StartAsync();

        Assert.Matches("^ok: 3 nodes, confirmed [0-9.]+ s ago", await webhook.Client.GetStringAsync(webhook.Health("/readyz")));
    }

    [Fact]
    public async Task No_folder_is_watched()
    {
        await using var webhook = await RunningWebhook.StartAsync();

        Assert.DoesNotContain(OpenFiles(), file => file.Contains("inotify wd:", StringComparison.Ordinal));

        // What the kernel says of each; one that was closed meanwhile is none.
        static IEnumerable<string> OpenFiles()
        {
            foreach (var file in Directory.GetFiles("/proc/self/fdinfo"))
            {
                var text = "";
                try
                {
                    text = File.ReadAllText(file);
                }
                catch (IOException)
                {
                }

                yield return text;
            }
        }
    }

    [Fact]
    public async Task Reviews_and_refusals_are_counted_by_what_became_of_them()
    {
        await using var webhook = await RunningWebhook.StartAsync();
        using var seen = new SeenMeasurements(webhook);

        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"));
        await webhook.ReviewAsync(RunningWebhook.Predict("NOWHERE-AT-ALL"));
        using var refused = await webhook.PostAsync(RunningWebhook.Json("{}"));

        Assert.Equal(1, seen.Sum("admission_las.reviews", "Placed"));
        Assert.Equal(1, seen.Sum("admission_las.reviews", "UnknownLocation"));
        Assert.Equal(1, seen.Sum("admission_las.refused_requests", "not-a-review"));
        Assert.Equal(3, seen.Sum("admission_las.snapshot.nodes", null));
        Assert.True(seen.Sum("admission_las.snapshot.age", null) >= 0);
    }

    [Fact]
    public async Task Latency_labels_that_cannot_be_read_are_counted()
    {
        var source = new ClusterSource.Snapshot(_ => new ClusterView(
        [
            new NodeFacts { Name = "good", Labels = new Dictionary<string, string> { ["HOME-EDGE"] = "1ms" } }.WithLatenciesOf(LatencyLabels.All),
            new NodeFacts { Name = "bad", Labels = new Dictionary<string, string> { ["HOME-EDGE"] = "fast", ["role"] = "worker" } }.WithLatenciesOf(LatencyLabels.All),
        ]));
        await using var webhook = await RunningWebhook.StartAsync(source: source);
        using var seen = new SeenMeasurements(webhook);

        Assert.Equal(1, seen.Sum("admission_las.unreadable_latency_labels", null));
    }

    [Fact]
    public async Task Where_only_latencies_that_no_kubelet_can_write_count_the_server_reads_no_others()
    {
        var labels = new Dictionary<string, string> { ["HOME-EDGE"] = "1ms", [LatencyLabels.RestrictedPrefix + "LAB"] = "2" };
        var source = new ClusterSource.Snapshot(latencies => new ClusterView([new NodeFacts { Name = "n", Labels = labels }.WithLatenciesOf(latencies)]));
        await using var webhook = await RunningWebhook.StartAsync(new() { ["nodes:latencyLabels"] = "restricted" }, source);

        Assert.Equal(["LAB"], webhook.State.Current!.Locations);
    }

    [Fact]
    public async Task Latency_labels_beyond_the_most_of_a_node_are_counted()
    {
        var crowded = Nodes.Named("n", latencies: [.. Enumerable.Range(0, 300).Select(i => ($"L-{i}", "1"))]);
        await using var webhook = await RunningWebhook.StartAsync(source: new ClusterSource.Snapshot(_ => new ClusterView([crowded])));
        using var seen = new SeenMeasurements(webhook);

        Assert.Equal(44, seen.Sum("admission_las.unreadable_latency_labels", null));
    }

    // An address where nothing listens: the first list never comes.
    static ClusterSource.ApiServer NothingYet() => new(new k8s.KubernetesClientConfiguration { Host = "http://127.0.0.1:1" });

    // A stream that cannot tell how long it is, so that the request does not either.
    sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }

    /// <summary>What one server's instruments have said since this was made.</summary>
    sealed class SeenMeasurements : IDisposable
    {
        readonly MeterListener listener = new();
        readonly List<(string Instrument, string? Tag, double Value)> measurements = [];

        internal SeenMeasurements(RunningWebhook webhook)
        {
            var meter = webhook.Services.GetRequiredService<WebhookMetrics>().Meter;
            listener.InstrumentPublished = (instrument, l) =>
            {
                if (ReferenceEquals(instrument.Meter, meter))
                {
                    l.EnableMeasurementEvents(instrument);
                }
            };
            listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
            listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
            listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
            listener.Start();
        }

        internal double Sum(string instrument, string? tag)
        {
            lock (measurements)
            {
                measurements.RemoveAll(m => m.Tag is null);
            }

            listener.RecordObservableInstruments();
            lock (measurements)
            {
                return measurements.Where(m => m.Instrument == instrument && m.Tag == tag).Sum(m => m.Value);
            }
        }

        public void Dispose() => listener.Dispose();

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            lock (measurements)
            {
                measurements.Add((instrument.Name, tags.IsEmpty ? null : tags[0].Value as string, value));
            }
        }
    }
}
