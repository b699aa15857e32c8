using AdmissionLas.Configuration;
using AdmissionLas.Realised;

namespace AdmissionLas.Doctor;

/// <summary>Checks what became of the steps of the last hour: whether they run where it was decided, and whether each got a decision.</summary>
/// <param name="settings">The webhook's configuration.</param>
/// <param name="optedIn">The namespaces whose pods the webhook sees.</param>
/// <param name="view">The nodes.</param>
/// <param name="now">The time.</param>
sealed class PlacementsCheck(CompiledSettings settings, IReadOnlyList<string> optedIn, ClusterView view, DateTimeOffset now)
{
    static readonly TimeSpan LookBack = TimeSpan.FromHours(1);

    /// <summary>A few always go elsewhere: their node fails or fills up before the scheduler gets to them.</summary>
    const double MaxElsewhere = 0.05;

    int placements;
    int elsewhere;
    int undecided;

    internal static async Task<IReadOnlyList<Finding>> EvaluateAsync(
        KubeApi api, string ownNamespace, IReadOnlyList<string> optedIn, ClusterView view, DateTimeOffset now, CancellationToken stop)
    {
        var configMap = await api.FindAsync(ObjectKinds.ConfigMaps, ownNamespace, ConfigurationFile.ConfigMapName, stop).ConfigureAwait(false);
        CompiledSettings settings;
        try
        {
            settings = configMap?.Data?.TryGetValue(ConfigurationFile.ConfigMapKey, out var text) == true ? SettingsCompiler.FromText(text) : CompiledSettings.Default;
        }
        catch (Exception fault) when (fault is InvalidDataException or OptionsValidationException)
        {
            return [Finding.Warning($"what became of the steps of the last hour is not known: {fault.Message}", "correct the webhook's configuration")];
        }

        var check = new PlacementsCheck(settings, optedIn, view, now);
        await api.ListAllAsync(WatchedResource.Pods, check.Add, stop).ConfigureAwait(false);
        return check.Findings;
    }

    /// <summary>What was found in the pods so far.</summary>
    internal IReadOnlyList<Finding> Findings =>
    [
        elsewhere < MaxElsewhere * placements || placements == 0
            ? Finding.Ok(placements == 0
                ? "no step of the last hour was placed and is bound"
                : $"{placements - elsewhere} of the {placements} placements of the last hour are where it was decided, or on a standby")
            : Finding.Warning(
                string.Create(CultureInfo.InvariantCulture, $"{100.0 * elsewhere / placements:0} % of the placements of the last hour went elsewhere ({elsewhere} of {placements})"),
                "see placement.scoringStrategy and placement.nodeAffinityWeight in the configuration"),
        undecided == 0
            ? Finding.Ok("no step of the last hour came without a decision")
            : Finding.Warning(
                $"{undecided} {(undecided == 1 ? "step" : "steps")} of the last hour in namespaces that opt in came without a decision",
                "the webhook was down, or the API server did not call it: see what failed here, and --every-pod if rules tell your steps"),
    ];

    /// <summary>Looks at a pod.</summary>
    internal void Add(JsonElement pod)
    {
        try
        {
            Count(pod);
        }
        // Text that is not valid Unicode, which passes the parser and fails only when it is read.
        catch (InvalidOperationException)
        {
        }
    }

    void Count(JsonElement pod)
    {
        if (!(now - ObjectMetadata.CreatedAt(pod) <= LookBack))
        {
            return;
        }

        if (!ObjectMetadata.HasAnnotation(pod, PodHints.RecordKey))
        {
            undecided += BypassedStep.Is(pod, optedIn.Contains, settings, wasScheduled: true) ? 1 : 0;
        }
        else if (ObjectMetadata.Namespace(pod) is { } ns && optedIn.Contains(ns) && PodUsageReader.BoundNode(pod) is { } node &&
            PlacementRecord.TryRead(ObjectMetadata.Annotation(pod, PodHints.RecordKey)) is { } record && RealisedPlacement.Of(record, node, view) is { } placement)
        {
            placements++;
            elsewhere += placement.Result == PlacementResult.Elsewhere ? 1 : 0;
        }
    }
}
