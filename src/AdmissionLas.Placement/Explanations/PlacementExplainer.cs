namespace AdmissionLas.Placement;

/// <summary>
/// Explains a decision. It asks the engine and the checks that the server asks and adds nothing of its own to them, so it cannot say
/// anything else than what the server does.
/// </summary>
public static class PlacementExplainer
{
    const int TaintTolerationWeight = 3;

    /// <summary>Explains what would be decided for a pod. Like <see cref="PlacementEngine.Decide"/> it never throws and changes nothing.</summary>
    /// <param name="step">What the pod is.</param>
    /// <param name="pod">The pod as its author wrote it.</param>
    /// <param name="view">The nodes.</param>
    /// <param name="usage">What is spoken for on them.</param>
    /// <param name="policy">The admin's choices.</param>
    public static Explanation Explain(Step step, PodFacts pod, ClusterView view, ClusterUsage usage, PlacementPolicy policy)
    {
        var decision = PlacementEngine.DecideWith(step, pod, view, usage, policy, out pod);
        pod = usage.AntiAffinity.Judge(pod, view);
        var asPatched = pod.With(decision.Requests);
        var isJudged = NodeFilter.IsWithinLimits(pod);
        var request = decision.Outcome == Outcome.Placed ? decision.Request : isJudged ? EffectiveRequest.Of(pod) : Resources.None;
        var filter = new NodeFilter(pod, request, usage);
        var latencies = step.Location is { } location
            ? view.NearestTo(location).ToDictionary(n => n.Node.Name, n => n.LatencyMs, StringComparer.Ordinal)
            : [];

        var nodes = new List<ExplainedNode>(view.Nodes.Count);
        foreach (var node in Ordered(view, latencies))
        {
            var used = usage.On(node);
            nodes.Add(new ExplainedNode
            {
                Node = node,
                LatencyMs = latencies.TryGetValue(node.Name, out var latencyMs) ? latencyMs : null,
                Free = filter.FreeOn(node),
                FreePods = Math.Max(0, node.AllocatablePods - used.Pods),
                Now = isJudged ? filter.FitsNow(node) : null,
                Ever = isJudged ? filter.FitsWhenEmpty(node) : null,
                IsAvoided = isJudged && filter.IsAvoided(node),
                IsChosen = decision.Chosen?.Name == node.Name,
                Weight = decision.Preferred.Where(t => t.Preference.Matches(node)).Sum(t => t.Weight),
                IsRequired = decision.Required?.IsMetBy(node),
            });
        }

        IReadOnlyList<UnscoredFactor> notWeighed = NotWeighed(pod, decision, view, policy.ScoringStrategy);
        if (!isJudged)
        {
            return new Explanation(decision, request, nodes, notWeighed);
        }

        var ownPreferences = pod.PreferredTerms;
        if (!new OwnPreferences(pod).CanCompare(nodes: 1))
        {
            ownPreferences = [];
            notWeighed = [new UnscoredFactor(UnscoredKind.AuthorPreferences), .. notWeighed];
        }

        var scoring = new SchedulerScoring(asPatched, view, usage, policy.ScoringStrategy);
        return new Explanation(decision, request, AddPoints(nodes, [.. ownPreferences, .. decision.Preferred], scoring, filter, policy.NodeAffinityWeight), notWeighed);
    }

    /// <summary>The nodes with what each plugin gives them; those that the scheduler's filters drop get no points.</summary>
    static ExplainedNode[] AddPoints(
        List<ExplainedNode> nodes, IReadOnlyList<PreferredTerm> preferences, SchedulerScoring scoring, NodeFilter filter, int nodeAffinityWeight)
    {
        const int max = SchedulerScoring.MaxScore;
        var maxWeight = nodes.Where(IsScored).Select(n => WeightOf(n.Node)).DefaultIfEmpty(0).Max();
        var maxTaints = nodes.Where(IsScored).Select(n => filter.AvoidingTaints(n.Node)).DefaultIfEmpty(0).Max();
        return [.. nodes.Select(n => !IsScored(n) ? n : n with
        {
            Points = new SchedulerPoints(
                maxWeight == 0 ? 0 : nodeAffinityWeight * (max * WeightOf(n.Node) / maxWeight),
                TaintTolerationWeight * (maxTaints == 0 ? max : max - (max * filter.AvoidingTaints(n.Node) / maxTaints)),
                scoring.ResourcesFit(n.Node) ?? 0,
                scoring.BalancedAllocation(n.Node),
                (long)scoring.ImageLocality(n.Node)),
        })];

        // The scheduler scores what passed its filters, and a requirement of ours is one of them.
        static bool IsScored(ExplainedNode node) => node.Now == FilterResult.CanRun && node.IsRequired != false;

        long WeightOf(NodeFacts node) => preferences.Where(t => t.Preference.Matches(node)).Sum(t => (long)t.Weight);
    }

    static List<UnscoredFactor> NotWeighed(PodFacts pod, Decision decision, ClusterView view, ScoringStrategy strategy)
    {
        List<UnscoredFactor> factors = [.. decision.NeutralizesSpread ? (UnscoredFactor[])[] : [new(UnscoredKind.PodTopologySpread)], new(UnscoredKind.InterPodAffinity)];
        if (strategy is not (ScoringStrategy.LeastAllocated or ScoringStrategy.MostAllocated))
        {
            factors.Add(new UnscoredFactor(UnscoredKind.ResourcesFit));
        }

        if (pod.SchedulerOnlyConstraint is { } constraint)
        {
            factors.Add(new UnscoredFactor(UnscoredKind.SchedulerOnlyConstraint, constraint));
        }

        if (view.IsSampled)
        {
            factors.Add(new UnscoredFactor(UnscoredKind.Sampling));
        }

        return factors;
    }

    static IEnumerable<NodeFacts> Ordered(ClusterView view, Dictionary<string, double> latencies) => view.ByCapacity(null).Nodes
        .OrderBy(n => latencies.GetValueOrDefault(n.Node.Name, double.PositiveInfinity))
        .Select(n => n.Node);
}
