namespace AdmissionLas.Placement;

/// <summary>
/// An admin's rule: when every stated pattern matches, the pod is a step of this type, at this location.
/// It exists because Kubeflow Pipelines 2.0 to 2.3 drop pod labels or give every executor those of the first
/// (kubeflow/pipelines issues 11077, 11187, 11316, 11958).
/// </summary>
public sealed record StepRule
{
    /// <summary>The label that KServe sets to the InferenceService's name on a predictor's pods.</summary>
    public const string InferenceServiceKey = "serving.kserve.io/inferenceservice";

    /// <summary>The label that KServe sets to <c>predictor</c>, <c>transformer</c> or <c>explainer</c>.</summary>
    public const string KServeComponentKey = "component";

    /// <summary>The annotation that Argo sets to the step's path in its workflow.</summary>
    public const string ArgoNodeNameKey = "workflows.argoproj.io/node-name";

    /// <summary>The name shown in decisions.</summary>
    public required string Name { get; init; }

    /// <summary>Pattern for the namespace.</summary>
    public string? Namespace { get; init; }

    /// <summary>Pattern for the annotation <see cref="ArgoNodeNameKey"/>.</summary>
    public string? NodeName { get; init; }

    /// <summary>Pattern for the KFP v2 executor's <c>--function_to_execute</c>.</summary>
    public string? Function { get; init; }

    /// <summary>Pattern for the InferenceService of a KServe predictor.</summary>
    public string? InferenceService { get; init; }

    /// <summary>Patterns for labels, by key.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether the rule says what the pod is; otherwise it only gives a location.</summary>
    public bool GivesKind { get; private init; }

    /// <summary>The kind that the rule gives, where it gives one; <see langword="null"/> says that the pod is no step.</summary>
    public StepKind? Kind
    {
        get;
        init
        {
            field = value;
            GivesKind = true;
        }
    }

    /// <summary>The location that the rule gives, if any.</summary>
    public string? Location { get; init; }

    /// <summary>Whether the rule is asked before the pod's own labels and annotations.</summary>
    public bool WinsOverLabel { get; init; }

    /// <summary>Whether the rule states any pattern; one that does not would match every pod.</summary>
    public bool HasPattern => Namespace is not null || NodeName is not null || Function is not null || InferenceService is not null || Labels.Count > 0;

    /// <summary>The label keys that the rule looks at.</summary>
    public IEnumerable<string> LabelKeys => InferenceService is null ? Labels.Keys : Labels.Keys.Append(InferenceServiceKey).Append(KServeComponentKey);

    /// <summary>Whether every stated pattern matches the pod.</summary>
    public bool Matches(PodFacts pod) =>
        HasPattern && Matches(Namespace, pod.Namespace) && Matches(NodeName, pod.Annotation(ArgoNodeNameKey)) && Matches(Function, pod.FunctionToExecute) &&
        (InferenceService is null || (pod.Label(KServeComponentKey) == "predictor" && Matches(InferenceService, pod.Label(InferenceServiceKey)))) &&
        Labels.All(label => Matches(label.Value, pod.Label(label.Key)));

    static bool Matches(string? pattern, string? text) => pattern is null || (text is not null && Glob.Matches(pattern, text));
}
