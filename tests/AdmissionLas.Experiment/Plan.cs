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
sealed record PlannedPod(string Name, PodKind Kind, string? Location, JsonObject Json)
{
    /// <summary>What its author asks for.</summary>
    internal PodFacts Facts => field ??= ClusterAt.FactsOf(Json);
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

    /// <summary>A node is gone.</summary>
    internal sealed record Vanish(string Node) : Act;

    /// <summary>Until every pod is bound that can be, and the webhook has seen it.</summary>
    internal sealed record Settle : Act;
}

/// <summary>Nodes and what happens on them; the same for every mode.</summary>
/// <param name="Nodes">The nodes.</param>
/// <param name="Acts">In order.</param>
sealed record Plan(IReadOnlyList<JsonObject> Nodes, IReadOnlyList<Act> Acts);

/// <summary>A situation to compare the modes in.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Summary">What it is, in a line.</param>
/// <param name="Make">The plan for a seed.</param>
sealed record Scenario(string Name, string Summary, Func<Random, Plan> Make);
