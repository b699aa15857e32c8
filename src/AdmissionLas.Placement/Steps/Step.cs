namespace AdmissionLas.Placement;

/// <summary>What a pod is in its pipeline, and who said so.</summary>
/// <param name="Type">The type found.</param>
/// <param name="TypeRule">Who decided the type, such as <c>label typeOfComponent</c> or <c>rule serve-in-team-a</c>.</param>
/// <param name="Location">Where the requests come from; <see langword="null"/> when nothing says.</param>
/// <param name="LocationRule">Who decided the location.</param>
/// <param name="Warning">What the author should know, or <see langword="null"/>.</param>
public sealed record Step(StepType Type, string TypeRule, string? Location = null, string? LocationRule = null, string? Warning = null);
