namespace AdmissionLas.Placement;

/// <summary>
/// A kind of pipeline step that the webhook places. Each kind is one sealed class in one file, and an entry in <see cref="StepKinds.Default"/>.
/// </summary>
public abstract class StepKind
{
    string? component;

    /// <summary>The name, as the audit log, the page and <c>explain</c> show it: <c>Predict</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The words that mean this kind in labels, annotations and rules, in any letter case. The first is the one to suggest.</summary>
    public abstract IReadOnlyList<string> Words { get; }

    /// <summary>Whether such a step belongs near a location. Only then is a location looked for, shown and counted.</summary>
    public virtual bool HasLocation => false;

    /// <summary>The name in lower case: the metrics' label <c>component</c>, and the first word of an explanation.</summary>
    public string Component => component ??= Name.ToLowerInvariant();

    /// <summary>What it means for the pod's author that such a step is not placed: the beginning of a warning.</summary>
    /// <param name="location">The step's location, short enough to be repeated; <see langword="null"/> when it has none.</param>
    public abstract string WhenNotPlaced(string? location);

    /// <summary>
    /// Decides where the pod should run. It must not throw, and must not ask more of the pod than its author did where that could leave it
    /// without a node: a preference cannot strand a pod, a requirement can. Where no node can run the pod it returns <see cref="Unplaced"/>.
    /// </summary>
    public abstract Decision Place(in PlacementRequest request);

    /// <summary>The decision to leave the step to the default scheduler.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="outcome">How the review ended.</param>
    /// <param name="reason">Why; the pod's author is warned of it.</param>
    protected internal static Decision Unplaced(in PlacementRequest request, Outcome outcome, Reason reason)
    {
        request.Warnings.Add(new NotPlaced(reason));
        return new Decision { Outcome = outcome, Step = request.Step, Mode = request.Mode, Warnings = request.Warnings, Reason = reason };
    }
}

/// <summary>All that a decision depends on.</summary>
/// <param name="Step">What the pod is.</param>
/// <param name="Pod">The pod as its author wrote it.</param>
/// <param name="View">The nodes.</param>
/// <param name="Usage">What their pods use.</param>
/// <param name="Policy">The admin's choices.</param>
/// <param name="Mode">How hard the pod is tied to the near nodes, by its annotation or the policy.</param>
/// <param name="Warnings">What the author should know so far; a kind adds to it.</param>
public readonly record struct PlacementRequest(
    Step Step, PodFacts Pod, ClusterView View, ClusterUsage Usage, PlacementPolicy Policy, PlacementMode Mode, List<Notice> Warnings)
{
    /// <summary>
    /// The most required terms that a pod is left with, and the most requirements and values in them; with more of its own it is pinned by host name. A
    /// term by name takes one node, so the author's are copied for each, and etcd takes no pod over 1.5 MiB.
    /// </summary>
    const int MaxTerms = 64, MaxCopied = 1024;

    /// <summary>Whether the pod could evict others that run now, or that come before it is scheduled.</summary>
    public bool CanPreempt => !Pod.NeverPreempts && Pod.Priority > Usage.LowestPriority;

    /// <summary>How a requirement names nodes: by name, else by host name.</summary>
    public bool PinsByName =>
        (Policy.NodeTerms == NodeTermForm.Auto ? View.TakesTermsByName : Policy.NodeTerms == NodeTermForm.Names) &&
        (Pod.RequiredTerms?.Count ?? 1) * PlacementPolicy.NamedNodesLimit <= MaxTerms &&
        NodeFilter.Comparisons(Pod.RequiredTerms) * PlacementPolicy.NamedNodesLimit <= MaxCopied;

    /// <summary>Whether a requirement can name the node.</summary>
    public bool CanPin(NodeFacts node) => PinsByName || View.UniqueHostname(node) is not null;

    /// <summary>Why the pod is merely preferred whatever room there is; <see langword="null"/> when it need not be.</summary>
    /// <param name="chosen">The node that should win.</param>
    public Softening? WhyNotRequired(NodeFacts chosen) =>
        Pod.IsGated ? new Softening(SofteningCause.Gated)
        : Pod.HasOtherScheduler ? new Softening(SofteningCause.OtherScheduler)
        : Pod.SchedulerOnlyConstraint is { } constraint ? new Softening(SofteningCause.SchedulerOnlyConstraint, constraint)
        : Pod.MayBeRepelledFrom?.Contain(chosen) == true ? new Softening(SofteningCause.UnknownAntiAffinity)
        : !CanPin(chosen) ? new Softening(SofteningCause.NoOwnHostname, NodeName: chosen.Name)
        : null;

    /// <summary>A requirement for those of the nodes that it can name.</summary>
    public NodePin Pin(ReadOnlySpan<RankedNode> nodes)
    {
        var (pinned, count) = (new NodeFacts[nodes.Length], 0);
        foreach (var (node, _) in nodes)
        {
            if (CanPin(node))
            {
                pinned[count++] = node;
            }
        }

        return new NodePin(count == pinned.Length ? pinned : pinned[..count], PinsByName);
    }
}

/// <summary>The kinds of step that a webhook knows.</summary>
public static class StepKinds
{
    /// <summary>A step that answers requests, and belongs near those who ask.</summary>
    public static StepKind Predict { get; } = new PredictKind();

    /// <summary>A step that needs a big machine.</summary>
    public static StepKind Training { get; } = new TrainingKind();

    /// <summary>Every kind of the product.</summary>
    public static IReadOnlyList<StepKind> Default { get; } = [Predict, Training];

    /// <summary>The kind that a word names; <see langword="null"/> for an unknown word.</summary>
    public static StepKind? Find(string word) => Default.FirstOrDefault(kind => kind.Words.Contains(word, StringComparer.OrdinalIgnoreCase));
}
