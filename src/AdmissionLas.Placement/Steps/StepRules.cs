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

    const string PrefixedLocationLabel = $"label {LocationKey}";
    const string LocationAnnotation = $"annotation {LocationKey}";

    readonly string componentLabel;
    readonly string locationLabel;
    readonly string bareComponentRule;
    readonly string bareLocationRule;
    readonly IReadOnlyList<StepKind> kinds;
    readonly Dictionary<StepKind, Step> byPrefixedLabel;
    readonly Dictionary<StepKind, Step> byBareLabel;
    readonly Dictionary<StepKind, Step> byAnnotation;
    readonly IReadOnlyList<StepRule> winning;
    readonly IReadOnlyList<StepRule> following;
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
        byPrefixedLabel = StepsBy($"label {ComponentKey}");
        byBareLabel = StepsBy($"label {componentLabel}");
        byAnnotation = StepsBy($"annotation {ComponentKey}");
        bareComponentRule = $"label {componentLabel}";
        bareLocationRule = $"label {locationLabel}";
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
        if ((byWinning ?? ByWords(pod) ?? ByRule(following, pod)) is not { } found)
        {
            return NoStep;
        }

        if (found.Kind is not { HasLocation: true })
        {
            return found;
        }

        var (location, rule) = FindLocation(pod, byWinning, found);
        return found with { Location = location, LocationRule = rule };
    }

    static readonly Step NoStep = new(null, "no rule");
    static readonly Step Driver = new(null, "KFP driver");

    // One for each kind: they come again with every review.
    Dictionary<StepKind, Step> StepsBy(string rule) => kinds.ToDictionary(kind => kind, kind => new Step(kind, rule));

    Step? ByWords(PodFacts pod) =>
        ByWord(pod.Label(ComponentKey), byPrefixedLabel, $"label {ComponentKey}") ??
        ByWord(pod.Label(componentLabel), byBareLabel, bareComponentRule) ??
        ByWord(pod.Annotation(ComponentKey), byAnnotation, $"annotation {ComponentKey}");

    static Step? ByRule(IReadOnlyList<StepRule> rules, PodFacts pod)
    {
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i].GivesKind && rules[i].Matches(pod))
            {
                return new Step(rules[i].Kind, $"rule {rules[i].Name}", rules[i].Location, rules[i].Location is null ? null : $"rule {rules[i].Name}");
            }
        }

        return null;
    }

    // An unknown word still says that the step is something else. It must not be handed on to a rule.
    Step? ByWord(string? word, Dictionary<StepKind, Step> steps, string rule) =>
        string.IsNullOrEmpty(word) ? null
        : StepKinds.Find(kinds, word) is { } kind ? steps[kind]
        : new Step(null, rule, Warning: ClosestName.Of(word, kinds.SelectMany(k => k.Words)) is { } meant ? new UnknownStepType(rule, word, meant) : null);

    (string? Location, string? Rule) FindLocation(PodFacts pod, Step? byWinning, Step found)
    {
        // The rule that decided the type is asked before the others of its kind, for its admin knew both. Unless it is marked to win over
        // labels it does not win over this one either.
        if (byWinning?.Location is { } byMarked)
        {
            return (byMarked, byWinning.LocationRule);
        }

        if (LocationByRule(winning, pod) is { } first)
        {
            return (first.Location, $"rule {first.Name}");
        }

        if (pod.Label(LocationKey) is { Length: > 0 } prefixed)
        {
            return (prefixed, PrefixedLocationLabel);
        }

        if (pod.Label(locationLabel) is { Length: > 0 } bare)
        {
            return (bare, bareLocationRule);
        }

        if (pod.Annotation(LocationKey) is { Length: > 0 } annotated)
        {
            return (annotated, LocationAnnotation);
        }

        if (found.Location is { } byUnmarked)
        {
            return (byUnmarked, found.LocationRule);
        }

        if (LocationByRule(following, pod) is { } last)
        {
            return (last.Location, $"rule {last.Name}");
        }

        return defaultLocations.TryGetValue(pod.Namespace, out var byNamespace)
            ? (byNamespace, $"default of namespace {pod.Namespace}")
            : (null, null);
    }

    static StepRule? LocationByRule(IReadOnlyList<StepRule> rules, PodFacts pod)
    {
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i].Location is not null && rules[i].Matches(pod))
            {
                return rules[i];
            }
        }

        return null;
    }
}
