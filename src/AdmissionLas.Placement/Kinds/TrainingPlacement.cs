using System.Globalization;

namespace AdmissionLas.Placement;

/// <summary>
/// A training step gets resource requests where it has none, so that the scheduler looks for room, and prefers the high-capacity cloud nodes.
/// </summary>
static class TrainingPlacement
{
    const int Weight = 100;

    /// <summary>So many nodes are compared by the scheduler's points; a cloud of thousands must not cost a look at each.</summary>
    const int MaxCompared = 64;

    /// <summary>What a node can lose by a PreferNoSchedule taint.</summary>
    const int PointsOfTaints = 300;

    internal static Decision Decide(
        Step step, PodFacts pod, ClusterView view, ClusterUsage usage, PlacementPolicy policy, PlacementMode mode, List<string> warnings)
    {
        var sizes = view.ByCapacity(DeviceOf(pod));
        var asWritten = new NodeFilter(pod, usage);
        if (FirstThatCan(sizes, asWritten) is not { } largest)
        {
            return PlacementEngine.Unplaced(Outcome.NoCandidate, step, mode, WhyNone(view, asWritten), PlainlyNone(step, view, asWritten), warnings);
        }

        var requests = RequestsFor(pod, usage, policy, sizes, largest, warnings, out var request);
        var filter = new NodeFilter(pod, request, usage);
        var (preference, why) = Preference(view, sizes, filter, request, policy);
        var asked = requests.Count == 0
            ? "keeps its own requests"
            : "requests " + InWords(requests);
        // Where it counts until the scheduler has picked one of those preferred.
        var withRoom = LikeliestPreferred(pod, request, sizes, filter, preference, view, usage);
        return new Decision
        {
            Outcome = Outcome.Placed,
            Step = step,
            Mode = mode,
            Chosen = withRoom ?? FirstPreferred(sizes, filter, preference),
            ReservesCapacity = withRoom is not null,
            Request = request,
            Preferred = preference is null ? [] : [new PreferredTerm(Weight, preference)],
            Requests = requests,
            Warnings = warnings,
            Explanation = $"{PlacementEngine.Name(step)}: {why}; {asked}; {Words.Rules(step)}",
        };
    }

    // An annotation has 256 KiB with all the others, and a pod with more is denied; the names are not validated yet.
    static string InWords(List<AddedRequest> requests)
    {
        const int named = 16;
        var words = string.Join(", ", requests.Take(named).Select(r => $"{Words.Shorten(r.ContainerName)} {r.Resource}={r.Quantity}"));
        return requests.Count <= named ? words : string.Create(CultureInfo.InvariantCulture, $"{words} and {requests.Count - named} more");
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
    static NodeFacts? LikeliestPreferred(
        PodFacts pod, Resources request, CapacityRank sizes, NodeFilter filter, NodeSelectorTerm? preference, ClusterView view, ClusterUsage usage)
    {
        var score = new SchedulerScore(pod, request, view, usage);
        NodeFacts? likeliest = null;
        var most = double.MinValue;
        for (int i = 0, able = 0; i < sizes.Nodes.Count && able < MaxCompared; i++)
        {
            var node = sizes.Nodes[i].Node;
            if ((preference is null || preference.Matches(node)) && filter.FitsNow(node) == FilterResult.CanRun)
            {
                able++;
                var points = score.Of(node) - (filter.IsAvoided(node) ? PointsOfTaints : 0);
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
    static List<AddedRequest> RequestsFor(
        PodFacts pod, ClusterUsage usage, PlacementPolicy policy, CapacityRank sizes, NodeFacts largest, List<string> warnings, out Resources request)
    {
        var lackCpu = Lacking(pod, policy, r => r.CpuMilli);
        var lackMemory = Lacking(pod, policy, r => r.MemoryBytes);
        var cpuMilli = lackCpu.Count == 0 ? 0 : PodHints.CpuMilli(pod, policy, warnings);
        var memoryBytes = lackMemory.Count == 0 ? 0 : PodHints.MemoryBytes(pod, policy, warnings);
        var atStart = EffectiveRequest.Of(pod);
        var running = EffectiveRequest.WhileRunning(pod);

        var asked = Amounts(cpuMilli, memoryBytes);
        request = Total(asked);
        if (FirstThatCan(sizes, new NodeFilter(pod, request, usage)) is null)
        {
            var roomiest = Roomiest(out var room);
            var fittingCpu = lackCpu.Count == 0 ? 0 : Math.Min(cpuMilli, room.CpuMilliOrZero / lackCpu.Count);
            var fittingMemory = lackMemory.Count == 0 ? 0 : Math.Min(memoryBytes, room.MemoryBytesOrZero / lackMemory.Count);
            if (fittingCpu < cpuMilli)
            {
                warnings.Add($"each container of this training step gets {Words.Cpus(fittingCpu)} CPUs instead of {Words.Cpus(cpuMilli)}: {Has(roomiest, r => r.CpuMilliOrZero, Words.Cpus)}");
            }

            if (fittingMemory < memoryBytes)
            {
                warnings.Add($"each container of this training step gets {Quantity.FormatBytes(fittingMemory)} of memory instead of {Quantity.FormatBytes(memoryBytes)}: {Has(roomiest, r => r.MemoryBytesOrZero, Quantity.FormatBytes)}");
            }

            asked = Amounts(fittingCpu, fittingMemory);
            request = Total(asked);
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

        string Has(NodeFacts node, Func<Resources, long> resource, Func<long, string> format)
        {
            var (whole, used) = (resource(node.Allocatable), resource(usage.On(node).Requested));
            return used == 0 && ReferenceEquals(node, largest)
                ? $"{Words.Shorten(node.Name)}, the largest machine that can run it, has {format(whole)}"
                : $"{Words.Shorten(node.Name)}, the machine with the most room for it, has {format(Math.Max(0, whole - used))} left of {format(whole)}";
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

        Resources Total(List<AddedRequest> added) => EffectiveRequest.Of(With(pod, added)).Max(atStart);
    }

    /// <summary>The pod as it will be with the added requests.</summary>
    internal static PodFacts With(PodFacts pod, IReadOnlyList<AddedRequest> added) => pod with
    {
        Containers = [.. pod.Containers.Select((c, i) => c with
        {
            Requests = new Resources(
                AmountIn(added, i, AddedRequest.Cpu) ?? c.Requests.CpuMilli,
                AmountIn(added, i, AddedRequest.Memory) ?? c.Requests.MemoryBytes,
                c.Requests.Other),
        })],
    };

    static long? AmountIn(IReadOnlyList<AddedRequest> added, int index, string resource) =>
        added.FirstOrDefault(a => a.ContainerIndex == index && a.Resource == resource)?.Amount;

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
    static (NodeSelectorTerm? Preference, string Why) Preference(
        ClusterView view, CapacityRank sizes, NodeFilter filter, Resources request, PlacementPolicy policy)
    {
        if (policy.CloudSelector is { } selector && view.Matching(selector) is { Members.Count: > 0 } cloud && AnyCan(cloud.Members, filter))
        {
            if (cloud.EveryMemberHolds(request))
            {
                return (selector, $"cloud nodes ({Words.Of(selector)}) preferred");
            }

            var able = cloud.Members.Where(m => filter.FitsWhenEmpty(m) == FilterResult.CanRun).Take(policy.NamedNodes).ToArray();
            return (Named(view, able), $"{Words.Count(able.Length, "cloud node")} large enough preferred ({string.Join(", ", able.Select(n => n.Name))})");
        }

        return TopClass(view, sizes, filter, request, policy);
    }

    static (NodeSelectorTerm? Preference, string Why) TopClass(
        ClusterView view, CapacityRank sizes, NodeFilter filter, Resources request, PlacementPolicy policy)
    {
        var best = sizes.Nodes.FirstOrDefault(n => filter.FitsWhenEmpty(n.Node) == FilterResult.CanRun);
        if (best.Node is null)
        {
            return (null, "no preference");
        }

        var threshold = best.Capacity * policy.TopClassShare;
        if (sizes.Smallest >= threshold)
        {
            return (null, "no preference, the nodes are all of one capacity class");
        }

        var types = sizes.InstanceTypes
            .Where(t => t.Capacity >= threshold && t.Group.EveryMemberHolds(request) && AnyCan(t.Group.Members, filter))
            .OrderByDescending(t => t.Capacity).ThenBy(t => t.Name, StringComparer.Ordinal).Take(policy.NamedNodes).Select(t => t.Name).ToArray();
        if (best.Node.Label(CapacityRank.InstanceTypeKey) is { } bestType && types.Contains(bestType))
        {
            var term = new NodeSelectorTerm([new(CapacityRank.InstanceTypeKey, SelectorOperator.In, types)], []);
            return (term, $"top capacity class ({Words.Of(term)}) preferred");
        }

        var named = sizes.Nodes.TakeWhile(n => n.Capacity >= threshold).Select(n => n.Node)
            .Where(n => filter.FitsWhenEmpty(n) == FilterResult.CanRun).Take(policy.NamedNodes).ToArray();
        return (Named(view, named), string.Create(CultureInfo.InvariantCulture, $"top capacity class ({string.Join(", ", named.Select(n => n.Name))}) preferred"));
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

    static NodeSelectorTerm Named(ClusterView view, NodeFacts[] nodes)
    {
        var hostnames = nodes.Select(view.UniqueHostname).OfType<string>().ToArray();
        return hostnames.Length > 0 ? NodeSelectorTerm.Hostnames(hostnames) : view.TermFor(nodes[0]);
    }

    static string PlainlyNone(Step step, ClusterView view, NodeFilter filter) =>
        $"{PlacementEngine.Plain(step)}: {Words.None(view.Nodes.Count)} can run it{(view.Nodes.Count == 0 ? "" : $" ({Words.Plainly(view.Nodes.Select(filter.FitsWhenEmpty))})")}";

    static string WhyNone(ClusterView view, NodeFilter filter)
    {
        if (view.Nodes.Count == 0)
        {
            return "no node is known";
        }

        var reasons = view.Nodes.GroupBy(filter.FitsWhenEmpty).OrderByDescending(g => g.Count()).ThenBy(g => g.Key)
            .Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Count()} {Words.Of(g.Key)}"));
        return $"none of the {Words.Count(view.Nodes.Count, "node")} can run it ({string.Join(", ", reasons)})";
    }
}
