namespace AdmissionLas.Placement;

/// <summary>The annotations with which a pod's author steers its placement, and those that we leave.</summary>
public static class PodHints
{
    /// <summary><c>adaptive</c>, <c>preferred</c>, <c>required</c> or <c>off</c>.</summary>
    public const string PlacementKey = "admissionlas.io/placement";

    /// <summary><c>nearest</c> or <c>near</c>.</summary>
    public const string SpreadKey = "admissionlas.io/spread";

    /// <summary>The farthest that a Predict step should run from its location: <c>20ms</c>.</summary>
    public const string MaxLatencyKey = "admissionlas.io/max-latency";

    /// <summary>The CPU that a training container without a request gets.</summary>
    public const string RequestCpuKey = "admissionlas.io/request-cpu";

    /// <summary>The memory that a training container without a request gets.</summary>
    public const string RequestMemoryKey = "admissionlas.io/request-memory";

    /// <summary><c>on</c> or <c>off</c>: whether a training container without requests gets some.</summary>
    public const string RequestsKey = "admissionlas.io/requests";

    /// <summary>What was decided and why, in a line for people.</summary>
    public const string DecisionKey = "admissionlas.io/decision";

    /// <summary>
    /// What was decided and added, as JSON for programs: whatever has to know which parts of a pod are ours reads it.
    /// </summary>
    public const string RecordKey = "admissionlas.io/record";

    /// <summary>
    /// The node against which the pod counts until the scheduler has bound it, and the review that decided so: <c>node/uid</c>. By it a
    /// replica knows its own pod again when the watch shows it, and every other replica learns of it; a pod has no uid and often no name
    /// while it is reviewed, and a second call for it is another review.
    /// </summary>
    public const string AssumedKey = "admissionlas.io/assumed";

    /// <summary>A topology key that no node has: by a constraint with it every node is as good, and the scheduler looks no further.</summary>
    public const string NoTopologyKey = "admissionlas.io/none";

    /// <summary>The annotation keys that a reader must keep.</summary>
    public static IReadOnlyList<string> Keys { get; } = [PlacementKey, SpreadKey, MaxLatencyKey, RequestCpuKey, RequestMemoryKey, RequestsKey, DecisionKey, RecordKey, AssumedKey];

    /// <summary>The mode the pod asks for, or the policy's; a word that is not known is warned of and ignored.</summary>
    internal static PlacementMode Mode(PodFacts pod, PlacementPolicy policy, List<Notice> warnings)
    {
        switch (pod.Annotation(PlacementKey)?.ToUpperInvariant())
        {
            case null: return policy.Mode;
            case "ADAPTIVE": return PlacementMode.Adaptive;
            case "PREFERRED": return PlacementMode.Preferred;
            case "REQUIRED": return PlacementMode.Required;
            case "OFF": return PlacementMode.Off;
            default:
                warnings.Add(new UnknownPlacementMode(pod.Annotation(PlacementKey)!, policy.Mode));
                return policy.Mode;
        }
    }

    /// <summary>The latency that the pod allows, or that of its namespace, milliseconds; <see langword="null"/> for any.</summary>
    internal static double? MaxLatencyMs(PodFacts pod, PlacementPolicy policy, List<Notice> warnings)
    {
        if (pod.Annotation(MaxLatencyKey) is { } text)
        {
            if (LatencyLabels.TryParseMs(text, out var latencyMs))
            {
                return latencyMs;
            }

            warnings.Add(new UnreadableMaxLatency(text));
        }

        return policy.MaxLatenciesMs.TryGetValue(pod.Namespace, out var ofNamespace) ? ofNamespace : null;
    }

    /// <summary>Where the pod's author wants replicas, or the policy; a word that is not known is warned of and ignored.</summary>
    internal static SpreadMode Spread(PodFacts pod, PlacementPolicy policy, List<Notice> warnings)
    {
        switch (pod.Annotation(SpreadKey)?.ToUpperInvariant())
        {
            case null: return policy.Spread;
            case "NEAREST": return SpreadMode.Nearest;
            case "NEAR": return SpreadMode.Near;
            default:
                warnings.Add(new UnknownSpread(pod.Annotation(SpreadKey)!, policy.Spread));
                return policy.Spread;
        }
    }

    /// <summary>Whether the pod wants requests, or the policy's word; one that is not known is warned of and ignored.</summary>
    internal static TrainingRequests Requests(PodFacts pod, PlacementPolicy policy, List<Notice> warnings)
    {
        switch (pod.Annotation(RequestsKey)?.ToUpperInvariant())
        {
            case null: return policy.TrainingRequests;
            case "ON": return TrainingRequests.On;
            case "FULL": return TrainingRequests.Full;
            case "OFF": return TrainingRequests.Off;
            default:
                warnings.Add(new UnknownTrainingRequests(pod.Annotation(RequestsKey)!, policy.TrainingRequests));
                return policy.TrainingRequests;
        }
    }

    /// <summary>Whether the author has written anything of the requests that the pod gets.</summary>
    internal static bool MentionsRequests(PodFacts pod) =>
        pod.Annotation(RequestsKey) is not null || pod.Annotation(RequestCpuKey) is not null || pod.Annotation(RequestMemoryKey) is not null;

    /// <summary>The training CPU the pod asks for, or the policy's.</summary>
    internal static long CpuMilli(PodFacts pod, PlacementPolicy policy, List<Notice> warnings) =>
        Amount(pod, RequestCpuKey, Quantity.TryParseMilli, policy.TrainingCpuMilli, Quantity.FormatCpu, warnings);

    /// <summary>The training memory the pod asks for, or the policy's.</summary>
    internal static long MemoryBytes(PodFacts pod, PlacementPolicy policy, List<Notice> warnings) =>
        Amount(pod, RequestMemoryKey, Quantity.TryParseUnits, policy.TrainingMemoryBytes, Quantity.FormatBytes, warnings);

    delegate bool Parse(string text, out long amount);

    static long Amount(PodFacts pod, string key, Parse parse, long fallback, Func<long, string> format, List<Notice> warnings)
    {
        if (pod.Annotation(key) is not { } text)
        {
            return fallback;
        }

        if (parse(text, out var amount) && amount > 0)
        {
            return amount;
        }

        warnings.Add(new UnreadableAmount(key, text, format(fallback)));
        return fallback;
    }
}
