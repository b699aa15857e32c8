using AdmissionLas.Configuration;
using AdmissionLas.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace AdmissionLas.Tests.Server;

public sealed class DrainingTests
{
    [Fact]
    public async Task A_server_that_was_told_to_stop_is_not_ready_and_still_answers()
    {
        await using var webhook = await RunningWebhook.StartAsync(new() { ["server:drainSeconds"] = "60", ["server:http2"] = "true" });
        using var enough = new CancellationTokenSource();

        var stopping = webhook.Services.GetRequiredService<IHost>().StopAsync(enough.Token);
        await Eventually.IsTrueAsync("it is not ready", async () =>
        {
            using var ready = await webhook.Client.GetAsync(webhook.Health("/readyz"));
            return ready.StatusCode == HttpStatusCode.ServiceUnavailable;
        });
        using var review = await webhook.PostAsync(RunningWebhook.Json(SampleReview.Of(RunningWebhook.Predict("HOME-EDGE"), "a-uid").ToJsonString()), HttpVersion.Version11);
        var newer = await webhook.ReviewAsync(RunningWebhook.Predict("HOME-EDGE"), version: HttpVersion.Version20);

        Assert.Contains("\"patch\"", await review.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.True(review.Headers.ConnectionClose, "the caller is sent elsewhere");
        Assert.NotNull(newer["patch"]);
        Assert.False(stopping.IsCompleted);
        await enough.CancelAsync();
        await stopping.ContinueWith(_ => { }, TaskScheduler.Default);
    }

    [Fact]
    public async Task The_drain_lasts_as_long_as_it_is_configured_to()
    {
        var time = new FakeTimeProvider();
        var draining = Of(time, 5);

        var stopping = draining.StoppingAsync(CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(stopping.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1));

        await stopping;
        Assert.True(draining.HasBegun);
    }

    [Fact]
    public async Task Who_is_in_a_hurry_does_not_wait()
    {
        await Of(new FakeTimeProvider(), 60).StoppingAsync(new CancellationToken(canceled: true));
        await Of(new FakeTimeProvider(), 0).StoppingAsync(CancellationToken.None);
    }

    static Draining Of(TimeProvider time, int seconds) =>
        new(Microsoft.Extensions.Options.Options.Create(new ServerOptions { DrainSeconds = seconds }), time, NullLogger<Draining>.Instance);
}
