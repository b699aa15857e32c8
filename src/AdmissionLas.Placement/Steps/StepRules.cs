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
    readonly string bareLocationLabel;
    readonly Step[] byBareLabel;
    readonly IReadOnlyList<StepRule> winning;
    readonly IReadOnlyList<StepRule> following;
    readonly IReadOnlyDictionary<string, string> defaultLocations;

    /// <summary>Sets up the list.</summary>
    /// <param name="componentLabel">The bare label key for the type.</param>
    /// <param name="locationLabel">The bare label key for the location.</param>
    /// <param name="rules">The admin's rules in order.</param>
    /// <param name="defaultLocations">Default location by namespace.</param>
    public StepRules(
        string componentLabel = "typeOfComponent",
        string locationLabel = "OurLocation",
        IReadOnlyList<StepRule>? rules = null,
        IReadOnlyDictionary<string, string>? defaultLocations = null)
    {
        this.componentLabel = componentLabel;
        this.locationLabel = locationLabel;
        byBareLabel = StepsBy($"label {componentLabel}");
        bareLocationLabel = $"label {locationLabel}";
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
            return new Step(StepType.Other, "KFP driver");
        }

        var byWinning = ByRule(winning, pod);
        if ((byWinning ?? ByWords(pod) ?? ByRule(following, pod)) is not { } found)
        {
            return NoStep;
        }

        if (found.Type != StepType.Predict)
        {
            return found;
        }

        var (location, rule) = FindLocation(pod, byWinning, found);
        return found with { Location = location, LocationRule = rule };
    }

    static readonly Step NoStep = new(StepType.Other, "no rule");
    static readonly Step[] ByPrefixedLabel = StepsBy($"label {ComponentKey}");
    static readonly Step[] ByAnnotation = StepsBy($"annotation {ComponentKey}");

    // One for each type: they come again with every review.
    static Step[] StepsBy(string rule) => [.. Enum.GetValues<StepType>().Select(type => new Step(type, rule))];

    Step? ByWords(PodFacts pod) =>
        ByWord(pod.Label(ComponentKey), ByPrefixedLabel) ??
        ByWord(pod.Label(componentLabel), byBareLabel) ??
        ByWord(pod.Annotation(ComponentKey), ByAnnotation);

    static Step? ByRule(IReadOnlyList<StepRule> rules, PodFacts pod)
    {
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i].Type is { } type && rules[i].Matches(pod))
            {
                return new Step(type, $"rule {rules[i].Name}", rules[i].Location, rules[i].Location is null ? null : $"rule {rules[i].Name}");
            }
        }

        return null;
    }

    // A word that we do not know still speaks: it says that the step is something else. It must not be handed on to a rule.
    static Step? ByWord(string? word, Step[] steps)
    {
        if (string.IsNullOrEmpty(word))
        {
            return null;
        }

        var step = steps[(int)StepTypeNames.Parse(word)];
        return step.Type == StepType.Other && ClosestName.Of(word, StepTypeNames.Known) is { } meant
            ? step with { Warning = $"{step.TypeRule}={Words.Shorten(word)} is no kind of step that is known, so nothing is done for it; did you mean {meant}?" }
            : step;
    }

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
            return (bare, bareLocationLabel);
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
