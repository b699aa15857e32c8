namespace AdmissionLas.Placement;

/// <summary>
/// A training step gets resource requests where it has none, so that the scheduler looks for room, and prefers the high-capacity cloud nodes.
/// </summary>
sealed class TrainingKind : StepKind
{
    const int Weight = 100;

    /// <summary>So many nodes are compared by the scheduler's points; a cloud of thousands must not cost a look at each.</summary>
    const int MaxCompared = 64;

    /// <summary>Of more than one node in so many the scheduler comes across enough by itself.</summary>
    const int Few = 10;

    /// <summary>What a node can lose by a PreferNoSchedule taint.</summary>
    const int PointsOfTaints = 300;

    /// <inheritdoc/>
    public override string Name => "Training";

    /// <inheritdoc/>
    public override IReadOnlyList<string> Words { get; } = ["Training", "Train"];

    /// <inheritdoc/>
    public override string WhenNotPlaced(string? location) => "this training step may run on a small machine";

    /// <inheritdoc/>
    public override Decision Place(in PlacementRequest request)
    {
        var (pod, view, usage) = (request.Pod, request.View, request.Usage);
        var sizes = view.ByCapacity(DeviceOf(pod));
        var asWritten = new NodeFilter(pod, usage);
        if (FirstThatCan(sizes, asWritten) is not { } largest)
        {
            return Unplaced(request, Outcome.NoCandidate, new NoNodeFits(null, asWritten.AllWhenEmpty(view.Nodes)));
        }

        var requests = RequestsFor(request, sizes, largest, out var total);
        var filter = new NodeFilter(pod, total, usage);
        var reason = Preference(view, sizes, filter, total, request.Policy);
        var preference = TermOf(reason, view);
        // Where it counts until the scheduler has picked one of those preferred.
        var patched = pod.With(requests);
        var withRoom = LikeliestPreferred(new SchedulerScoring(patched, view, usage, request.Policy.ScoringStrategy), sizes, filter, preference);
        return new Decision
        {
            Outcome = Outcome.Placed,
            Step = request.Step,
            Mode = request.Mode,
            Reason = reason,
            Chosen = withRoom ?? FirstPreferred(sizes, filter, preference),
            HasRoom = withRoom is not null,
            ReservesCapacity = withRoom is not null && pod is { IsGated: false, HasOtherScheduler: false },
            Request = total,
            ScoredRequest = EffectiveRequest.Scored(patched),
            Preferred = preference is null ? [] : [new PreferredTerm(Weight, preference)],
            Required = withRoom is null || reason is null ? null : Pin(request, filter, reason, withRoom),
            Requests = requests,
            Warnings = request.Warnings,
        };
    }

    /// <summary>
    /// Where the scheduler scores only a part of the nodes, it would not see a few large ones: they are required as long as they have room for more
    /// than this pod.
    /// </summary>
    static NodePin? Pin(in PlacementRequest request, NodeFilter filter, PreferredNodes preferred, NodeFacts chosen)
    {
        var (all, view) = (request, request.View);
        var members = ReferenceEquals(preferred.Selector, request.Policy.CloudSelector) && preferred.Selector is { } cloud ? view.Matching(cloud).Members : preferred.Named;
        if (!view.IsSampled || members.Count * Few > view.Nodes.Count || request.Mode != PlacementMode.Adaptive || request.WhyNotRequired(chosen) is not null)
        {
            return null;
        }

        RankedNode[] withRoom =
        [
            .. members.Where(n => all.CanPin(n) && filter.FitsForSure(n)).Take(request.Policy.NamedNodes).Select(n => new RankedNode(n, 0)),
        ];
        return withRoom.Length > 1 && withRoom.Sum(n => filter.RoomOn(n.Node, 1 + StandbySelection.SpareRoom)) > StandbySelection.SpareRoom ? request.Pin(withRoom) : null;
    }

    /// <summary>The largest node that can run the pod, of those that match the preference where there is one.</summary>
    static NodeFacts? FirstPreferred(CapacityRank sizes, NodeFilter filter, NodeSelectorTerm? preference) =>
        sizes.Nodes.Select(n => n.Node).FirstOrDefault(n => preference?.Matches(n) != false && filter.FitsWhenEmpty(n) == FilterResult.CanRun);

    /// <summary>
    /// The node with room that the scheduler will pick, as far as we can know, of the largest that match the preference: to all of them it gives the
    /// same points for that.
    /// </summary>
    static NodeFacts? LikeliestPreferred(SchedulerScoring scoring, CapacityRank sizes, NodeFilter filter, NodeSelectorTerm? preference) =>
        sizes.Nodes.Select(n => n.Node).Where(n => preference?.Matches(n) != false && filter.FitsNow(n) == FilterResult.CanRun)
            .Take(MaxCompared).MaxBy(n => scoring.LoadScore(n).Most - (filter.IsAvoided(n) ? PointsOfTaints : 0));

    // A request that names a device (nvidia.com/gpu) makes the device part of what "high capacity" means.
    static string? DeviceOf(PodFacts pod) =>
        EffectiveRequest.Of(pod).Other?.FirstOrDefault(o => o.Amount > 0 && o.Name.Contains('/', StringComparison.Ordinal)).Name;

    static NodeFacts? FirstThatCan(CapacityRank sizes, NodeFilter filter) => FirstPreferred(sizes, filter, null);

    /// <summary>
    /// A request for each app container and resource that has none: what was asked for, but no more than the container's limit, and together, where no
    /// node can give that much, no more than what is left on the node that has the most for it: without them the pod would not wait. The node's whole
    /// capacity would not do: beside the daemons that run on every node such a pod would wait for ever. None, where the author or the admin wants none.
    /// </summary>
    static AddedRequest[] RequestsFor(in PlacementRequest request, CapacityRank sizes, NodeFacts largest, out Resources total)
    {
        var pod = request.Pod;
        var asWritten = EffectiveRequest.Of(pod);
        var wanted = PodHints.Requests(pod, request.Policy, request.Warnings);
        if (wanted == TrainingRequests.Off)
        {
            total = asWritten;
            return [];
        }

        MissingRequest[] missing =
        [
            Missing(request, AddedRequest.Cpu, r => r.CpuMilli, PodHints.CpuMilli),
            Missing(request, AddedRequest.Memory, r => r.MemoryBytes, PodHints.MemoryBytes),
        ];
        var added = Added(pod, missing);
        total = EffectiveRequest.Of(pod.With(added)).Max(asWritten);
        var filter = new NodeFilter(pod, total, request.Usage);
        // A pod that may evict others would do so to get what it did not ask for.
        var mayWait = wanted == TrainingRequests.Full && !request.CanPreempt;
        if (mayWait ? FirstThatCan(sizes, filter) is null : !sizes.Nodes.Any(n => filter.FitsForSure(n.Node)))
        {
            var (node, room) = Roomiest(request, sizes, missing) ??
                (largest, mayWait ? largest.Allocatable.Less(EffectiveRequest.WhileRunning(pod)) : new Resources(0, 0));
            for (var i = 0; i < missing.Length; i++)
            {
                var whole = missing[i];
                missing[i] = whole.Within(room);
                if (missing[i].Each < whole.Each)
                {
                    var (allocatable, used) = (whole.Of(node.Allocatable) ?? 0, whole.Of(request.Usage.On(node).Requested) ?? 0);
                    request.Warnings.Add(new RequestReduced(
                        whole.Resource, missing[i].Each, whole.Each, node.Name, Math.Max(0, allocatable - used), allocatable,
                        IsLargestAndEmpty: used == 0 && ReferenceEquals(node, largest)));
                }
            }

            added = Added(pod, missing);
            total = EffectiveRequest.Of(pod.With(added)).Max(asWritten);
        }

        if (added.Length > 0 && pod.IsBestEffort && !PodHints.MentionsRequests(pod))
        {
            request.Warnings.Add(new NoLongerBestEffort());
        }

        return added;
    }

    /// <summary>A resource that app containers get because they do not request it.</summary>
    /// <param name="Resource">Its name.</param>
    /// <param name="Of">Its amount.</param>
    /// <param name="Containers">The places of the containers.</param>
    /// <param name="Each">What each of them gets: thousandths of a core, or bytes.</param>
    sealed record MissingRequest(string Resource, Func<Resources, long?> Of, int[] Containers, long Each)
    {
        /// <summary>How much of it all of them can have in this room, 0 to 1 and more.</summary>
        internal double Share(Resources room) => Containers.Length == 0 ? 1 : (Of(room) ?? 0) / ((double)Each * Containers.Length);

        internal MissingRequest Within(Resources room) => Containers.Length == 0 ? this : this with { Each = Math.Min(Each, (Of(room) ?? 0) / Containers.Length) };
    }

    // A request at the level of the pod is the author's word for all containers.
    static MissingRequest Missing(
        in PlacementRequest request, string resource, Func<Resources, long?> of, Func<PodFacts, PlacementPolicy, List<Notice>, long> amount)
    {
        var (pod, policy) = (request.Pod, request.Policy);
        int[] containers = of(pod.PodRequests) is not null || of(pod.PodLimits) is not null
            ? []
            : [.. Enumerable.Range(0, pod.Containers.Length).Where(i => of(pod.Containers[i].Requests) is null && !policy.IsPlatformContainer(pod.Containers[i].Name))];
        return new MissingRequest(resource, of, containers, containers.Length == 0 ? 0 : amount(pod, policy, request.Warnings));
    }

    static AddedRequest[] Added(PodFacts pod, MissingRequest[] missing) =>
    [
        .. pod.Containers.SelectMany((container, i) => missing.Where(m => m.Containers.Contains(i))
            .Select(m => new AddedRequest(i, container.Name, m.Resource, Math.Min(m.Each, m.Of(container.Limits) ?? long.MaxValue)))
            .Where(added => added.Amount > 0)),
    ];

    /// <summary>The node on which the pod can keep the largest share of what it should get, with the room there; <see langword="null"/> when they are all full.</summary>
    static (NodeFacts Node, Resources Room)? Roomiest(in PlacementRequest request, CapacityRank sizes, MissingRequest[] missing)
    {
        var usage = request.Usage;
        var asWritten = new NodeFilter(request.Pod, usage);
        var running = EffectiveRequest.WhileRunning(request.Pod);
        var best = sizes.Nodes.Select(n => (n.Node, Room: n.Node.Allocatable.Less(usage.On(n.Node).Requested).Less(running)))
            .Select(n => (n.Node, n.Room, Share: missing.Min(m => m.Share(n.Room))))
            .Where(n => n.Share > 0 && asWritten.FitsForSure(n.Node))
            .OrderByDescending(n => n.Share).FirstOrDefault();
        return best.Node is null ? null : (best.Node, best.Room);
    }

    /// <summary>
    /// What to prefer: the cloud nodes by the admin's selector when one of them can hold the pod, else the top capacity class. A label
    /// that many nodes share beats a list of names: it is short, and it still holds when a node joins. It must not cover a node that is too small.
    /// </summary>
    static PreferredNodes? Preference(ClusterView view, CapacityRank sizes, NodeFilter filter, Resources request, PlacementPolicy policy)
    {
        if (policy.CloudSelector is { } selector && view.Matching(selector) is { Members.Count: > 0 } cloud && AnyCan(cloud, filter))
        {
            return cloud.EveryMemberHolds(request)
                ? new PreferredNodes(NodeClass.Cloud, selector, [])
                : new PreferredNodes(NodeClass.Cloud, null, [.. cloud.Members.Where(m => filter.FitsWhenEmpty(m) == FilterResult.CanRun).Take(policy.NamedNodes)]);
        }

        return TopClass(sizes, filter, request, policy);
    }

    static PreferredNodes? TopClass(CapacityRank sizes, NodeFilter filter, Resources request, PlacementPolicy policy)
    {
        var best = sizes.Nodes.FirstOrDefault(n => filter.FitsWhenEmpty(n.Node) == FilterResult.CanRun);
        if (best.Node is null)
        {
            return null;
        }

        var threshold = best.Capacity * policy.TopClassShare;
        if (sizes.Smallest >= threshold)
        {
            return new PreferredNodes(NodeClass.EveryNodeAlike, null, []);
        }

        var types = sizes.InstanceTypes
            .Where(t => t.Capacity >= threshold && t.Group.EveryMemberHolds(request) && AnyCan(t.Group, filter))
            .OrderByDescending(t => t.Capacity).ThenBy(t => t.Name, StringComparer.Ordinal).Take(policy.NamedNodes).Select(t => t.Name).ToArray();
        if (best.Node.Label(CapacityRank.InstanceTypeKey) is { } bestType && types.Contains(bestType))
        {
            return new PreferredNodes(NodeClass.TopCapacity, new NodeSelectorTerm([new(CapacityRank.InstanceTypeKey, SelectorOperator.In, types)], []), []);
        }

        return new PreferredNodes(NodeClass.TopCapacity, null, [.. sizes.Nodes.TakeWhile(n => n.Capacity >= threshold).Select(n => n.Node)
            .Where(n => filter.FitsWhenEmpty(n) == FilterResult.CanRun).Take(policy.NamedNodes)]);
    }

    static NodeSelectorTerm? TermOf(PreferredNodes? preferred, ClusterView view)
    {
        if (preferred is null or { Selector: null, Named.Count: 0 })
        {
            return null;
        }

        var hostnames = preferred.Named.Select(view.UniqueHostname).OfType<string>().ToArray();
        return preferred.Selector ?? (hostnames.Length > 0 ? NodeSelectorTerm.Hostnames(hostnames) : view.TermFor(preferred.Named[0]));
    }

    static bool AnyCan(NodeGroup group, NodeFilter filter) => group.Members.Any(filter, static (node, filter) => filter.FitsWhenEmpty(node) == FilterResult.CanRun);
}
