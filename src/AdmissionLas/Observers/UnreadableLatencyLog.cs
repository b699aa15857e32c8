namespace AdmissionLas.Observers;

/// <summary>Logs a latency label that cannot be read, once for each node and value, and a node with too many, once. One that was mended and is broken again is logged again.</summary>
sealed partial class UnreadableLatencyLog(ILogger<UnreadableLatencyLog> log)
{
    HashSet<UnreadableLatency> reported = [];
    HashSet<string> crowded = [];

    /// <summary>Looks at every view that is published.</summary>
    internal void Follow(ClusterState state) => state.Published += Report;

    void Report(ClusterView view)
    {
        var known = reported;
        reported = [.. view.UnreadableLatencies];
        foreach (var label in reported.Except(known))
        {
            NotMeasured(label.NodeName, label.Location, label.Value);
        }

        var knownCrowded = crowded;
        crowded = [.. view.CrowdedNodes.Select(n => n.NodeName)];
        foreach (var node in view.CrowdedNodes.Where(n => !knownCrowded.Contains(n.NodeName)))
        {
            Ignored(node.NodeName, node.Ignored, LatencyLabels.MaxOfNode);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} latency labels of node {NodeName} are ignored: a node has at most {Most}")]
    partial void Ignored(string nodeName, int count, int most);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {NodeName} has latency {Value} to {Location}, which counts as not measured; write for example 0.8, 0.8ms, 800us or 1.2s")]
    partial void NotMeasured(string nodeName, string location, string value);
}
