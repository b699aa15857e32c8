namespace AdmissionLas.Placement;

/// <summary>
/// A training step gets resource requests where it has none, so that the scheduler looks for room, and prefers the high-capacity cloud nodes.
/// </summary>
sealed class TrainingKind : StepKind
{
    const int Weight = 100;

    /// <summary>So many nodes are compared by the scheduler's points; a cloud of thousands must not cost a look at each.</summary>
    const int MaxCompared = 64;

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
        var withRoom = LikeliestPreferred(new SchedulerScoring(pod.With(requests), view, usage), sizes, filter, preference);
        return new Decision
        {
            Outcome = Outcome.Placed,
            Step = request.Step,
            Mode = request.Mode,
            Reason = reason,
            Chosen = withRoom ?? FirstPreferred(sizes, filter, preference),
            ReservesCapacity = withRoom is not null,
            Request = total,
            Preferred = preference is null ? [] : [new PreferredTerm(Weight, preference)],
            Requests = requests,
            Warnings = request.Warnings,
        };
    }

    /// <summary>The largest node that can run the pod, of those that match the preference where there is one.</summary>
    static NodeFacts? FirstPreferred(CapacityRank sizes, NodeFilter filter, NodeSelectorTerm? preference)
    {
        for (var i = 0; i < sizes.Nodes.Count; i++)
        {
            var node = sizes.Nodes[i].Node;
            if ((preference is null || preference.Matches(node)) && filter.FitsWhenEmpty(node) == FilterResult.CanRun)
            {
                return node;
            }
        }

        return null;
    }

    /// <summary>
    /// The node with room that the scheduler will pick, as far as we can know, of the largest that match the preference: to all of them it gives the
    /// same points for that.
    /// </summary>
    static NodeFacts? LikeliestPreferred(SchedulerScoring scoring, CapacityRank sizes, in NodeFilter filter, NodeSelectorTerm? preference)
    {
        NodeFacts? likeliest = null;
        var most = double.MinValue;
        for (int i = 0, able = 0; i < sizes.Nodes.Count && able < MaxCompared; i++)
        {
            var node = sizes.Nodes[i].Node;
            if ((preference is null || preference.Matches(node)) && filter.FitsNow(node) == FilterResult.CanRun)
            {
                able++;
                var points = scoring.LoadScore(node) - (filter.IsAvoided(node) ? PointsOfTaints : 0);
                if (points > most)
                {
                    (likeliest, most) = (node, points);
                }
            }
        }

        return likeliest;
    }

    // A request that names a device (nvidia.com/gpu) makes the device part of what "high capacity" means.
    static string? DeviceOf(PodFacts pod) =>
        EffectiveRequest.Of(pod).Other?.FirstOrDefault(o => o.Amount > 0 && o.Name.Contains('/', StringComparison.Ordinal)).Name;

    static NodeFacts? FirstThatCan(CapacityRank sizes, NodeFilter filter) => FirstPreferred(sizes, filter, null);

    /// <summary>
    /// A request for each app container and resource that has none: what was asked for, but no more than the container's limit, and
    /// together, where no node could ever give that much, no more than what is left on the node that has the most for it. The node's whole
    /// capacity would not do: beside the daemons that run on every node such a pod would wait for ever.
    /// </summary>
    static List<AddedRequest> RequestsFor(in PlacementRequest request, CapacityRank sizes, NodeFacts largest, out Resources total)
    {
        var (pod, usage, policy, warnings) = (request.Pod, request.Usage, request.Policy, request.Warnings);
        var lackCpu = Lacking(pod, policy, r => r.CpuMilli);
        var lackMemory = Lacking(pod, policy, r => r.MemoryBytes);
        var cpuMilli = lackCpu.Count == 0 ? 0 : PodHints.CpuMilli(pod, policy, warnings);
        var memoryBytes = lackMemory.Count == 0 ? 0 : PodHints.MemoryBytes(pod, policy, warnings);
        var atStart = EffectiveRequest.Of(pod);
        var running = EffectiveRequest.WhileRunning(pod);

        var asked = Amounts(cpuMilli, memoryBytes);
        total = Total(asked);
        if (FirstThatCan(sizes, new NodeFilter(pod, total, usage)) is null)
        {
            var roomiest = Roomiest(out var room);
            var fittingCpu = lackCpu.Count == 0 ? 0 : Math.Min(cpuMilli, room.CpuMilliOrZero / lackCpu.Count);
            var fittingMemory = lackMemory.Count == 0 ? 0 : Math.Min(memoryBytes, room.MemoryBytesOrZero / lackMemory.Count);
            if (fittingCpu < cpuMilli)
            {
                warnings.Add(Reduced(AddedRequest.Cpu, fittingCpu, cpuMilli, roomiest, r => r.CpuMilliOrZero));
            }

            if (fittingMemory < memoryBytes)
            {
                warnings.Add(Reduced(AddedRequest.Memory, fittingMemory, memoryBytes, roomiest, r => r.MemoryBytesOrZero));
            }

            asked = Amounts(fittingCpu, fittingMemory);
            total = Total(asked);
        }

        return asked;

        // The node on which the pod can keep the largest share of what it should get; the largest node as if empty when they are all full.
        NodeFacts Roomiest(out Resources room)
        {
            var best = (Node: largest, Room: largest.Allocatable.Less(running), Share: 0.0);
            var asWritten = new NodeFilter(pod, usage);
            for (var i = 0; i < sizes.Nodes.Count; i++)
            {
                var node = sizes.Nodes[i].Node;
                var left = node.Allocatable.Less(usage.On(node).Requested).Less(running);
                var share = Math.Min(
                    lackCpu.Count == 0 ? 1 : left.CpuMilliOrZero / ((double)cpuMilli * lackCpu.Count),
                    lackMemory.Count == 0 ? 1 : left.MemoryBytesOrZero / ((double)memoryBytes * lackMemory.Count));
                if (share > best.Share && asWritten.FitsNow(node) == FilterResult.CanRun)
                {
                    best = (node, left, share);
                }
            }

            room = best.Room;
            return best.Node;
        }

        RequestReduced Reduced(string resource, long amount, long wanted, NodeFacts node, Func<Resources, long> of)
        {
            var (allocatable, used) = (of(node.Allocatable), of(usage.On(node).Requested));
            return new RequestReduced(
                resource, amount, wanted, node.Name, Math.Max(0, allocatable - used), allocatable, IsLargestAndEmpty: used == 0 && ReferenceEquals(node, largest));
        }

        List<AddedRequest> Amounts(long eachCpuMilli, long eachMemoryBytes)
        {
            var added = new List<AddedRequest>(lackCpu.Count + lackMemory.Count);
            for (var i = 0; i < pod.Containers.Length; i++)
            {
                var container = pod.Containers[i];
                if (lackCpu.Contains(i) && Math.Min(eachCpuMilli, container.Limits.CpuMilli ?? long.MaxValue) is > 0 and var cpu)
                {
                    added.Add(new AddedRequest(i, container.Name, AddedRequest.Cpu, cpu));
                }

                if (lackMemory.Contains(i) && Math.Min(eachMemoryBytes, container.Limits.MemoryBytes ?? long.MaxValue) is > 0 and var memory)
                {
                    added.Add(new AddedRequest(i, container.Name, AddedRequest.Memory, memory));
                }
            }

            return added;
        }

        Resources Total(List<AddedRequest> added) => EffectiveRequest.Of(pod.With(added)).Max(atStart);
    }

    /// <summary>
    /// The app containers without a request of their own. A request at the level of the pod is the author's word for all of them.
    /// </summary>
    static List<int> Lacking(PodFacts pod, PlacementPolicy policy, Func<Resources, long?> resource) =>
        resource(pod.PodRequests) is not null || resource(pod.PodLimits) is not null
            ? []
            : [.. Enumerable.Range(0, pod.Containers.Length).Where(i =>
                resource(pod.Containers[i].Requests) is null && !policy.IsPlatformContainer(pod.Containers[i].Name))];

    /// <summary>
    /// What to prefer: the cloud nodes by the admin's selector when one of them can hold the pod, else the top capacity class. A label
    /// that many nodes share beats a list of names: it is short, and it still holds when a node joins. It must not cover a node that is too small.
    /// </summary>
    static PreferredNodes? Preference(ClusterView view, CapacityRank sizes, NodeFilter filter, Resources request, PlacementPolicy policy)
    {
        if (policy.CloudSelector is { } selector && view.Matching(selector) is { Members.Count: > 0 } cloud && AnyCan(cloud.Members, filter))
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
            .Where(t => t.Capacity >= threshold && t.Group.EveryMemberHolds(request) && AnyCan(t.Group.Members, filter))
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

    static bool AnyCan(IReadOnlyList<NodeFacts> nodes, NodeFilter filter)
    {
        for (var i = 0; i < nodes.Count; i++)
        {
            if (filter.FitsWhenEmpty(nodes[i]) == FilterResult.CanRun)
            {
                return true;
            }
        }

        return false;
    }
}
