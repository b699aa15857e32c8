using System.Globalization;
using System.Runtime.CompilerServices;

namespace AdmissionLas.Placement;

/// <summary>
/// A predict step goes to the node with the lowest latency to its location among those that can run it
/// (LAS thesis, chapter 3: the extender's rule), and to the next nearest when that one is full.
/// </summary>
static class PredictPlacement
{
    /// <summary>
    /// Of nodes at the very same latency so many are compared by what they have left, the largest first; a label that a whole zone shares
    /// must not cost a look at the whole zone.
    /// </summary>
    const int MaxEquals = 64;

    // Used by one decision after the other; no decision keeps it.
    [ThreadStatic]
    static List<RankedNode>? candidatesOfThread;

    internal static Decision Decide(
        Step step, PodFacts pod, ClusterView view, ClusterUsage usage, PlacementPolicy policy, PlacementMode mode, List<string> warnings)
    {
        if (step.Location is not { Length: > 0 } location)
        {
            return PlacementEngine.Unplaced(
                Outcome.NoLocation, step, mode, $"nothing says where its requests come from; set the label {StepRules.LocationKey}",
                $"{PlacementEngine.Plain(step)}: it does not say where they are; add the label {StepRules.LocationKey}{Known(view, ", one of ")}", warnings);
        }

        var measured = view.NearestTo(location);
        if (measured.Count == 0)
        {
            return PlacementEngine.Unplaced(Outcome.UnknownLocation, step, mode, WhyUnknown(location, view), $"{PlacementEngine.Plain(step)}: {PlainlyUnknown(location, view)}", warnings);
        }

        var filter = new NodeFilter(pod, usage);
        var candidates = candidatesOfThread ??= new List<RankedNode>(PlacementPolicy.NamedNodesLimit);
        candidates.Clear();
        AddCandidates(candidates, view.RankedFor(location), filter, policy.NamedNodes, now: true);
        var hasRoom = candidates.Count > 0;
        if (!hasRoom)
        {
            // Full now, all of them: the pod has to wait for one, and the scheduler should still know which is nearest when it has room.
            AddCandidates(candidates, view.RankedFor(location), filter, policy.NamedNodes, now: false);
        }

        if (candidates.Count == 0)
        {
            return PlacementEngine.Unplaced(Outcome.NoCandidate, step, mode, WhyNone(location, measured, filter), $"{PlacementEngine.Plain(step)}: {PlainlyNone(measured, filter)}", warnings);
        }

        PreferredTerm[] preferred;
        NodeSelectorRequirement? required = null;
        string? softened = null;
        List<StandbySelection.Member>? near = null;
        if (mode == PlacementMode.Adaptive)
        {
            softened = WhyNotKept(pod, view, candidates, hasRoom);
            if (softened is null)
            {
                near = StandbySelection.Choose(
                    candidates, filter, new SchedulerScore(pod, filter.Request, view, usage), view, policy.NodeAffinityWeight, pod.PreferredWeight, out var allWouldWin);
                if (near.Count == 1 && !allWouldWin)
                {
                    // Nobody else could have it: a requirement would gain nothing, and leave the pod waiting should the node go.
                    (near, softened) = (null, "no other could stand by");
                }
            }

            mode = near is null ? PlacementMode.Preferred : mode;
        }

        if (near is not null)
        {
            candidates.Clear();
            // Where there is nothing to choose from there is nothing to prefer.
            preferred = near.Count == 1 ? [] : new PreferredTerm[near.Count];
            for (var i = 0; i < near.Count; i++)
            {
                candidates.Add(near[i].Ranked);
                if (i < preferred.Length)
                {
                    preferred[i] = new PreferredTerm(near[i].Weight, view.TermFor(near[i].Ranked.Node));
                }
            }

            required = Hostnames(view, candidates);
        }
        else
        {
            preferred = Prefer(view, candidates);
            if (mode == PlacementMode.Required)
            {
                (mode, required) = Pin(pod, view, policy, candidates, warnings);
            }
        }

        return new Decision
        {
            Outcome = Outcome.Placed,
            Step = step,
            Mode = mode,
            Chosen = candidates[0].Node,
            ReservesCapacity = hasRoom,
            Request = filter.Request,
            LatencyMs = candidates[0].LatencyMs,
            NearestMs = measured[0].LatencyMs,
            Preferred = preferred,
            Required = required,
            Warnings = warnings,
            Explanation = Explain(step, mode, candidates, required, hasRoom, softened),
        };
    }

    /// <summary>
    /// The nearest nodes that can run the pod. Those that the scheduler will avoid for their taint come last, because that is where it
    /// will put them: a decision that names one of them first would not come true.
    /// </summary>
    static void AddCandidates(List<RankedNode> candidates, ReadOnlySpan<RankedNode> measured, in NodeFilter filter, int most, bool now)
    {
        var someAreAvoided = AddNearest(candidates, measured, filter, most, now, avoided: false);
        if (someAreAvoided && candidates.Count < most)
        {
            AddNearest(candidates, measured, filter, most, now, avoided: true);
        }
    }

    /// <summary>Adds nodes until there are as many as may be; tells whether it came by some of the other kind.</summary>
    static bool AddNearest(List<RankedNode> nearest, ReadOnlySpan<RankedNode> measured, in NodeFilter filter, int most, bool now, bool avoided)
    {
        var equals = 0;
        var others = false;
        for (var i = 0; i < measured.Length && equals < MaxEquals; i++)
        {
            ref readonly var next = ref measured[i];
            if (equals > 0 && next.LatencyMs > nearest[^1].LatencyMs)
            {
                FreestFirst(nearest, equals, filter);
                equals = 0;
                if (nearest.Count >= most)
                {
                    break;
                }
            }

            if (filter.IsAvoided(next.Node) != avoided)
            {
                others = true;
            }
            else if ((now ? filter.FitsNow(next.Node) : filter.FitsWhenEmpty(next.Node)) == FilterResult.CanRun)
            {
                nearest.Add(next);
                equals++;
            }
        }

        FreestFirst(nearest, equals, filter);
        nearest.RemoveRange(Math.Min(most, nearest.Count), Math.Max(0, nearest.Count - most));
        return others;
    }

    /// <summary>Sorts the last few, which are equally near: the most free CPU first, then memory, then by name.</summary>
    static void FreestFirst(List<RankedNode> nodes, int last, in NodeFilter filter)
    {
        if (last < 2)
        {
            return;
        }

        var start = nodes.Count - last;
        var free = new (RankedNode Node, Resources Free)[last];
        for (var i = 0; i < last; i++)
        {
            free[i] = (nodes[start + i], filter.FreeOn(nodes[start + i].Node));
        }

        Array.Sort(free, static (a, b) =>
            a.Free.CpuMilli != b.Free.CpuMilli ? b.Free.CpuMilliOrZero.CompareTo(a.Free.CpuMilliOrZero)
            : a.Free.MemoryBytes != b.Free.MemoryBytes ? b.Free.MemoryBytesOrZero.CompareTo(a.Free.MemoryBytesOrZero)
            : string.CompareOrdinal(a.Node.Node.Name, b.Node.Node.Name));
        for (var i = 0; i < last; i++)
        {
            nodes[start + i] = free[i].Node;
        }
    }

    static PreferredTerm[] Prefer(ClusterView view, List<RankedNode> candidates)
    {
        // An avoided node may be nearer than the one before it; for the weights every other latency is a step further, so that the order stands.
        Span<double> latenciesMs = stackalloc double[candidates.Count];
        for (var i = 0; i < latenciesMs.Length; i++)
        {
            latenciesMs[i] = i == 0 ? candidates[i].LatencyMs
                : candidates[i].LatencyMs == candidates[i - 1].LatencyMs ? latenciesMs[i - 1]
                : Math.Max(candidates[i].LatencyMs, Math.BitIncrement(latenciesMs[i - 1]));
        }

        var weights = PreferenceWeights.For(latenciesMs);
        var terms = new PreferredTerm[candidates.Count];
        for (var i = 0; i < terms.Length; i++)
        {
            terms[i] = new PreferredTerm(weights[i], view.TermFor(candidates[i].Node));
        }

        return terms;
    }

    /// <summary>
    /// The near set as one requirement on the host name label: the field metadata.name takes one value a requirement, and a requirement
    /// is what can be ANDed into the terms the author wrote. A pod that could end up stranded is not pinned, and the author is told.
    /// </summary>
    static (PlacementMode, NodeSelectorRequirement?) Pin(
        PodFacts pod, ClusterView view, PlacementPolicy policy, List<RankedNode> candidates, List<string> warnings)
    {
        if (pod.SchedulerOnlyConstraint is { } unseen)
        {
            warnings.Add($"placement required is softened to preferred: only the scheduler can judge the pod's {unseen}, and a pin could strand it");
            return (PlacementMode.Preferred, null);
        }

        var nearMs = Math.Max(candidates[0].LatencyMs * policy.NearFactor, candidates[0].LatencyMs + policy.NearSlackMs);
        if (view.UniqueHostname(candidates[0].Node) is null)
        {
            warnings.Add($"placement required is softened to preferred: node {candidates[0].Node.Name} has no {NodeSelectorTerm.HostnameKey} label of its own");
            return (PlacementMode.Preferred, null);
        }

        return (PlacementMode.Required, Hostnames(view, candidates, nearMs));
    }

    static NodeSelectorRequirement Hostnames(ClusterView view, List<RankedNode> nodes, double mostMs = double.MaxValue)
    {
        var names = new string[nodes.Count];
        var count = 0;
        for (var i = 0; i < nodes.Count; i++)
        {
            if (nodes[i].LatencyMs <= mostMs && view.UniqueHostname(nodes[i].Node) is { } name)
            {
                names[count++] = name;
            }
        }

        Array.Resize(ref names, count);
        return new NodeSelectorRequirement(NodeSelectorTerm.HostnameKey, SelectorOperator.In, names);
    }

    /// <summary>Why the adaptive mode leaves it at a preference; <see langword="null"/> where the pod can be kept to the near set.</summary>
    static string? WhyNotKept(PodFacts pod, ClusterView view, List<RankedNode> candidates, bool hasRoom) =>
        !hasRoom ? "none has room now"
        : pod.SchedulerOnlyConstraint is { } unseen ? $"only the scheduler can judge the pod's {unseen}"
        : view.UniqueHostname(candidates[0].Node) is null ? $"it has no {NodeSelectorTerm.HostnameKey} label of its own"
        : null;

    static string Explain(Step step, PlacementMode mode, List<RankedNode> candidates, NodeSelectorRequirement? required, bool hasRoom, string? softened)
    {
        const int named = 3;
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[512]);
        PlacementEngine.AppendName(ref text, step);
        for (var i = 0; i < Math.Min(candidates.Count, named + 1); i++)
        {
            text.AppendLiteral(i == 0 ? ": " : i == 1 ? ", then " : ", ");
            text.AppendLiteral(candidates[i].Node.Name);
            text.AppendLiteral(" (");
            Words.AppendMs(ref text, candidates[i].LatencyMs);
            text.AppendLiteral(")");
            if (i == 0)
            {
                text.AppendLiteral(" ");
                text.AppendLiteral(Words.Of(mode));
                if (softened is not null && hasRoom)
                {
                    text.AppendLiteral(" and not required (");
                    text.AppendLiteral(softened);
                    text.AppendLiteral(")");
                }
            }
        }

        if (candidates.Count > named + 1)
        {
            text.AppendLiteral(" and ");
            text.AppendFormatted(candidates.Count - named - 1);
            text.AppendLiteral(" more");
        }

        if (mode == PlacementMode.Adaptive)
        {
            text.AppendLiteral(", no others");
        }
        else if (required is not null)
        {
            text.AppendLiteral("; pinned to ");
            text.AppendLiteral(string.Join(", ", required.Values));
        }

        if (!hasRoom)
        {
            text.AppendLiteral("; none of those near has room now");
        }

        text.AppendLiteral("; ");
        Words.AppendRules(ref text, step);
        return text.ToStringAndClear();
    }

    static string WhyUnknown(string location, ClusterView view)
    {
        if (!view.Locations.Any())
        {
            return $"no node has a latency label; label the nodes {LatencyLabel.Prefix}{(LabelSyntax.IsName(location) ? location : "<location>")}=<milliseconds>";
        }

        if (!LabelSyntax.IsName(location))
        {
            return $"location {Words.Shorten(location)} is no valid label name, so no node can have a latency to it";
        }

        return ClosestName.Of(location, view.Locations) is { } meant
            ? $"no node has a latency to {location}; did you mean {meant}?"
            : $"no node has a latency to {location}; known locations: {string.Join(", ", view.Locations.Order(StringComparer.Ordinal).Take(10))}";
    }

    static string PlainlyUnknown(string location, ClusterView view)
    {
        if (!view.Locations.Any())
        {
            return "how far the machines are from it is not known for any place; an admin of the cluster can label them";
        }

        if (!LabelSyntax.IsName(location))
        {
            return "no place can have that name; use letters, digits, - and _";
        }

        return ClosestName.Of(location, view.Locations) is { } meant
            ? $"no such place is known; did you mean {meant}?"
            : $"no such place is known{Known(view, "; these are: ")}";
    }

    /// <summary>The locations there are, as many as a warning has room for; nothing when there are none.</summary>
    static string Known(ClusterView view, string introduction)
    {
        const int room = 70;
        var named = new List<string>();
        var length = 0;
        foreach (var location in view.Locations.Order(StringComparer.Ordinal))
        {
            length += location.Length + 2;
            if (length > room)
            {
                named.Add("…");
                break;
            }

            named.Add(location);
        }

        return named.Count == 0 ? "" : introduction + string.Join(", ", named);
    }

    static string PlainlyNone(IReadOnlyList<RankedNode> measured, NodeFilter filter) =>
        $"{Words.None(measured.Count)} at a known distance can run it ({Words.Plainly(measured.Select(m => filter.FitsWhenEmpty(m.Node)))})";

    static string WhyNone(string location, IReadOnlyList<RankedNode> measured, NodeFilter filter)
    {
        var reasons = measured.GroupBy(m => filter.FitsWhenEmpty(m.Node)).OrderByDescending(g => g.Count()).ThenBy(g => g.Key)
            .Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Count()} {Words.Of(g.Key)}"));
        return $"none of the {Words.Count(measured.Count, "node")} with a latency to {location} can run it ({string.Join(", ", reasons)})";
    }
}
