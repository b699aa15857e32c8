namespace AdmissionLas.Placement;

/// <summary>What a pod is in its pipeline, and which rule says so.</summary>
/// <param name="Kind">The kind of step; <see langword="null"/> for a pod that is left untouched.</param>
/// <param name="TypeRule">What decided the kind, such as <c>label typeOfComponent</c> or <c>rule serve-in-team-a</c>.</param>
/// <param name="Location">Where the requests come from; <see langword="null"/> when nothing says.</param>
/// <param name="LocationRule">What decided the location.</param>
/// <param name="Warning">What the author should know, or <see langword="null"/>.</param>
public sealed record Step(StepKind? Kind, string TypeRule, string? Location = null, string? LocationRule = null, Notice? Warning = null)
{
    /// <summary>The type as the audit log, the page and <c>explain</c> show a pod that is no step of ours.</summary>
    public const string Other = "Other";

    /// <summary>The kind's name, or <see cref="Other"/>.</summary>
    public string Type => Kind?.Name ?? Other;
}
