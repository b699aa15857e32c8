namespace AdmissionLas.Placement;

/// <summary>How hard a Predict pod is tied to the near nodes.</summary>
public enum PlacementMode
{
    /// <summary>Preferred terms only: the pod runs elsewhere, in latency order, when the near nodes are full. Never strands a pod.</summary>
    Preferred,

    /// <summary>The near nodes are required, and ranked by preferred terms: the pod waits when they are full.</summary>
    Required,

    /// <summary>
    /// The nearest node with room and standbys that cannot win against it on the scheduler are required; where none of the near nodes
    /// has room, or where only the scheduler can judge the pod, they are merely preferred.
    /// </summary>
    Adaptive,

    /// <summary>The pod is left as it is.</summary>
    Off,
}

/// <summary>How a requirement names nodes.</summary>
public enum NodeTermForm
{
    /// <summary>By name where the scheduler takes it well, as far as the nodes tell its release; by host name elsewhere.</summary>
    Auto,

    /// <summary>By the host name label.</summary>
    Hostnames,

    /// <summary>By the field metadata.name.</summary>
    Names,
}

/// <summary>Where the replicas of a Predict step go.</summary>
public enum SpreadMode
{
    /// <summary>All of them to the nearest node, as long as it has room.</summary>
    Nearest,

    /// <summary>To any of the near nodes, among which the scheduler spreads them, and to no others; adaptive mode only.</summary>
    Near,
}

/// <summary>Whether training containers without requests get some.</summary>
public enum TrainingRequests
{
    /// <summary>They do, as far as some node has it free now: no step waits for what its author did not ask for.</summary>
    On,

    /// <summary>They do, and the step waits until a node has that much free; an autoscaler sees what it wants.</summary>
    Full,

    /// <summary>They do not, and the pod keeps its QoS class.</summary>
    Off,
}

/// <summary>The admin's choices, checked and ready to use.</summary>
public sealed record PlacementPolicy
{
    /// <summary>The most nodes that a patch may name.</summary>
    public const int NamedNodesLimit = 16;

    /// <summary>Which labels of a node count as latencies.</summary>
    public LatencyLabels LatencyLabels { get; init; } = LatencyLabels.All;

    /// <summary>The mode for pods without a hint.</summary>
    public PlacementMode Mode { get; init; } = PlacementMode.Adaptive;

    /// <summary>How a requirement names nodes.</summary>
    public NodeTermForm NodeTerms { get; init; }

    /// <summary>Where replicas go, for pods without a hint.</summary>
    public SpreadMode Spread { get; init; }

    /// <summary>How far Predict steps without a hint may run from their location, by namespace; milliseconds.</summary>
    public IReadOnlyDictionary<string, double> MaxLatenciesMs { get; init; } = new Dictionary<string, double>();

    /// <summary>How many nodes a patch names at most; 1 to <see cref="NamedNodesLimit"/>.</summary>
    public int NamedNodes { get; init; } = 8;

    /// <summary>In required mode, and where replicas spread over the near nodes, a node is near when its latency is at most this many times the nearest one's.</summary>
    public double NearFactor { get; init; } = 2;

    /// <summary>… or at most this much above it, milliseconds: below it no user feels a difference.</summary>
    public double NearSlackMs { get; init; } = 1;

    /// <summary>
    /// In adaptive mode: what the scheduler multiplies the points of its NodeAffinity plugin by. It is 2 as of Kubernetes 1.23 and 1 before.
    /// </summary>
    public int NodeAffinityWeight { get; init; } = 2;

    /// <summary>In adaptive mode: how the scheduler's plugin NodeResourcesFit counts.</summary>
    public ScoringStrategy ScoringStrategy { get; init; }

    /// <summary>Up to which latency a node is near, where the nearest has this one; milliseconds.</summary>
    public double NearMs(double nearestMs) => Math.Max(nearestMs * NearFactor, nearestMs + NearSlackMs);

    /// <summary>Whether training pods without a hint get requests.</summary>
    public TrainingRequests TrainingRequests { get; init; } = TrainingRequests.On;

    /// <summary>The CPU that a training container without a request gets, thousandths of a core.</summary>
    public long TrainingCpuMilli { get; init; } = 2000;

    /// <summary>The memory that a training container without a request gets, bytes.</summary>
    public long TrainingMemoryBytes { get; init; } = 4L << 30;

    /// <summary>The labels of a cloud node; <see langword="null"/> to go by capacity alone.</summary>
    public NodeSelectorTerm? CloudSelector { get; init; } = new([new("admissionlas.io/tier", SelectorOperator.In, ["cloud"])], []);

    /// <summary>
    /// A node belongs to the top capacity class when its capacity is at least this share of the largest node that can hold the pod.
    /// </summary>
    public double TopClassShare { get; init; } = 0.75;

    /// <summary>Patterns for the names of containers that a platform adds beside the app; they get no training requests.</summary>
    public IReadOnlyList<string> PlatformContainers { get; init; } = DefaultPlatformContainers;

    /// <summary>
    /// What Argo, KFP, KServe, Knative, Katib, the meshes and the usual proxies add (<c>*</c> stands for any run of characters).
    /// </summary>
    public static IReadOnlyList<string> DefaultPlatformContainers { get; } =
    [
        "wait", "supervisor", "artifact-plugin-*",
        "queue-proxy", "agent", "kserve-agent", "modelcar*", "oci-*",
        "metrics-logger-and-collector", "metrics-collector",
        "istio-proxy", "linkerd-proxy", "kuma-sidecar", "envoy-sidecar", "daprd",
        "vault-agent", "cloudsql-proxy", "cloud-sql-proxy", "kube-rbac-proxy", "oauth-proxy",
    ];

    /// <summary>Whether a platform added the container of this name.</summary>
    public bool IsPlatformContainer(string name) => PlatformContainers.Any(name, static (pattern, name) => Glob.Matches(pattern, name));
}
