namespace AdmissionLas.Realised;

/// <summary>Where a placed step runs, compared with what was decided.</summary>
enum PlacementResult
{
    /// <summary>On the chosen node.</summary>
    AsDecided,

    /// <summary>On another node that the decision names.</summary>
    Standby,

    /// <summary>On a node of which the decision says nothing.</summary>
    Elsewhere,
}

/// <summary>What became of a placement once the scheduler has bound its pod.</summary>
/// <param name="Kind">What the step is.</param>
/// <param name="Result">Whether it runs where it was decided.</param>
/// <param name="RegretMs">
/// How much further its node is from the step's location than the chosen one, milliseconds, never below zero; <see langword="null"/> for a step
/// without a location, and where one of the two nodes has no latency to it.
/// </param>
readonly record struct RealisedPlacement(StepKind Kind, PlacementResult Result, double? RegretMs)
{
    /// <summary>Compares a decision with what the scheduler did.</summary>
    /// <param name="record">The decision, as it stands on the pod. An author can make one up.</param>
    /// <param name="nodeName">The node to which the pod is bound.</param>
    /// <param name="view">The nodes as they are now.</param>
    /// <returns><see langword="null"/> for a record that places no step of a known kind.</returns>
    internal static RealisedPlacement? Of(PlacementRecord record, string nodeName, ClusterView view)
    {
        if (!record.IsPlaced || record.NodeName is not { } chosen || StepKinds.Default.FirstOrDefault(k => k.Name == record.Type) is not { } kind)
        {
            return null;
        }

        var regretMs = kind.HasLocation && record.Location is { } location ? LatencyMs(view, nodeName, location) - LatencyMs(view, chosen, location) : null;
        return new RealisedPlacement(
            kind,
            nodeName == chosen ? PlacementResult.AsDecided : Names(record, nodeName, view) ? PlacementResult.Standby : PlacementResult.Elsewhere,
            regretMs is { } ms ? Math.Max(0, ms) : null);
    }

    // A node that is gone already had, as kubelets do, its own name as host name.
    static bool Names(PlacementRecord record, string nodeName, ClusterView view)
    {
        var node = view.Find(nodeName) ?? new NodeFacts { Name = nodeName, Labels = new Dictionary<string, string> { [NodeSelectorTerm.HostnameKey] = nodeName } };
        return ((record.IsByName ? node.Name : node.Hostname) is { } name && record.Required.Contains(name)) || record.Preferred.Any(t => t.Preference.Matches(node));
    }

    static double? LatencyMs(ClusterView view, string nodeName, string location)
    {
        foreach (var known in view.Find(nodeName)?.Latencies.Known ?? [])
        {
            if (known.Location == location)
            {
                return known.LatencyMs;
            }
        }

        return null;
    }
}
