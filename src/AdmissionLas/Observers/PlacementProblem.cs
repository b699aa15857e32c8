using System.Text.RegularExpressions;

namespace AdmissionLas.Observers;

/// <summary>A step that could not be placed near its location, in the words of a Kubernetes Event.</summary>
/// <param name="Namespace">The step's namespace.</param>
/// <param name="Owner">What it is about: the object that created the pod, which its author knows, else the pod itself.</param>
/// <param name="Reason">Why, in one word of a fixed few.</param>
/// <param name="Message">What the step's author should know.</param>
readonly partial record struct PlacementProblem(string Namespace, OwnerReference Owner, string Reason, string Message)
{
    /// <summary>The most characters of an Event's message that the API server takes, less the ellipsis (pkg/apis/core/validation/events.go).</summary>
    internal const int LongestMessage = 1023;

    /// <summary>
    /// The problem that a review shows; <see langword="null"/> when there is none, when a dry run creates no pod, or when the names in it are none that
    /// Kubernetes accepts: whoever sent that is not the API server, or its pod will be refused.
    /// </summary>
    internal static PlacementProblem? Of(ReviewResult result, PlacementPolicy policy) =>
        !result.Review.IsDryRun && result is { Review.Pod: { } pod, Decision: { } decision } && ReasonFor(decision, policy) is { } reason &&
        NameSyntax.CanBeCreated(pod.Name, pod.HasPrefixOnly, pod.Facts) && (pod.Controller is not { } controller || IsValid(controller))
            ? new PlacementProblem(pod.Facts.Namespace, pod.Controller ?? new OwnerReference("v1", "Pod", pod.Name, ""), reason, PlainText.Cut(PlainText.Of($"Pod {pod.Name}: {MessageFor(result, decision, reason)}"), LongestMessage))
            : null;

    static bool IsValid(OwnerReference owner) =>
        NameSyntax.IsSubdomain(owner.Name) && Kind().IsMatch(owner.Kind) && owner.ApiVersion.Length <= NameSyntax.LongestName && ApiVersion().IsMatch(owner.ApiVersion) && Uid().IsMatch(owner.Uid);

    [GeneratedRegex(@"^[A-Za-z][A-Za-z0-9-]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Kind();

    [GeneratedRegex(@"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[a-z][a-z0-9-]{0,62}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex ApiVersion();

    [GeneratedRegex(@"^[A-Za-z0-9._:-]{0,128}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Uid();

    internal static string? ReasonFor(Decision decision, PlacementPolicy policy) => decision switch
    {
        { Step.Kind: not { HasLocation: true } } => null,
        { Outcome: Outcome.NoLocation } => "LocationMissing",
        { Outcome: Outcome.UnknownLocation } => "LocationUnknown",
        { Outcome: Outcome.NoCandidate } => "NoMachineCanRunStep",
        { Outcome: Outcome.TooComplex } => "StepTooComplex",
        { Outcome: Outcome.Placed, HasRoom: false } => "NearMachinesFull",
        { Outcome: Outcome.Placed } when decision.LatencyMs > policy.NearMs(decision.NearestMs) => "PlacedFarAway",
        _ => null,
    };

    static string MessageFor(ReviewResult result, Decision decision, string reason) => reason switch
    {
        "NearMachinesFull" => $"every machine near {decision.Step.Location} that could run this prediction step is full; it waits for one of them or runs further away",
        "PlacedFarAway" => string.Create(
            CultureInfo.InvariantCulture,
            $"this prediction step goes to {decision.Chosen?.Name}, {decision.LatencyMs:0.###} ms from {decision.Step.Location}; the machines nearer to it, down to {decision.NearestMs:0.###} ms, cannot take it or are kept for other work where possible"),
        // The last warning says why the step was left alone; those before it are about hints that were not understood.
        _ => result.Warnings.Count > 0 ? result.Warnings[^1] : result.Explanation,
    };
}
