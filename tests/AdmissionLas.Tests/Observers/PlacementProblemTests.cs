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

    // Any caller that reaches the port can send a review.
    [Theory]
    [InlineData("Team")]
    [InlineData("team.x")]
    [InlineData("team/x")]
    [InlineData("-team")]
    [InlineData("")]
    [InlineData("team\n")]
    [InlineData(null)]
    public void A_namespace_that_Kubernetes_would_not_accept_hears_of_nothing(string? ns) =>
        Assert.Null(PlacementProblem.Of(Observations.Of(Testbed.View.Decide(Pods.Predict(null)), ns: ns ?? new string('a', 64)).Result, Policy));

    public static TheoryData<string, string, string, string, bool> Owners => new()
    {
        { "v1", "Pod", "p", "", true },
        { "argoproj.io/v1alpha1", "Workflow", "taxi.run-7", "5e0f1d4c-8a4b-4f0e-9d6e-0c8f4f6f0a11", true },
        { "batch/v1", "Job", new string('a', 253), new string('a', 128), true },
        { "v1", new string('K', 63), "p", "", true },
        { "batch/v1", "Job", new string('a', 254), "u", false },
        { "batch/v1", "Job", "a", new string('a', 129), false },
        { "batch/v1", new string('K', 64), "a", "u", false },
        { $"{new string('a', 251)}/v1", "Job", "a", "u", false },
        { "batch/v1/extra", "Job", "a", "u", false },
        { "/v1", "Job", "a", "u", false },
        { "batch/", "Job", "a", "u", false },
        { "", "Job", "a", "u", false },
        { "batch/v1", "", "a", "u", false },
        { "batch/v1", "Job now", "a", "u", false },
        { "batch/v1", "Job", "", "u", false },
        { "batch/v1", "Job", "a b", "u", false },
        { "batch/v1", "Job", "../secrets", "u", false },
        { "batch/v1", "Job", "a", "u\n", false },
    };

    [Theory]
    [MemberData(nameof(Owners))]
    public void Nor_does_an_owner_that_cannot_be_one(string apiVersion, string kind, string name, string uid, bool isTold) =>
        Assert.Equal(isTold, PlacementProblem.Of(Observations.Of(Testbed.View.Decide(Pods.Predict(null)), "p", new OwnerReference(apiVersion, kind, name, uid)).Result, Policy) is not null);

    // The API server has yet to make the name of a pod with generateName.
    [Theory]
    [InlineData("step-", true)]
    [InlineData("Step", false)]
    [InlineData("kube-proxy is broken: ", false)]
    [InlineData(null, false)]
    public void Nor_does_anybody_hear_of_a_pod_with_a_name_that_cannot_be_one(string? pod, bool isTold) =>
        Assert.Equal(isTold, PlacementProblem.Of(Observations.Of(Testbed.View.Decide(Pods.Predict(null)), pod ?? new string('p', 2_900_000)).Result, Policy) is not null);

    // pkg/apis/core/validation/events.go: NoteLengthLimit.
    [Fact]
    public void What_is_kept_of_a_long_message_fits_into_an_event()
    {
        var decision = new Decision { Outcome = Outcome.Placed, Step = new Step(StepKinds.Predict, "label", new string('x', 100_000)), Reason = NearestNodes.Instance, HasRoom = false, Chosen = Nodes.Named("next"), LatencyMs = 30, NearestMs = 1 };

        Assert.Equal(1024, Problem(decision, "p").Item2.Length);
    }

    static (string, string) Problem(Decision decision, string pod)
    {
        var problem = PlacementProblem.Of(Observations.Of(decision, pod).Result, Policy)!.Value;
        return (problem.Reason, problem.Message);
    }
}
