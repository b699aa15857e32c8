namespace AdmissionLas.Placement;

/// <summary>What is spoken for on a node.</summary>
/// <param name="Requested">What its pods request together.</param>
/// <param name="Pods">How many they are.</param>
public sealed record NodeUsage(Resources Requested, long Pods)
{
    /// <summary>The CPU and memory that they count as for scores together: <see cref="EffectiveRequest.Scored"/>.</summary>
    public Resources Scored { get; init; } = Requested;

    /// <summary>Both together.</summary>
    public NodeUsage Plus(NodeUsage more) => new(Requested.Plus(more.Requested), Pods + more.Pods) { Scored = Scored.Plus(more.Scored) };

    /// <summary>Nothing at all, or nothing that is known.</summary>
    public static NodeUsage None { get; } = new(Resources.None, 0);
}
