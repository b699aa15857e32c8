using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace AdmissionLas.Tests.Observers;

/// <summary>What an OTLP receiver gets of a review.</summary>
public sealed class TraceTests
{
    [Fact]
    public async Task A_reviews_span_carries_the_decision()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var webhook = await WebhookProcess.StartAsync(environment: receiver.Environment);

        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), "uid-of-this-review");

        await receiver.HasAsync("uid-of-this-review"u8.ToArray());
        string[] carried =
        [
            "service.name", "admission-las", "review", "admission_las.request.uid", "admission_las.outcome", "Placed", "admission_las.component", "predict", "admission_las.reason", "nearest",
            "admission_las.location", "HOME-EDGE", "k8s.node.name", "home-edge-node", "k8s.namespace.name", "kubeflow", "admission_las.latency_ms",
            "admission_las.decision", "home-edge-node (9.8 ms) adaptive",
        ];
        Assert.All(carried, text => Assert.True(receiver.Has(Encoding.UTF8.GetBytes(text)), text));
        // A double on the wire: https://protobuf.dev/programming-guides/encoding/#non-varints.
        Assert.True(receiver.Has(BitConverter.GetBytes(9.8)), "the latency's own bytes");
    }

    [Fact]
    public async Task A_review_of_a_traced_request_is_a_part_of_that_requests_trace()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var webhook = await WebhookProcess.StartAsync(environment: receiver.Environment);
        const string trace = "0af7651916cd43dd8448eb211c80319c", span = "b7ad6b7169203331";

        webhook.Client.DefaultRequestHeaders.Add("traceparent", $"00-{trace}-{span}-01");
        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"));

        await receiver.HasAsync(Convert.FromHexString(trace));
        Assert.True(receiver.Has(Convert.FromHexString(span)), "the caller's span as the parent");
    }

    [Fact]
    public async Task A_span_is_small_whatever_the_review_says()
    {
        await using var receiver = await Receiver.StartAsync();
        await using var webhook = await WebhookProcess.StartAsync(environment: receiver.Environment);
        var endless = new string('n', 2_900_000);

        webhook.Client.DefaultRequestHeaders.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        webhook.Client.DefaultRequestHeaders.Add("tracestate", $"a={new string('x', 5_000)}");
        foreach (var labelled in (bool[])[true, false])
        {
            using var answer = await webhook.Client.PostAsync(webhook.Mutate, RunningWebhook.Json(AdmissionLas.Webhook.SampleReview.Of(
                RunningWebhook.Predict(labelled ? endless : "HOME-EDGE").With(p => p["metadata"]!["name"] = labelled ? "p" : endless), "uid").ToJsonString()));
        }

        await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), "the-last");

        await receiver.HasAsync("the-last"u8.ToArray());
        Assert.InRange(receiver.Longest, 1, 16_384);
    }

    [Fact]
    public async Task A_receiver_that_is_not_there_costs_no_review_anything()
    {
        await using var webhook = await WebhookProcess.StartAsync(environment: new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://127.0.0.1:1",
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
        });

        for (var i = 0; i < 20; i++)
        {
            Assert.NotNull((await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE")))["patch"]);
        }
    }

    sealed class Receiver : IAsyncDisposable
    {
        readonly ConcurrentQueue<byte[]> bodies = new();
        LoopbackServer? server;

        internal Dictionary<string, string> Environment => new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = server!.Address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
        };

        internal static async Task<Receiver> StartAsync()
        {
            var receiver = new Receiver();
            receiver.server = await LoopbackServer.StartAsync(receiver.TakeAsync);
            return receiver;
        }

        internal bool Has(byte[] bytes) => bodies.Any(b => b.AsSpan().IndexOf(bytes) >= 0);

        internal int Longest => bodies.Max(b => b.Length);

        internal Task HasAsync(byte[] bytes) => Eventually.IsTrueAsync("the span is received", () => Task.FromResult(Has(bytes)));

        public ValueTask DisposeAsync() => server!.DisposeAsync();

        async Task TakeAsync(HttpContext http)
        {
            if ((http.Request.Path, http.Request.ContentType) != ("/v1/traces", "application/x-protobuf"))
            {
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
            }

            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            bodies.Enqueue(body.ToArray());
            http.Response.ContentType = "application/x-protobuf";
        }
    }
}
