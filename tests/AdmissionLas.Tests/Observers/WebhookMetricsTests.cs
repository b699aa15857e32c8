using AdmissionLas.Observers;
using AdmissionLas.Placement;
using AdmissionLas.Tests.Support;
using AdmissionLas.Webhook;
using Microsoft.Extensions.DependencyInjection;

namespace AdmissionLas.Tests.Observers;

public sealed class WebhookMetricsTests
{
    [Fact]
    public async Task Counting_a_review_allocates_nothing_although_prometheus_follows()
    {
        await using var webhook = await RunningWebhook.StartAsync();
        var metrics = webhook.Services.GetRequiredService<WebhookMetrics>();
        ReviewResult[] result = [Predict("HOME-EDGE", 10, 5), Predict("NITLAB-EDGE", 1, 1), ReviewResult(Step(StepType.Predict, null), Outcome.NoLocation), ReviewResult(Step(StepType.Training, null), Outcome.Placed)];
        Count(1000);

        // Code that is compiled anew in between allocates too, once.
        Assert.Contains(0, Enumerable.Range(0, 10).Select(_ =>
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Count(1000);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }));

        void Count(int times)
        {
            for (var i = 0; i < times; i++)
            {
                metrics.Answered(result[i % result.Length], TimeSpan.FromMilliseconds(i));
            }
        }
    }

    [Fact]
    public void Locations_beyond_the_most_that_are_told_apart_count_as_other()
    {
        var values = new BoundedLabelValues(WebhookMetrics.MaxLocations);

        var told = Enumerable.Range(0, WebhookMetrics.MaxLocations + 10).Select(i => (string)values.Of($"location-{i}")).ToArray();

        Assert.Equal(WebhookMetrics.MaxLocations, told.Count(t => t != BoundedLabelValues.Other));
        Assert.Equal("location-0", values.Of("location-0"));
        Assert.Same(values.Of("location-0"), values.Of(new string("location-0".AsSpan())));
    }

    [Theory]
    [InlineData(Outcome.Placed, true, 1, 1, "nearest")]
    [InlineData(Outcome.Placed, true, 2, 1, "next-nearest")]
    [InlineData(Outcome.Placed, false, 1, 1, "all-full")]
    [InlineData(Outcome.UnknownLocation, false, 0, 0, "unknown-location")]
    [InlineData(Outcome.NoCandidate, false, 0, 0, "no-node")]
    public void The_reason_tells_how_well_a_prediction_step_could_be_placed(Outcome outcome, bool hasRoom, double latencyMs, double nearestMs, string reason) =>
        Assert.Equal(reason, DecisionLabels.Reason(
            new Decision { Outcome = outcome, Step = Step(StepType.Predict, "HERE"), ReservesCapacity = hasRoom, LatencyMs = latencyMs, NearestMs = nearestMs }));

    [Fact]
    public void Every_outcome_has_a_reason_of_its_own()
    {
        var reasons = Enum.GetValues<Outcome>().Select(o => DecisionLabels.Reason(new Decision { Outcome = o, Step = Step(StepType.Predict, "HERE"), ReservesCapacity = true })).ToArray();

        Assert.Equal(reasons.Length, reasons.Distinct().Count());
    }

    static Step Step(StepType type, string? location) => new(type, "label", location);

    static ReviewResult ReviewResult(Step step, Outcome outcome) =>
        new(new AdmissionReview { ApiVersion = "v1", Uid = "uid", Pod = new AdmittedPod("pod", new PodFacts(), new PodShape()) }, new Decision { Outcome = outcome, Step = step }, null);

    static ReviewResult Predict(string location, double latencyMs, double nearestMs)
    {
        var result = ReviewResult(Step(StepType.Predict, location), Outcome.Placed);
        return result with { Decision = result.Decision! with { ReservesCapacity = true, LatencyMs = latencyMs, NearestMs = nearestMs } };
    }
}
