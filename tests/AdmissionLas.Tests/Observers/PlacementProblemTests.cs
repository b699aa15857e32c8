using AdmissionLas.Observers;
using AdmissionLas.Placement;
using AdmissionLas.Tests.Support;

namespace AdmissionLas.Tests.Observers;

/// <summary>Which decisions an author hears of by an event.</summary>
public sealed class PlacementProblemTests
{
    static readonly PlacementPolicy Policy = new();

    [Theory]
    [InlineData("HOME-EDGE", null)]
    [InlineData("MARS-BASE", "LocationUnknown")]
    [InlineData(null, "LocationMissing")]
    public void A_step_that_goes_where_it_should_is_no_news(string? location, string? reason) =>
        Assert.Equal(reason, PlacementProblem.ReasonFor(Testbed.View.Decide(Pods.Predict(location)), Policy));

    [Fact]
    public void Training_steps_have_no_place_to_be_near_to() =>
        Assert.Null(PlacementProblem.ReasonFor(Testbed.View.Decide(Pods.Training(Pods.Container(cpu: "999"))), Policy));

    [Fact]
    public void A_step_that_no_machine_can_run_is_told_with_the_warnings_words()
    {
        var decision = Nodes.View(Nodes.Named("down", latencies: [("HERE", "1")]) with { IsReady = false }).Decide(Pods.Predict("HERE"));

        var reason = PlacementProblem.ReasonFor(decision, Policy);

        Assert.Equal("NoMachineCanRunStep", reason);
        Assert.Equal("Pod predict-1: this prediction step may run far from HERE: not one machine at a known distance can run it (1 down)", PlacementProblem.MessageFor(decision, reason!, "predict-1"));
    }

    [Theory]
    [InlineData(1.9, null)]
    [InlineData(30, "PlacedFarAway")]
    public void Far_is_what_the_policy_calls_far(double nextMs, string? reason)
    {
        var view = Nodes.View(
            Nodes.Named("near", latencies: [("HERE", "1")]) with { IsReady = false }, Nodes.Named("next", latencies: [("HERE", $"{nextMs.ToString(System.Globalization.CultureInfo.InvariantCulture)}")]));

        Assert.Equal(reason, PlacementProblem.ReasonFor(view.Decide(Pods.Predict("HERE")), Policy));
    }

    [Fact]
    public void Full_machines_and_far_ones_are_told_with_names_and_distances()
    {
        var step = new Step(StepType.Predict, "label", "HERE");
        var far = new Decision { Outcome = Outcome.Placed, Step = step, ReservesCapacity = true, Chosen = Nodes.Named("next"), LatencyMs = 30, NearestMs = 1 };
        var full = far with { ReservesCapacity = false };

        Assert.Equal("NearMachinesFull", PlacementProblem.ReasonFor(full, Policy));
        Assert.StartsWith("Pod p: every machine near HERE that could run this prediction step is full", PlacementProblem.MessageFor(full, "NearMachinesFull", "p"), StringComparison.Ordinal);
        Assert.Equal("Pod p: this prediction step goes to next, 30 ms from HERE; the machines nearer to it, down to 1 ms, cannot take it", PlacementProblem.MessageFor(far, "PlacedFarAway", "p"));
    }
}
