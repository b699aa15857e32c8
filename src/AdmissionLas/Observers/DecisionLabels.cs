using AdmissionLas.Realised;

namespace AdmissionLas.Observers;

/// <summary>A decision in the few fixed words that metrics, traces and logs share, so that one can be looked up in the other.</summary>
static class DecisionLabels
{
    /// <summary>What the step is: the kind in lower case, or <c>none</c>.</summary>
    internal static string Component(ReviewResult result) => result.Decision?.Step.Kind?.Component ?? "none";

    /// <summary>Why the step goes where it goes. For a placed step: how well it could be placed.</summary>
    internal static string Reason(Decision decision) => decision.Outcome switch
    {
        Outcome.Placed when !decision.HasRoom => "all-full",
        Outcome.Placed when decision.Step.Kind is not { HasLocation: true } => "largest",
        Outcome.Placed when decision.LatencyMs > decision.NearestMs => "next-nearest",
        Outcome.Placed => "nearest",
        Outcome.NoLocation => "no-location",
        Outcome.UnknownLocation => "unknown-location",
        Outcome.NoCandidate => "no-node",
        Outcome.TooComplex => "too-complex",
        Outcome.OptedOut => "opted-out",
        Outcome.AlreadyBound => "already-bound",
        Outcome.AlreadyDecided => "already-decided",
        _ => "none",
    };

    /// <summary>Whether the scheduler followed the decision.</summary>
    internal static string Result(PlacementResult result) => result switch
    {
        PlacementResult.AsDecided => "as-decided",
        PlacementResult.Standby => "standby",
        _ => "elsewhere",
    };
}
