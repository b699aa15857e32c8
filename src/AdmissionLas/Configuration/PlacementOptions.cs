using System.ComponentModel.DataAnnotations;

namespace AdmissionLas.Configuration;

/// <summary>How predict steps are placed; section <c>placement</c>. Reloaded when the file changes.</summary>
sealed class PlacementOptions
{
    internal const string Section = "placement";

    /// <summary><c>adaptive</c>, <c>preferred</c>, <c>required</c> or <c>off</c>.</summary>
    public PlacementMode Mode { get; set; } = PlacementMode.Adaptive;

    /// <summary>The farthest that steps without a hint should run from their location, by namespace.</summary>
    public IDictionary<string, string> MaxLatencies { get; set; } = new Dictionary<string, string>();

    /// <summary><c>auto</c>, <c>hostnames</c> or <c>names</c>.</summary>
    public NodeTermForm NodeTerms { get; set; }

    /// <summary><c>nearest</c> or <c>near</c>.</summary>
    public SpreadMode Spread { get; set; }

    /// <summary>The most nodes that a patch names.</summary>
    [Range(1, PlacementPolicy.NamedNodesLimit)]
    public int NamedNodes { get; set; } = 8;

    /// <summary>A node is near when its latency is at most this many times the nearest one's …</summary>
    [Range(1.0, 1000.0)]
    public double NearFactor { get; set; } = 2;

    /// <summary>… or at most this much above it, milliseconds.</summary>
    [Range(0.0, 60_000.0)]
    public double NearSlackMs { get; set; } = 1;

    /// <summary>In adaptive mode: the weight of the scheduler's NodeAffinity plugin.</summary>
    [Range(1, 100)]
    public int NodeAffinityWeight { get; set; } = 2;

    /// <summary>In adaptive mode: the strategy of the scheduler's NodeResourcesFit plugin, or <c>unknown</c>.</summary>
    public ScoringStrategy ScoringStrategy { get; set; }
}

/// <summary>Which requests and nodes training steps get; section <c>training</c>. Reloaded when the file changes.</summary>
sealed class TrainingOptions
{
    internal const string Section = "training";

    /// <summary>Whether containers without requests get some: <c>on</c> or <c>off</c>.</summary>
    public TrainingRequests Requests { get; set; } = TrainingRequests.On;

    /// <summary>The CPU request for a container without one.</summary>
    [Required]
    public string Cpu { get; set; } = "2";

    /// <summary>The memory request for a container without one.</summary>
    [Required]
    public string Memory { get; set; } = "4Gi";

    /// <summary>The label selector of cloud nodes; empty to use capacity alone.</summary>
    public string CloudSelector { get; set; } = "admissionlas.io/tier=cloud";

    /// <summary>A node is in the top class from this share of the largest node's capacity on.</summary>
    [Range(0.01, 1.0)]
    public double TopClassShare { get; set; } = 0.75;

    /// <summary>Patterns for containers that the platform adds, beside the well-known ones; the webhook gives them no requests.</summary>
    public IList<string> PlatformContainers { get; set; } = [];
}

/// <summary>How the webhook finds a pod's step type and location; section <c>steps</c>. Reloaded when the file changes.</summary>
sealed class StepOptions
{
    internal const string Section = "steps";

    internal const string DefaultComponentLabel = "typeOfComponent";

    /// <summary>The bare label key for the type.</summary>
    [Required]
    public string ComponentLabel { get; set; } = DefaultComponentLabel;

    /// <summary>The bare label key for the location.</summary>
    [Required]
    public string LocationLabel { get; set; } = "OurLocation";

    /// <summary>The admin's rules in order.</summary>
    public IList<StepRuleOptions> Rules { get; set; } = [];

    /// <summary>Default location by namespace.</summary>
    public IDictionary<string, string> DefaultLocations { get; set; } = new Dictionary<string, string>();
}

/// <summary>One rule; every pattern that is set must match, and <c>*</c> stands for any characters.</summary>
sealed class StepRuleOptions
{
    /// <summary>The name shown in decisions.</summary>
    public string Name { get; set; } = "";

    /// <summary>Pattern for the namespace.</summary>
    public string? Namespace { get; set; }

    /// <summary>Pattern for Argo's node name.</summary>
    public string? NodeName { get; set; }

    /// <summary>Pattern for the KFP v2 executor's function.</summary>
    public string? Function { get; set; }

    /// <summary>Pattern for the InferenceService of a KServe predictor.</summary>
    public string? InferenceService { get; set; }

    /// <summary>Patterns for labels, by key.</summary>
    public IDictionary<string, string> Labels { get; set; } = new Dictionary<string, string>();

    /// <summary>The type that the rule gives: Predict, Training or None.</summary>
    public string? Component { get; set; }

    /// <summary>The location that the rule gives.</summary>
    public string? Location { get; set; }

    /// <summary>Whether the rule comes before the pod's own labels.</summary>
    public bool WinsOverLabel { get; set; }
}
