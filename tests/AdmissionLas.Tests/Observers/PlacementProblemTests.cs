using AdmissionLas.Observers;

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

        Assert.Equal(
            ("NoMachineCanRunStep", "Pod predict-1: this prediction step may run far from HERE: not one machine at a known distance can run it (1 down)"),
            Problem(decision, "predict-1"));
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
        var step = new Step(StepKinds.Predict, "label", "HERE");
        var far = new Decision { Outcome = Outcome.Placed, Step = step, Reason = NearestNodes.Instance, HasRoom = true, Chosen = Nodes.Named("next"), LatencyMs = 30, NearestMs = 1 };
        var full = far with { HasRoom = false };

        Assert.Equal(
            ("NearMachinesFull", "Pod p: every machine near HERE that could run this prediction step is full; it waits for one of them or runs further away"),
            Problem(full, "p"));
        Assert.Equal(
            ("PlacedFarAway", "Pod p: this prediction step goes to next, 30 ms from HERE; the machines nearer to it, down to 1 ms, cannot take it or are kept for other work where possible"),
            Problem(far, "p"));
    }

    [Fact]
    public void An_event_is_about_what_created_the_pod_or_else_about_the_pod()
    {
        var decision = Testbed.View.Decide(Pods.Predict(null));

        Assert.Equal(new OwnerReference("v1", "Pod", "p", ""), PlacementProblem.Of(Observations.Of(decision, "p").Result, Policy)!.Value.Owner);
        Assert.Equal(
            new OwnerReference("argoproj.io/v1alpha1", "Workflow", "taxi-7", "u-2"),
            PlacementProblem.Of(Observations.Of(decision, "p", new OwnerReference("argoproj.io/v1alpha1", "Workflow", "taxi-7", "u-2")).Result, Policy)!.Value.Owner);
    }

    [Fact]
    public void A_dry_run_creates_no_pod_and_is_no_problem() =>
        Assert.Null(PlacementProblem.Of(Observations.Of(Testbed.View.Decide(Pods.Predict(null)), isDryRun: true).Result, Policy));

    static (string, string) Problem(Decision decision, string pod)
    {
        var problem = PlacementProblem.Of(Observations.Of(decision, pod).Result, Policy)!.Value;
        return (problem.Reason, problem.Message);
    }
}
