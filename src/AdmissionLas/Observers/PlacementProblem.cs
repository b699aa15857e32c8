using System.Globalization;
using AdmissionLas.Placement;

namespace AdmissionLas.Observers;

/// <summary>A prediction step that could not be placed near its location, in the words of a Kubernetes Event.</summary>
/// <param name="Namespace">The step's namespace.</param>
/// <param name="Owner">Whom the event is about.</param>
/// <param name="Reason">Why, in one word of a fixed few.</param>
/// <param name="Message">What the step's author should know.</param>
readonly record struct PlacementProblem(string Namespace, InvolvedObject Owner, string Reason, string Message)
{
    /// <summary>The word for a decision with which nobody can be content; <see langword="null"/> for all others.</summary>
    internal static string? ReasonFor(Decision decision, PlacementPolicy policy) => decision switch
    {
        { Step.Type: not StepType.Predict } => null,
        { Outcome: Outcome.NoLocation } => "LocationMissing",
        { Outcome: Outcome.UnknownLocation } => "LocationUnknown",
        { Outcome: Outcome.NoCandidate } => "NoMachineCanRunStep",
        { Outcome: Outcome.TooComplex } => "StepTooComplex",
        { Outcome: Outcome.Placed, ReservesCapacity: false } => "NearMachinesFull",
        { Outcome: Outcome.Placed } when decision.LatencyMs > policy.NearMs(decision.NearestMs) => "PlacedFarAway",
        _ => null,
    };

    /// <summary>The same in a sentence.</summary>
    internal static string MessageFor(Decision decision, string reason, string pod) => reason switch
    {
        "NearMachinesFull" => $"Pod {pod}: every machine near {decision.Step.Location} that could run this prediction step is full; it waits for one of them or runs further away",
        "PlacedFarAway" => string.Create(
            CultureInfo.InvariantCulture,
            $"Pod {pod}: this prediction step goes to {decision.Chosen?.Name}, {decision.LatencyMs:0.###} ms from {decision.Step.Location}; the machines nearer to it, down to {decision.NearestMs:0.###} ms, cannot take it"),
        // The last warning says why the step was left alone; those before it are about hints that were not understood.
        _ => $"Pod {pod}: {(decision.Warnings.Count > 0 ? decision.Warnings[^1] : decision.Explanation)}",
    };
}
