using AdmissionLas.Configuration;

namespace AdmissionLas.Doctor;

/// <summary>Checks the latency labels, the tier labels and, where the scheduler scores only a part of the nodes, the zone labels.</summary>
static class NodeLabelsCheck
{
    internal static IReadOnlyList<Finding> Evaluate(ClusterView view, PlacementPolicy policy)
    {
        var prefix = policy.LatencyLabels.Advised;
        var measured = view.Nodes.Count(n => n.Latencies.Known.Count > 0);
        return
        [
            view.Nodes.Count == 0 ? Finding.Warning("the cluster has no nodes", "add nodes, then label them")
            : measured == 0 ? Finding.Warning($"none of the {Nodes(view.Nodes.Count)} has a latency to any location, so predict steps are left to the scheduler", $"kubectl label node <node> {prefix}<location>=<milliseconds>")
            : Finding.Ok($"{measured} of {Nodes(view.Nodes.Count)} have a latency to a location: {string.Join(", ", view.Locations)}"),
            .. view.UnreadableLatencies.Select(u => Finding.Warning(
                $"node {u.NodeName} has a latency to {u.Location} that cannot be read: \"{u.Value}\"",
                "write milliseconds, or a number with us, ms or s")),
            .. view.CrowdedNodes.Select(n => Finding.Warning(
                $"{n.Ignored} latency labels of node {n.NodeName} are ignored: a node has at most {LatencyLabels.MaxOfNode}",
                $"kubectl label node {n.NodeName} <key>-, and ask who wrote them")),
            .. view.Locations.Where(l => view.NearestTo(l).Count == 1).Select(l => Finding.Warning(
                $"only node {view.NearestTo(l)[0].Node.Name} has a latency to {l}: when it is full, the scheduler chooses without latencies",
                $"kubectl label node <another> {prefix}{l}=<milliseconds>")),
            .. CloudNodes(view, policy),
            .. view.IsSampled ? (Finding[])[Sampling(view)] : [],
        ];
    }

    static Finding Sampling(ClusterView view)
    {
        var scored = $"of {Nodes(view.Nodes.Count)} the scheduler scores only a part, which does not concern steps that are kept to nodes " +
            (view.TakesTermsByName ? "by name" : "by host name, though these make it look at each node (most kubelets are older than 1.32)");
        var zoned = view.Nodes.Count(n => n.Label("topology.kubernetes.io/zone") is { Length: > 0 });
        return zoned == view.Nodes.Count
            ? Finding.Ok($"{scored}; a step that is merely preferred prefers the nearest node's zone too")
            : Finding.Warning(
                $"{scored}; a step that is merely preferred may run anywhere: {Nodes(view.Nodes.Count - zoned)} without a zone",
                "kubectl label node <node> topology.kubernetes.io/zone=<zone>");
    }

    static IEnumerable<Finding> CloudNodes(ClusterView view, PlacementPolicy policy)
    {
        if (policy.CloudSelector is not { } term)
        {
            yield return Finding.Ok("training.cloudSelector is empty: training steps prefer the largest nodes");
            yield break;
        }

        var (selector, count) = (LabelSelector.Write(term), view.Nodes.Count(term.Matches));
        yield return count > 0
            ? Finding.Ok($"{Nodes(count)} with {selector}, for training steps")
            : Finding.Warning(
                $"no node has {selector}, so training steps prefer the largest nodes",
                $"kubectl label node <node> {selector}, unless training.cloudSelector says otherwise");
        // A node must meet all requirements, so one that it cannot meet by itself is enough.
        if (policy.LatencyLabels == LatencyLabels.Restricted &&
            !term.MatchExpressions.Any(on => on.Operator is SelectorOperator.In or SelectorOperator.Exists && LabelSyntax.IsNodeRestricted(on.Key)))
        {
            yield return Finding.Warning(
                $"a node can give itself {selector} and so draw training steps, though nodes.latencyLabels is Restricted",
                $"set training.cloudSelector to admissionlas.io.{LabelSyntax.NodeRestriction}/tier=cloud, and label the nodes with it");
        }
    }

    static string Nodes(int count) => count == 1 ? "1 node" : $"{count} nodes";
}
