using AdmissionLas.Observers;
using Microsoft.Extensions.DependencyInjection;

namespace AdmissionLas.Tests.Observers;

/// <summary>The labels and values of the webhook's own metrics.</summary>
public sealed class WebhookMetricsTests
{
    [Fact]
    public async Task Counting_a_review_allocates_nothing_although_prometheus_follows()
    {
        await using var webhook = await RunningWebhook.StartAsync();
        var metrics = webhook.Services.GetRequiredService<WebhookMetrics>();
        ReviewObservation[] observations =
        [
            Observations.Of(Placed("HOME-EDGE", 10, 5)), Observations.Of(Placed("NITLAB-EDGE", 1, 1)),
            Observations.Of(new Decision { Outcome = Outcome.NoLocation, Step = Step(StepKinds.Predict, null), Reason = new LocationMissing([]) }),
            Observations.Of(new Decision { Outcome = Outcome.Placed, Step = Step(StepKinds.Training, null) }),
        ];
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
                metrics.Answered(observations[i % observations.Length]);
            }
        }
    }

    [Fact]
    public void Locations_beyond_the_most_that_are_distinct_apart_count_as_other()
    {
        var values = new BoundedLabelValues(WebhookMetrics.MaxLocations);

        var distinct = Enumerable.Range(0, WebhookMetrics.MaxLocations + 10).Select(i => (string)values.Of($"location-{i}")).ToArray();

        Assert.Equal(WebhookMetrics.MaxLocations, distinct.Count(t => t != BoundedLabelValues.Other));
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
            new Decision { Outcome = outcome, Step = Step(StepKinds.Predict, "HERE"), HasRoom = hasRoom, LatencyMs = latencyMs, NearestMs = nearestMs }));

    [Fact]
    public void Every_outcome_has_a_reason_of_its_own()
    {
        var reasons = Enum.GetValues<Outcome>().Select(o => DecisionLabels.Reason(new Decision { Outcome = o, Step = Step(StepKinds.Predict, "HERE"), HasRoom = true })).ToArray();

        Assert.Equal(reasons.Length, reasons.Distinct().Count());
    }

    static Step Step(StepKind kind, string? location) => new(kind, "label", location);

    static Decision Placed(string location, double latencyMs, double nearestMs) => new()
    {
        Outcome = Outcome.Placed,
        Step = Step(StepKinds.Predict, location),
        Reason = NearestNodes.Instance,
        HasRoom = true,
        LatencyMs = latencyMs,
        NearestMs = nearestMs,
    };
}
