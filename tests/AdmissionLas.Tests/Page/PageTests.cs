using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using AdmissionLas.Observers;
using AdmissionLas.Page;
using AdmissionLas.Realised;
using AdmissionLas.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AdmissionLas.Tests.Page;

/// <summary>The page over HTTP. What it looks like is tested in a browser.</summary>
public sealed class PageTests
{
    static readonly HttpClient Client = new(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None });

    [Fact]
    public async Task The_page_is_off_unless_it_is_turned_on()
    {
        await using var webhook = await RunningWebhook.StartAsync();

        Assert.Null(webhook.Services.GetService<PageEndpoint>());
        Assert.Null(webhook.Services.GetService<RecentDecisions>());
        Assert.Null(webhook.Page);
        using var response = await webhook.Client.GetAsync(webhook.Health("/"));
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task The_page_has_a_port_of_its_own_that_answers_nothing_else()
    {
        await using var webhook = await StartAsync();

        Assert.Equal(HttpStatusCode.NotFound, (await Client.GetAsync(webhook.Health("/index.html"))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Client.GetAsync(webhook.Health("/api/cluster"))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await webhook.Client.GetAsync(new Uri(webhook.Mutate, "/api/cluster"))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Client.GetAsync(new Uri(webhook.Page!, "/healthz"))).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Client.PostAsync(new Uri(webhook.Page!, "/mutate"), RunningWebhook.Json("{}"))).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Client.GetAsync(webhook.Health("/healthz"))).StatusCode);
    }

    [Theory]
    [InlineData("page:address", "everywhere", "page.address: \"everywhere\" is no IP address")]
    [InlineData("page:port", "70000", "Port")]
    [InlineData("page:viewers", "0", "Viewers")]
    public async Task A_fault_in_its_options_ends_the_start(string key, string value, string expected)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => RunningWebhook.StartAsync(new() { [key] = value }));

        Assert.Contains(expected, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/page.css", "text/css")]
    [InlineData("/page.js", "text/javascript")]
    [InlineData("/icon.svg", "image/svg+xml")]
    [InlineData("/api/cluster", "application/json")]
    [InlineData("/nowhere", "text/plain")]
    public async Task Every_answer_keeps_the_browser_to_our_own_files(string path, string contentType)
    {
        await using var webhook = await StartAsync();

        using var response = await Client.GetAsync(new Uri(webhook.Page!, path));

        Assert.Equal(contentType, response.Content.Headers.ContentType!.MediaType);
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("DENY", Assert.Single(response.Headers.GetValues("X-Frame-Options")));
        Assert.Equal("no-referrer", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
    }

    [Fact]
    public async Task The_page_brings_along_what_its_first_picture_needs()
    {
        await using var webhook = await StartAsync();

        var page = await Client.GetStringAsync(new Uri(webhook.Page!, "/"));

        // There is only the icon to ask for, and the cluster.
        Assert.Equal(["/icon.svg"], Regex.Matches(page, "(?:href|src)=\"(/[^\"]+)\"").Select(m => m.Groups[1].Value).Order());
        Assert.Contains("<style>", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("(?m)^(?:import|export) ", page);
    }

    [Fact]
    public async Task The_files_name_nothing_outside_themselves()
    {
        await using var webhook = await StartAsync();

        foreach (var path in (string[])["/", "/page.css", "/page.js", "/dom.js", "/latency.js", "/capacity.js", "/decisions.js", "/explanation.js", "/trial.js"])
        {
            var text = await Client.GetStringAsync(new Uri(webhook.Page!, path));
            Assert.DoesNotMatch("https?://|style=\"|onclick|innerHTML", text);
        }
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/page.css")]
    [InlineData("/api/cluster")]
    public async Task What_has_not_changed_is_not_sent_again(string path)
    {
        await using var webhook = await StartAsync();
        var address = new Uri(webhook.Page!, path);
        using var first = await Client.GetAsync(address);

        using var again = await SendAsync(address, request => request.Headers.IfNoneMatch.Add(first.Headers.ETag!));
        using var compressed = await SendAsync(address, request => request.Headers.AcceptEncoding.ParseAdd("gzip"));

        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.Equal("gzip", Assert.Single(compressed.Content.Headers.ContentEncoding));
        // A strong tag would name two different sequences of bytes.
        Assert.True(first.Headers.ETag!.IsWeak);
        Assert.Equal(first.Headers.ETag, compressed.Headers.ETag);
        Assert.Contains("Accept-Encoding", compressed.Headers.Vary);
        Assert.True((await compressed.Content.ReadAsByteArrayAsync()).Length < first.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/page.js")]
    [InlineData("/api/cluster")]
    public async Task A_head_request_gets_the_headers_alone(string path)
    {
        await using var webhook = await StartAsync();
        using var whole = await Client.GetAsync(new Uri(webhook.Page!, path));

        using var head = await SendAsync(new Uri(webhook.Page!, path), request => request.Method = HttpMethod.Head);

        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(whole.Headers.ETag, head.Headers.ETag);
        Assert.Equal(whole.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Only_the_page_is_compressed()
    {
        await using var webhook = await StartAsync();
        using var content = RunningWebhook.Json(AdmissionLas.Webhook.SampleReview.Of(RunningWebhook.Predict("HOME-EDGE"), "a-uid").ToJsonString());
        using var request = new HttpRequestMessage(HttpMethod.Post, webhook.Mutate) { Content = content };
        request.Headers.AcceptEncoding.ParseAdd("gzip");
        using var review = await webhook.Client.SendAsync(request);
        using var stream = await SendAsync(new Uri(webhook.Page!, "/api/decisions"), r => r.Headers.AcceptEncoding.ParseAdd("gzip"));

        Assert.Equal(HttpStatusCode.OK, review.StatusCode);
        Assert.Empty(review.Content.Headers.ContentEncoding);
        Assert.Equal(HttpStatusCode.OK, stream.StatusCode);
        Assert.DoesNotContain("gzip", stream.Content.Headers.ContentEncoding);
    }

    [Theory]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("localhost:9999", HttpStatusCode.OK)]
    [InlineData("127.0.0.1", HttpStatusCode.OK)]
    [InlineData("[::1]:8081", HttpStatusCode.OK)]
    [InlineData("las.example", HttpStatusCode.OK)]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost.evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("10.0.0.7", HttpStatusCode.MisdirectedRequest)]
    public async Task A_name_that_somebody_made_lead_here_is_refused(string host, HttpStatusCode expected)
    {
        await using var webhook = await StartAsync(new() { ["page:hosts:0"] = "las.example" });

        using var page = await SendAsync(webhook.Page!, request => request.Headers.Host = host);
        using var data = await SendAsync(new Uri(webhook.Page!, "/api/cluster"), request => request.Headers.Host = host);

        Assert.Equal(expected, page.StatusCode);
        Assert.Equal(expected, data.StatusCode);
    }

    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Sec-Fetch-Site", "same-site")]
    public async Task Another_page_in_the_same_browser_gets_nothing(string header, string value)
    {
        await using var webhook = await StartAsync();

        foreach (var path in (string[])["/api/cluster", "/API/cluster", "/api/decisions", "/api/decisions/x", "/api/explain"])
        {
            using var response = await SendAsync(new Uri(webhook.Page!, path), request => request.Headers.Add(header, value));
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        }
    }

    [Fact]
    public async Task The_cluster_is_told_with_what_is_missing_and_what_cannot_be_read()
    {
        var source = new ClusterSource.Snapshot(_ => new ClusterView(
        [
            new NodeFacts
            {
                Name = "a", IsReady = true, AllocatablePods = 110, Allocatable = new Resources(8000, 1024, [new ResourceAmount("nvidia.com/gpu", 2), new ResourceAmount("ephemeral-storage", 9)]),
                Labels = new Dictionary<string, string> { [LatencyLabels.Prefix + "HOME"] = "1.5", [LatencyLabels.Prefix + "AWAY"] = "fast" },
            }.WithLatenciesOf(LatencyLabels.All),
            new NodeFacts { Name = "b", Labels = new Dictionary<string, string> { [LatencyLabels.Prefix + "AWAY"] = "800us" }, Taints = [new Taint("dedicated", "gpu", TaintEffect.NoSchedule)] }.WithLatenciesOf(LatencyLabels.All),
        ]));
        await using var webhook = await StartAsync(source: source);

        var cluster = JsonNode.Parse(await Client.GetStringAsync(new Uri(webhook.Page!, "/api/cluster")))!;

        Assert.Equal("""["AWAY","HOME"]""", cluster["locations"]!.ToJsonString());
        Assert.Equal("""["fast",1.5]""", cluster["nodes"]![0]!["latencies"]!.ToJsonString());
        Assert.Equal("""[0.8,null]""", cluster["nodes"]![1]!["latencies"]!.ToJsonString());
        Assert.Equal("""{"nvidia.com/gpu":[0,2]}""", cluster["nodes"]![0]!["devices"]!.ToJsonString());
        Assert.Equal("""["dedicated=gpu:NoSchedule"]""", cluster["nodes"]![1]!["taints"]!.ToJsonString());
        Assert.False(cluster["usageIsKnown"]!.GetValue<bool>());
    }

    [Fact]
    public async Task What_was_placed_shows_in_the_next_picture()
    {
        await using var webhook = await StartAsync();
        var usageCache = webhook.Services.GetRequiredService<AdmissionLas.Kubernetes.NodeUsageCache>();
        usageCache.BeginList();
        usageCache.EndList();
        var before = await CpuOf("home-edge-node");

        usageCache.Set("a-pod", new PodUsage("a-pod", "home-edge-node", new Resources(750, null)));

        Assert.Equal(0, before);
        Assert.Equal(750, await CpuOf("home-edge-node"));

        async Task<long> CpuOf(string node)
        {
            var cluster = JsonNode.Parse(await Client.GetStringAsync(new Uri(webhook.Page!, "/api/cluster")))!;
            return cluster["nodes"]!.AsArray().Single(n => n!["name"]!.GetValue<string>() == node)!["cpuMilli"]![0]!.GetValue<long>();
        }
    }

    [Fact]
    public async Task A_viewer_gets_what_was_decided_before_and_then_each_decision()
    {
        await using var webhook = await StartAsync();
        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"));

        using var stream = await EventStream.OpenAsync(webhook.Page!);
        var before = await stream.NextDecisionAsync();
        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EGDE"));
        var live = await stream.NextDecisionAsync();

        Assert.Equal("text/event-stream", stream.ContentType);
        Assert.Equal(("Placed", "home-edge-node"), (before["outcome"]!.GetValue<string>(), before["node"]!.GetValue<string>()));
        Assert.Equal("UnknownLocation", live["outcome"]!.GetValue<string>());
        Assert.Contains("HOME-EDGE", live["decision"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_viewer_that_comes_back_gets_only_what_it_missed()
    {
        await using var webhook = await StartAsync();
        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"));
        string seen;
        using (var stream = await EventStream.OpenAsync(webhook.Page!))
        {
            seen = (await stream.NextDecisionAsync())["id"]!.GetValue<string>();
        }

        await webhook.ReviewAsync(RunningWebhook.Predict("NITLAB-EDGE"));
        using var again = await EventStream.OpenAsync(webhook.Page!, seen);

        Assert.Equal("NITLAB-EDGE", (await again.NextDecisionAsync())["location"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_viewer_learns_where_the_pod_of_a_decision_runs_also_when_it_comes_back_later()
    {
        await using var webhook = await StartAsync();
        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), "a-review");
        using var stream = await EventStream.OpenAsync(webhook.Page!);
        var id = (await stream.NextDecisionAsync())["id"]!.GetValue<string>();

        webhook.Services.GetRequiredService<RecentDecisions>().Bound("a-review", "nitlab-edge-node", PlacementResult.Standby);
        using var again = await EventStream.OpenAsync(webhook.Page!, id);

        foreach (var viewer in (EventStream[])[stream, again])
        {
            Assert.Equal($$"""{"id":"{{id}}","node":"nitlab-edge-node","result":"standby"}""", (await viewer.NextDecisionAsync()).ToJsonString());
        }
    }

    [Fact]
    public async Task Pods_that_are_no_steps_are_not_shown()
    {
        await using var webhook = await StartAsync();
        var other = RunningWebhook.Predict("HOME-EDGE");
        other["metadata"]!["labels"]!["typeOfComponent"] = "Evaluate";
        await webhook.ReviewAsync(other);
        await webhook.ReviewAsync(RunningWebhook.Predict("NITOS-CLOUD"));

        using var stream = await EventStream.OpenAsync(webhook.Page!);

        Assert.Equal("NITOS-CLOUD", (await stream.NextDecisionAsync())["location"]!.GetValue<string>());
    }

    [Fact]
    public async Task More_viewers_than_may_follow_are_told_so_and_a_place_becomes_free_again()
    {
        await using var webhook = await StartAsync(new() { ["page:viewers"] = "1" });
        using (await EventStream.OpenAsync(webhook.Page!))
        {
            using var refused = await Client.GetAsync(new Uri(webhook.Page!, "/api/decisions"));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
            Assert.Contains("page.viewers", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        await Eventually.IsTrueAsync("a place is free again", async () =>
        {
            using var next = await Client.GetAsync(new Uri(webhook.Page!, "/api/decisions"), HttpCompletionOption.ResponseHeadersRead);
            return next.StatusCode == HttpStatusCode.OK;
        });
    }

    [Fact]
    public async Task A_decision_is_explained_node_by_node()
    {
        await using var webhook = await StartAsync();
        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"));
        using var stream = await EventStream.OpenAsync(webhook.Page!);
        var id = (await stream.NextDecisionAsync())["id"]!.GetValue<string>();

        var explained = JsonNode.Parse(await Client.GetStringAsync(new Uri(webhook.Page!, $"/api/decisions/{id}")))!;
        using var gone = await Client.GetAsync(new Uri(webhook.Page!, "/api/decisions/other-1"));

        var nodes = explained["steps"]![0]!["nodes"]!.AsArray();
        Assert.Equal(3, nodes.Count);
        Assert.Equal("home-edge-node", nodes.Single(n => n!["chosen"]!.GetValue<bool>())!["name"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task Of_a_large_review_only_the_summary_is_kept()
    {
        await using var webhook = await StartAsync();
        var large = RunningWebhook.Predict("HOME-EDGE");
        large["metadata"]!["labels"]!["OurLocation"] = new string('x', 2 * RecentDecision.LargestKeptReviewBytes);
        await webhook.ReviewAsync(large);
        using var stream = await EventStream.OpenAsync(webhook.Page!);

        var decision = await stream.NextDecisionAsync();
        using var explained = await Client.GetAsync(new Uri(webhook.Page!, $"/api/decisions/{decision["id"]!.GetValue<string>()}"));

        Assert.True(decision.ToJsonString().Length < 8192);
        Assert.Equal(HttpStatusCode.NotFound, explained.StatusCode);
    }

    [Fact]
    public async Task What_is_pasted_is_explained_and_counts_nowhere()
    {
        await using var webhook = await StartAsync();
        var usageCache = webhook.Services.GetRequiredService<AdmissionLas.Kubernetes.NodeUsageCache>();
        usageCache.BeginList();
        usageCache.EndList();

        var (status, answer) = await ExplainAsync(webhook, Pod("Predict", "HOME-EDGE"));

        Assert.Equal(HttpStatusCode.OK, status);
        var step = answer["steps"]![0]!;
        Assert.Equal(("Placed", "home-edge-node"), (step["outcome"]!.GetValue<string>(), step["chosen"]!.GetValue<string>()));
        Assert.Contains(step["diff"]!.AsArray(), line => line!.GetValue<string>().StartsWith("+spec", StringComparison.Ordinal) || line.GetValue<string>().StartsWith("+  affinity", StringComparison.Ordinal));
        Assert.Equal(0, usageCache.Count);
        Assert.True(webhook.Services.GetRequiredService<RecentDecisions>().TryFollow(null, out var viewer));
        Assert.Empty(viewer.Missed);
    }

    [Theory]
    [InlineData("", null, "empty")]
    [InlineData("# nothing", null, "comments")]
    [InlineData("a: b: c", 1, "neither YAML nor JSON")]
    [InlineData("kind: Pod\nmetadata:\n  name: x\n bad", 4, "neither YAML nor JSON")]
    [InlineData("kind: ConfigMap\nmetadata: { name: x }", 1, "ConfigMap")]
    [InlineData("just words", 1, "text")]
    public async Task Bad_input_is_answered_with_the_line_and_what_to_do(string text, int? line, string expected)
    {
        await using var webhook = await StartAsync();

        var (status, answer) = await ExplainAsync(webhook, text);

        Assert.Equal(HttpStatusCode.OK, status);
        var problem = answer["problems"]![0]!;
        Assert.Equal(line, problem["line"]?.GetValue<int>());
        Assert.Contains(expected, problem["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.NotEmpty(problem["advice"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_text_far_too_large_is_refused_before_it_comes()
    {
        await using var webhook = await StartAsync();

        Assert.Equal("HTTP/1.1 413 Payload Too Large", await FirstLineAsync(webhook, contentLength: 40 * 1024 * 1024));
    }

    [Fact]
    public async Task Five_megabytes_are_refused_with_what_to_do()
    {
        await using var webhook = await StartAsync();

        var (status, answer) = await ExplainAsync(webhook, new string('#', 5 * 1024 * 1024));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Contains("5.0 MB", answer["problems"]![0]!["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Contains("paste one pod", answer["problems"]![0]!["advice"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_location_is_answered_with_the_closest_known_one()
    {
        await using var webhook = await StartAsync();

        var (_, answer) = await ExplainAsync(webhook, Pod("Predict", "HOME-EGDE"));

        Assert.Equal("UnknownLocation", answer["steps"]![0]!["outcome"]!.GetValue<string>());
        Assert.Contains("HOME-EDGE", answer["steps"]![0]!["warnings"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_text_that_never_ends_is_given_up_on()
    {
        await using var webhook = await StartAsync();

        Assert.Equal("HTTP/1.1 408 Request Timeout", await FirstLineAsync(webhook, contentLength: 100));
    }

    [Theory]
    [InlineData("GET", "/api/explain", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "/api/cluster", HttpStatusCode.MethodNotAllowed)]
    [InlineData("DELETE", "/api/decisions/x", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "/", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/api/other", HttpStatusCode.NotFound)]
    [InlineData("GET", "/../certs/tls.key", HttpStatusCode.NotFound)]
    public async Task Nothing_else_can_be_asked(string method, string path, HttpStatusCode expected)
    {
        await using var webhook = await StartAsync();

        using var response = await SendAsync(new Uri(webhook.Page!, path), request => request.Method = new HttpMethod(method));

        Assert.Equal(expected, response.StatusCode);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data")]
    public async Task What_a_form_of_another_page_can_send_is_not_read(string contentType)
    {
        await using var webhook = await StartAsync();
        using var content = new StringContent(Pod("Predict", "HOME-EDGE"), Encoding.UTF8);
        content.Headers.ContentType = new MediaTypeHeaderValue(contentType);

        using var response = await Client.PostAsync(new Uri(webhook.Page!, "/api/explain"), content);

        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    static Task<RunningWebhook> StartAsync(Dictionary<string, string?>? settings = null, ClusterSource? source = null) =>
        RunningWebhook.StartAsync(new Dictionary<string, string?>(settings ?? []) { ["page:enabled"] = "true", ["page:port"] = "0" }, source);

    static async Task<HttpResponseMessage> SendAsync(Uri address, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        change(request);
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    static async Task<(HttpStatusCode Status, JsonNode Answer)> ExplainAsync(RunningWebhook webhook, string text)
    {
        using var content = new StringContent(text, Encoding.UTF8, "application/yaml");
        using var response = await Client.PostAsync(new Uri(webhook.Page!, "/api/explain?namespace=kubeflow"), content);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!);
    }

    // Of the answer to a text of which only the beginning comes.
    static async Task<string?> FirstLineAsync(RunningWebhook webhook, int contentLength)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, webhook.Page!.Port);
        var stream = connection.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/explain HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/yaml\r\nContent-Length: {contentLength}\r\n\r\nkind: Pod"));
        using var reader = new StreamReader(stream);
        return await reader.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1));
    }

    static string Pod(string type, string location) => $$"""
        kind: Pod
        metadata:
          name: step
          labels: { typeOfComponent: {{type}}, OurLocation: {{location}} }
        spec:
          containers: [{ name: main, image: a }]
        """;

    /// <summary>A viewer of the stream.</summary>
    sealed class EventStream : IDisposable
    {
        readonly HttpResponseMessage response;
        readonly StreamReader lines;

        EventStream(HttpResponseMessage response, Stream stream)
        {
            this.response = response;
            lines = new StreamReader(stream);
        }

        internal string? ContentType => response.Content.Headers.ContentType?.MediaType;

        internal static async Task<EventStream> OpenAsync(Uri page, string? lastId = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(page, "/api/decisions"));
            if (lastId is not null)
            {
                request.Headers.Add("Last-Event-ID", lastId);
            }

            var response = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return new EventStream(response, await response.Content.ReadAsStreamAsync());
        }

        /// <summary>The next event of a decision; pulses and the like are passed over.</summary>
        internal async Task<JsonObject> NextDecisionAsync()
        {
            while (await lines.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)) is { } line)
            {
                if (line.StartsWith("data: {\"id\"", StringComparison.Ordinal))
                {
                    return JsonNode.Parse(line["data: ".Length..])!.AsObject();
                }
            }

            throw new InvalidDataException("the stream has ended");
        }

        public void Dispose()
        {
            lines.Dispose();
            response.Dispose();
        }
    }
}
