namespace AdmissionLas.Experiment;

/// <summary>What the experiment's pods are.</summary>
enum PodKind
{
    /// <summary>A predict step.</summary>
    Predict,

    /// <summary>A training step.</summary>
    Training,

    /// <summary>No step: something that was there before.</summary>
    Other,
}

/// <summary>A pod that a scenario creates.</summary>
/// <param name="Name">Its name, the same in every mode.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Location">A predict step's location.</param>
/// <param name="Json">The pod as its author writes it.</param>
/// <param name="Final">What others make of it before the scheduler gets it; <see langword="null"/> for nothing.</param>
sealed record PlannedPod(string Name, PodKind Kind, string? Location, JsonObject Json, JsonObject? Final = null)
{
    /// <summary>What the pod that runs asks for.</summary>
    internal PodFacts Facts => field ??= ClusterAt.FactsOf(Final ?? Json);
}

/// <summary>Something that happens in a scenario.</summary>
abstract record Act
{
    /// <summary>Pods are created, many at a time.</summary>
    /// <param name="Pods">The pods.</param>
    /// <param name="Meanwhile">What happens after so many of them.</param>
    internal sealed record Burst(IReadOnlyList<PlannedPod> Pods, params (int After, Act Act)[] Meanwhile) : Act;

    /// <summary>Pods are gone.</summary>
    internal sealed record Depart(IReadOnlyList<string> Pods) : Act;

    /// <summary>A node becomes another, by a merge patch.</summary>
    internal sealed record Change(string Node, JsonObject Patch) : Act;

    /// <summary>Pods are changed by a merge patch, as the one who opens a gate does.</summary>
    internal sealed record ChangePods(IReadOnlyList<string> Pods, JsonObject Patch) : Act;

    /// <summary>A node is gone.</summary>
    internal sealed record Vanish(string Node) : Act;

    /// <summary>Until every pod is bound that can be, and the webhook has seen it.</summary>
    internal sealed record Settle : Act;
}

/// <summary>Nodes and what happens on them; the same for every mode.</summary>
/// <param name="Nodes">The nodes.</param>
/// <param name="Acts">In order.</param>
sealed record Plan(IReadOnlyList<JsonObject> Nodes, IReadOnlyList<Act> Acts)
{
    /// <summary>The selector values of headless Services, by the pods' label app.</summary>
    internal IReadOnlyList<string> Services { get; init; } = [];

    /// <summary>A priority class above that of other pods, by name.</summary>
    internal string? PriorityClass { get; init; }

    /// <summary>The JSON Patch of a webhook that is called after ours; <see langword="null"/> for none.</summary>
    internal string? Injects { get; init; }
}

/// <summary>A situation to compare the modes in.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it is, in a line.</param>
/// <param name="Make">The plan for a seed.</param>
sealed record Scenario(string Name, string Summary, Func<Random, Plan> Make)
{
    /// <summary>How the scheduler and the webhook's policy score nodes.</summary>
    internal ScoringStrategy Scoring { get; init; }

    /// <summary>The first minor release of Kubernetes that can do this.</summary>
    internal int SinceMinor { get; init; }
}
