namespace AdmissionLas.Placement;

/// <summary>
/// Finds out what a pod is in its pipeline, by a short ordered list: admin rules that win over labels; our labels; our annotations;
/// the other admin rules; and, for the location alone, the namespace's default.
/// </summary>
public sealed class StepRules
{
    /// <summary>The prefixed key for the type, as label or annotation; it wins over the bare label.</summary>
    public const string ComponentKey = "admissionlas.io/component";

    /// <summary>The prefixed key for the location, as label or annotation.</summary>
    public const string LocationKey = "admissionlas.io/location";

    /// <summary>The label with which later versions of KFP tell their drivers: <c>container-driver</c>, <c>dag-driver</c>.</summary>
    public const string PodRoleKey = "pipelines.kubeflow.org/pod-role";

    const string PrefixedComponentLabel = $"label {ComponentKey}";
    const string ComponentAnnotation = $"annotation {ComponentKey}";
    const string PrefixedLocationLabel = $"label {LocationKey}";
    const string LocationAnnotation = $"annotation {LocationKey}";

    static readonly Step NoStep = new(null, "no rule");
    static readonly Step Driver = new(null, "KFP driver");

    readonly string componentLabel;
    readonly string locationLabel;
    readonly string bareComponentRule;
    readonly string bareLocationRule;
    readonly IReadOnlyList<StepKind> kinds;
    readonly Dictionary<string, Step> byPrefixedLabel;
    readonly Dictionary<string, Step> byBareLabel;
    readonly Dictionary<string, Step> byAnnotation;
    readonly StepRule[] winning;
    readonly StepRule[] following;
    readonly IReadOnlyDictionary<string, string> defaultLocations;

    /// <summary>Sets up the list.</summary>
    /// <param name="componentLabel">The bare label key for the type.</param>
    /// <param name="locationLabel">The bare label key for the location.</param>
    /// <param name="rules">The admin's rules in order.</param>
    /// <param name="defaultLocations">Default location by namespace.</param>
    /// <param name="kinds">The kinds of step; those of the product when left out.</param>
    public StepRules(
        string componentLabel = "typeOfComponent",
        string locationLabel = "OurLocation",
        IReadOnlyList<StepRule>? rules = null,
        IReadOnlyDictionary<string, string>? defaultLocations = null,
        IReadOnlyList<StepKind>? kinds = null)
    {
        this.kinds = kinds ?? StepKinds.Default;
        this.componentLabel = componentLabel;
        this.locationLabel = locationLabel;
        bareComponentRule = $"label {componentLabel}";
        bareLocationRule = $"label {locationLabel}";
        byPrefixedLabel = StepsByWord(PrefixedComponentLabel);
        byBareLabel = StepsByWord(bareComponentRule);
        byAnnotation = StepsByWord(ComponentAnnotation);
        this.defaultLocations = defaultLocations ?? new Dictionary<string, string>();
        winning = [.. (rules ?? []).Where(r => r.WinsOverLabel)];
        following = [.. (rules ?? []).Where(r => !r.WinsOverLabel)];
        AnnotationKeys = rules is null or [] ? [ComponentKey, LocationKey] : [ComponentKey, LocationKey, StepRule.ArgoNodeNameKey];
        LabelKeys = [componentLabel, locationLabel, ComponentKey, LocationKey, PodRoleKey, .. (rules ?? []).SelectMany(r => r.LabelKeys).Distinct()];
    }

    /// <summary>Every label key that a rule looks at; a reader may skip all others.</summary>
    public IReadOnlyList<string> LabelKeys { get; }

    /// <summary>Every annotation key that a rule looks at.</summary>
    public IReadOnlyList<string> AnnotationKeys { get; }

    /// <summary>What the pod is, and which rule said so.</summary>
    public Step Classify(PodFacts pod)
    {
        if (pod.IsPipelineDriver || pod.Label(PodRoleKey)?.EndsWith("-driver", StringComparison.Ordinal) == true)
        {
            return Driver;
        }

        var byWinning = ByRule(winning, pod);
        var step = byWinning ?? ByWords(pod) ?? ByRule(following, pod) ?? NoStep;
        if (step.Kind is not { HasLocation: true })
        {
            return step;
        }

        var (location, rule) = FindLocation(pod, byWinning, step);
        return step with { Location = location, LocationRule = rule };
    }

    // One for each word: they come again with every review.
    Dictionary<string, Step> StepsByWord(string rule) =>
        kinds.SelectMany(kind => kind.Words, (kind, word) => (word, kind)).ToDictionary(w => w.word, w => new Step(w.kind, rule), StringComparer.OrdinalIgnoreCase);

    Step? ByWords(PodFacts pod) =>
        ByWord(pod.Label(ComponentKey), byPrefixedLabel, PrefixedComponentLabel) ??
        ByWord(pod.Label(componentLabel), byBareLabel, bareComponentRule) ??
        ByWord(pod.Annotation(ComponentKey), byAnnotation, ComponentAnnotation);

    // An unknown word still says that the step is something else. It must not be handed on to a rule.
    Step? ByWord(string? word, Dictionary<string, Step> steps, string rule) =>
        string.IsNullOrEmpty(word) ? null
        : steps.TryGetValue(word, out var step) ? step
        : new Step(null, rule, Warning: ClosestName.Of(word, [.. kinds.SelectMany(k => k.Words)]) is { } meant ? new UnknownStepType(rule, word, meant) : null);

    static Step? ByRule(StepRule[] rules, PodFacts pod) => First(rules, pod, static rule => rule.GivesKind) is { } rule
        ? new Step(rule.Kind, $"rule {rule.Name}", rule.Location, rule.Location is null ? null : $"rule {rule.Name}")
        : null;

    // The rule that decided the type is asked before the others of its kind, for its admin knew both. Unless it is marked to win over
    // labels it does not win over this one either.
    (string? Location, string? Rule) FindLocation(PodFacts pod, Step? byWinning, Step found) =>
        If(byWinning?.Location, byWinning?.LocationRule) ??
        LocationByRule(winning, pod) ??
        If(pod.Label(LocationKey), PrefixedLocationLabel) ??
        If(pod.Label(locationLabel), bareLocationRule) ??
        If(pod.Annotation(LocationKey), LocationAnnotation) ??
        If(found.Location, found.LocationRule) ??
        LocationByRule(following, pod) ??
        (defaultLocations.TryGetValue(pod.Namespace, out var byNamespace) ? (byNamespace, $"default of namespace {pod.Namespace}") : (null, null));

    static (string?, string?)? If(string? location, string? rule) => string.IsNullOrEmpty(location) ? null : (location, rule);

    static (string?, string?)? LocationByRule(StepRule[] rules, PodFacts pod) =>
        First(rules, pod, static rule => rule.Location is not null) is { } rule ? (rule.Location, $"rule {rule.Name}") : null;

    static StepRule? First(StepRule[] rules, PodFacts pod, Func<StepRule, bool> says)
    {
        foreach (var rule in rules)
        {
            if (says(rule) && rule.Matches(pod))
            {
                return rule;
            }
        }

        return null;
    }
}
