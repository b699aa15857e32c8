using AdmissionLas.Placement;
using AdmissionLas.Webhook;

namespace AdmissionLas.Observers;

/// <summary>A decision in the few fixed words that metrics, traces and logs share, so that one can be looked up in the other.</summary>
static class DecisionLabels
{
    const string Fault = "Fault";
    const string UnreadablePod = "UnreadablePod";
    const string NotOurs = "NotOurs";
    const string NoClusterView = "NoClusterView";

    static readonly string[] Decided = Enum.GetNames<Outcome>();

    /// <summary>All that a review can come to.</summary>
    internal static IReadOnlyList<string> Outcomes { get; } = [.. Decided, Fault, UnreadablePod, NotOurs, NoClusterView];

    /// <summary>What a review came to.</summary>
    internal static string Outcome(in ReviewResult result) =>
        result.Fault is not null ? Fault
        : result.Review.PodIsUnreadable ? UnreadablePod
        : result.Review.Pod is null ? NotOurs
        : result.Decision is null ? NoClusterView
        : Decided[(int)result.Decision.Outcome];

    /// <summary>What the step is: <c>predict</c>, <c>training</c> or <c>none</c>.</summary>
    internal static string Component(Decision decision) => decision.Step.Type switch
    {
        StepType.Predict => "predict",
        StepType.Training => "training",
        _ => "none",
    };

    /// <summary>Why the step goes where it goes. A placed step is told apart by how well it could be placed.</summary>
    internal static string Reason(Decision decision) => decision.Outcome switch
    {
        Placement.Outcome.Placed when !decision.ReservesCapacity => "all-full",
        Placement.Outcome.Placed when decision.Step.Type != StepType.Predict => "largest",
        Placement.Outcome.Placed when decision.LatencyMs > decision.NearestMs => "next-nearest",
        Placement.Outcome.Placed => "nearest",
        Placement.Outcome.NoLocation => "no-location",
        Placement.Outcome.UnknownLocation => "unknown-location",
        Placement.Outcome.NoCandidate => "no-node",
        Placement.Outcome.TooComplex => "too-complex",
        Placement.Outcome.OptedOut => "opted-out",
        Placement.Outcome.AlreadyBound => "already-bound",
        Placement.Outcome.AlreadyDecided => "already-decided",
        _ => "none",
    };
}
