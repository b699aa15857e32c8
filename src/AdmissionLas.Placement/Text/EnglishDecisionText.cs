using System.Runtime.CompilerServices;

namespace AdmissionLas.Placement;

/// <summary>Decisions in English. Every sentence about a decision stands here.</summary>
public sealed class EnglishDecisionText : IDecisionText
{
    const int MaxEchoLength = LabelSyntax.MaxLength;

    EnglishDecisionText()
    {
    }

    /// <summary>The only one: it keeps nothing.</summary>
    public static EnglishDecisionText Instance { get; } = new();

    /// <inheritdoc/>
    public string Explain(Decision decision)
    {
        if (!decision.IsDecided)
        {
            return "";
        }

        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[512]);
        text.AppendLiteral(decision.Step.Kind!.Component);
        if (decision.Step is { Kind.HasLocation: true, Location: { } location })
        {
            text.AppendLiteral(" at ");
            text.AppendLiteral(Shorten(location));
        }

        text.AppendLiteral(": ");
        if (decision.Outcome != Outcome.Placed)
        {
            text.AppendLiteral("left to the default scheduler: ");
            text.AppendLiteral(ForAdmin(decision.Reason!));
        }
        else if (decision.Reason is NearestNodes)
        {
            AppendCandidates(ref text, decision);
        }
        else
        {
            text.AppendLiteral(Preferred(decision.Reason as PreferredNodes));
            if (decision.Required is { } pin)
            {
                text.AppendLiteral($"; kept to {string.Join(", ", pin.Names)}");
            }
        }

        if (decision.Outcome == Outcome.Placed && !decision.Step.Kind.HasLocation)
        {
            text.AppendLiteral(decision.Requests.Count == 0 ? "; requests as written" : "; requests ");
            text.AppendLiteral(Requests(decision.Requests));
        }

        text.AppendLiteral("; by ");
        text.AppendLiteral(decision.Step.TypeRule);
        if (decision.Step.LocationRule is { } rule && rule != decision.Step.TypeRule)
        {
            text.AppendLiteral(", ");
            text.AppendLiteral(rule);
        }

        return PlainText.Of(text.ToStringAndClear());
    }

    /// <inheritdoc/>
    public string Warn(Decision decision, Notice notice) => PlainText.Of(Sentence(decision, notice));

    static string Sentence(Decision decision, Notice notice) => notice switch
    {
        UnknownStepType(var rule, var word, var closest) => $"{rule}={Shorten(word)}: unknown step type, ignored; did you mean {closest}?",
        UnknownPlacementMode(var word, var used) =>
            $"annotation {PodHints.PlacementKey}={Shorten(word)} is not one of adaptive, preferred, required, off; using {Mode(used)}",
        BeyondMaxLatency { AvoidedMs: { } avoidedMs } beyond =>
            $"the machine {Ms(avoidedMs)} away is kept for other work where possible; the next that can run it is {Ms(beyond.LatencyMs)} away, and {Ms(beyond.MaxLatencyMs)} are allowed",
        BeyondMaxLatency beyond => $"the nearest machine that can run it is {Ms(beyond.LatencyMs)} away, and {Ms(beyond.MaxLatencyMs)} are allowed",
        UnreadableMaxLatency(var text) => $"annotation {PodHints.MaxLatencyKey}={Shorten(text)} is not a latency such as 20ms, and is ignored",
        UnknownSpread(var word, var used) =>
            $"annotation {PodHints.SpreadKey}={Shorten(word)} is not one of nearest, near; using {(used == SpreadMode.Near ? "near" : "nearest")}",
        UnknownTrainingRequests(var word, var used) =>
            $"annotation {PodHints.RequestsKey}={Shorten(word)} is not one of on, full, off; using {used.ToString().ToLowerInvariant()}",
        NoLongerBestEffort => $"added requests make it Burstable, for quotas too; annotation {PodHints.RequestsKey}=off avoids that",
        UnreadableAmount(var key, var text, var used) => $"annotation {key}={Shorten(text)} is not an amount such as {used}, which is used instead",
        RequiredSoftened(var softening) => $"placement required is softened to preferred: {(softening.Cause == SofteningCause.NoOwnHostname
            ? $"node {softening.NodeName} has no {NodeSelectorTerm.HostnameKey} label of its own"
            : $"{Softened(softening)}, and a pin could strand it")}",
        RequestReduced reduced => Reduced(reduced),
        NotPlaced(var reason) => $"{decision.Step.Kind?.WhenNotPlaced(decision.Step.Location is { } location ? Shorten(location) : null)}: {ForAuthor(reason)}",
        _ => notice.ToString(),
    };

    /// <inheritdoc/>
    public string Describe(FilterResult result) => result switch
    {
        FilterResult.CanRun => "can run it",
        FilterResult.NotReady => "not ready",
        FilterResult.Cordoned => "cordoned",
        FilterResult.Tainted => "tainted",
        FilterResult.NodeSelector => "excluded by the pod's nodeSelector",
        FilterResult.NodeAffinity => "excluded by the pod's node affinity",
        FilterResult.Cpu => "too little cpu",
        FilterResult.Memory => "too little memory",
        FilterResult.OtherResource => "too little of another resource",
        FilterResult.PodCount => "full of pods",
        FilterResult.OperatingSystem => "of another operating system",
        FilterResult.AntiAffinity => "kept free of it by another pod's anti-affinity",
        _ => throw new ArgumentOutOfRangeException(nameof(result), result, "a filter result without words"),
    };

    /// <inheritdoc/>
    public string Describe(UnscoredFactor factor) => factor.Kind switch
    {
        UnscoredKind.PodTopologySpread => "PodTopologySpread (up to 200: pods of the same Service or owner)",
        UnscoredKind.InterPodAffinity => "InterPodAffinity (up to 200: the pod's and other pods' affinity)",
        UnscoredKind.ResourcesFit => "NodeResourcesFit (up to 100: by a strategy of the scheduler's own)",
        UnscoredKind.SchedulerOnlyConstraint => $"its filters for the pod's {Words(factor.Constraint)}, which can drop nodes",
        UnscoredKind.Sampling => "which part of the nodes it looks at: above 100 it does not score them all",
        UnscoredKind.AuthorPreferences => $"the pod's own preferred terms: more than {NodeFilter.MaxComparisons} comparisons",
        _ => throw new ArgumentOutOfRangeException(nameof(factor), factor, "a factor without words"),
    };

    // The nodes of a decision: a few of them, with how hard the pod is tied to them.
    static void AppendCandidates(ref DefaultInterpolatedStringHandler text, Decision decision)
    {
        const int named = 4;
        var candidates = decision.Candidates;
        for (var i = 0; i < Math.Min(candidates.Count, named); i++)
        {
            text.AppendLiteral(i == 0 ? "" : candidates[i].Role == CandidateRole.Near ? " or " : i == 1 ? ", then " : ", ");
            text.AppendLiteral(candidates[i].Node.Name);
            text.AppendLiteral(" (");
            AppendMs(ref text, candidates[i].LatencyMs);
            text.AppendLiteral(")");
            if (i == 0)
            {
                text.AppendLiteral(" ");
                text.AppendLiteral(Mode(decision.Mode));
                if (decision is { Softened: { Cause: not SofteningCause.NoRoomNow } softening } && !decision.Warnings.Any(w => w is RequiredSoftened))
                {
                    text.AppendLiteral(" and not required (");
                    text.AppendLiteral(Softened(softening));
                    text.AppendLiteral(")");
                }
            }
        }

        if (candidates.Count > named)
        {
            text.AppendLiteral(" and ");
            text.AppendFormatted(candidates.Count - named);
            text.AppendLiteral(" more");
        }

        if (decision.Mode == PlacementMode.Adaptive)
        {
            text.AppendLiteral(", no others");
        }
        else if (decision.Required is { } required)
        {
            text.AppendLiteral("; pinned to ");
            text.AppendLiteral(string.Join(", ", required.Names));
        }

        if (decision.YieldsTo is { } yields)
        {
            text.AppendLiteral("; the pod's own ");
            text.AppendLiteral(SoftWords(yields));
            text.AppendLiteral(" may decide otherwise");
        }

        if (!decision.HasRoom)
        {
            text.AppendLiteral("; none of those near can take it now");
        }
    }

    static string Preferred(PreferredNodes? preferred) => preferred switch
    {
        null => "no preference",
        { Class: NodeClass.EveryNodeAlike } => "no preference, the nodes are all of one capacity class",
        { Class: NodeClass.Cloud, Selector: { } selector } => $"cloud nodes ({Term(selector)}) preferred",
        { Class: NodeClass.Cloud } => $"{Count(preferred.Named.Count, "cloud node")} large enough preferred ({string.Join(", ", preferred.Named.Select(n => n.Name))})",
        { Selector: { } selector } => $"top capacity class ({Term(selector)}) preferred",
        _ => $"top capacity class ({string.Join(", ", preferred.Named.Select(n => n.Name))}) preferred",
    };

    // An annotation has 256 KiB with all the others, and a pod with more is denied; the names are not validated yet.
    static string Requests(IReadOnlyList<AddedRequest> requests)
    {
        const int named = 16;
        var words = string.Join(", ", requests.Take(named).Select(r => $"{Shorten(r.ContainerName)} {r.Resource}={r.Quantity}"));
        return requests.Count <= named ? words : string.Create(CultureInfo.InvariantCulture, $"{words} and {requests.Count - named} more");
    }

    static string Words(SchedulerConstraint? constraint) => constraint switch
    {
        SchedulerConstraint.PodAffinity => "pod affinity",
        SchedulerConstraint.PodAntiAffinity => "pod anti-affinity",
        SchedulerConstraint.HostPorts => "host ports",
        SchedulerConstraint.HostNetwork => "host network",
        SchedulerConstraint.Volumes => "volumes",
        SchedulerConstraint.TopologySpreadConstraints => "topology spread constraints",
        SchedulerConstraint.ResourceClaims => "resource claims",
        SchedulerConstraint.NodeAffinity => "node affinity",
        SchedulerConstraint.ExtendedResources => "extended resources",
        SchedulerConstraint.RestartRules => "restart rules",
        _ => throw new ArgumentOutOfRangeException(nameof(constraint), constraint, "a constraint without words"),
    };

    static string SoftWords(SchedulerConstraint constraint) =>
        constraint == SchedulerConstraint.TopologySpreadConstraints ? "spread constraints" : $"preferred {Words(constraint)}";

    static string Softened(Softening softening) => softening.Cause switch
    {
        SofteningCause.NoRoomNow => "none can take it now",
        SofteningCause.SchedulerOnlyConstraint => $"only the scheduler can judge the pod's {Words(softening.Constraint)}",
        SofteningCause.Gated => "the pod is gated, and its nodes may still be narrowed",
        SofteningCause.OtherScheduler => "another scheduler places the pod",
        SofteningCause.OwnPreferences => "its own preferred node affinity leaves no standby",
        SofteningCause.UnknownAntiAffinity => "other pods may keep it away by anti-affinity that is not known here",
        SofteningCause.CanPreempt => "by its priority it could evict other pods there",
        SofteningCause.BeyondMaxLatency => "none is within the latency that it allows",
        SofteningCause.NoOwnHostname => $"it has no {NodeSelectorTerm.HostnameKey} label of its own",
        _ => "no other could stand by",
    };

    // For an admin, who knows the cluster: it stands on the pod and in the audit log.
    string ForAdmin(Reason reason) => reason switch
    {
        LocationMissing => $"nothing says where its requests come from; set the label {StepRules.LocationKey}",
        LocationUnknown { KnownLocations.Count: 0 } unknown =>
            $"no node has a latency label; label the nodes {unknown.LabelPrefix}{(unknown.IsValidName ? unknown.Location : "<location>")}=<milliseconds>",
        LocationUnknown { IsValidName: false } unknown => $"location {Shorten(unknown.Location)} is not a valid label name, so no node can have a latency to it",
        LocationUnknown { Closest: { } closest } unknown => $"no node has a latency to {unknown.Location}; did you mean {closest}?",
        LocationUnknown unknown => $"no node has a latency to {unknown.Location}; known locations: {string.Join(", ", unknown.KnownLocations.Take(10))}",
        NoNodeFits { Location: null, Results.Count: 0 } => "no node is known",
        NoNodeFits none => $"none of the {Count(none.Results.Count, "node")}{(none.Location is { } location ? $" with a latency to {location}" : "")} can run it ({Most(none.Results, Describe)})",
        PodTooComplex => TooComplex,
        _ => reason.ToString(),
    };

    // For the step's author, who may never have heard of schedulers.
    static string ForAuthor(Reason reason) => reason switch
    {
        LocationMissing missing => $"it does not say where they are; add the label {StepRules.LocationKey}{Known(missing.KnownLocations, ", one of ")}",
        LocationUnknown { KnownLocations.Count: 0 } => "how far the machines are from it is not known for any place; an admin of the cluster can label them",
        LocationUnknown { IsValidName: false } => "no place can have that name; use letters, digits, - and _",
        LocationUnknown { Closest: { } closest } => $"no such place is known; did you mean {closest}?",
        LocationUnknown unknown => $"no such place is known{Known(unknown.KnownLocations, "; these are: ")}",
        NoNodeFits none => $"{Machines(none.Results.Count)}{(none.Location is null ? "" : " at a known distance")} can run it" +
            (none.Results.Count == 0 ? "" : $" ({Most(none.Results, ForAuthor, limit: 3)})"),
        PodTooComplex => TooComplex,
        _ => reason.ToString(),
    };

    static string ForAuthor(FilterResult result) => result switch
    {
        FilterResult.CanRun => "can",
        FilterResult.NotReady => "down",
        FilterResult.Cordoned => "closed for maintenance",
        FilterResult.Tainted => "reserved for other work",
        FilterResult.NodeSelector or FilterResult.NodeAffinity => "ruled out by the step itself",
        FilterResult.Cpu => "with too few CPUs",
        FilterResult.Memory => "with too little memory",
        FilterResult.OtherResource => "without the device it needs",
        FilterResult.PodCount => "full",
        FilterResult.OperatingSystem => "of another operating system",
        FilterResult.AntiAffinity => "kept free of it by another pod",
        _ => throw new ArgumentOutOfRangeException(nameof(result), result, "a filter result without words"),
    };

    static string Reduced(RequestReduced reduced)
    {
        var isCpu = reduced.Resource == AddedRequest.Cpu;
        Func<long, string> format = isCpu ? Cpus : Quantity.FormatBytes;
        var machine = reduced.IsLargestAndEmpty
            ? $"the largest machine that can run it, has {format(reduced.Allocatable)}"
            : $"the machine with the most room for it, has {format(reduced.Left)} left of {format(reduced.Allocatable)}";
        return $"each container of this training step gets {format(reduced.Amount)} {(isCpu ? "CPUs" : "of memory")} instead of {format(reduced.Wanted)}: " +
            $"{Shorten(reduced.NodeName)}, {machine}";
    }

    static readonly string TooComplex =
        $"it states more than {NodeFilter.MaxComparisons} tolerations, selector requirements and values, or more than {NodeFilter.MaxAmounts} containers and resources";

    /// <summary>The most frequent results first.</summary>
    static string Most(IEnumerable<FilterResult> results, Func<FilterResult, string> words, int limit = int.MaxValue) =>
        string.Join(", ", results.GroupBy(r => r).OrderBy(g => g.Key).GroupBy(g => words(g.Key), g => g.Count(), (phrase, counts) => (Phrase: phrase, Count: counts.Sum()))
            .OrderByDescending(g => g.Count).Take(limit).Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Count} {g.Phrase}")));

    /// <summary>The locations there are, as many as a warning has room for; nothing when there are none.</summary>
    static string Known(IReadOnlyList<string> locations, string introduction)
    {
        const int room = 70;
        var named = new List<string>();
        var length = 0;
        foreach (var location in locations)
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

    /// <summary>User input as far as it is worth repeating.</summary>
    static string Shorten(string text) => text.Length <= MaxEchoLength ? text : $"{PlainText.Cut(text, MaxEchoLength)} ({text.Length} characters)";

    // To the microsecond: 9.8 ms.
    static void AppendMs(ref DefaultInterpolatedStringHandler text, double latencyMs)
    {
        text.AppendFormatted(Math.Round(latencyMs, 3, MidpointRounding.AwayFromZero));
        text.AppendLiteral(" ms");
    }

    static string Ms(double latencyMs) => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(latencyMs, 3, MidpointRounding.AwayFromZero)} ms");

    // As people count them: 6.5.
    static string Cpus(long cpuMilli) => string.Create(CultureInfo.InvariantCulture, $"{cpuMilli / 1000.0:0.###}");

    static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : string.Create(CultureInfo.InvariantCulture, $"{count} {noun}s");

    static string Machines(int count) => count switch
    {
        0 => "no machine",
        1 => "not one machine",
        _ => string.Create(CultureInfo.InvariantCulture, $"none of the {count} machines"),
    };

    static string Mode(PlacementMode mode) => mode switch
    {
        PlacementMode.Adaptive => "adaptive",
        PlacementMode.Preferred => "preferred",
        PlacementMode.Required => "required",
        _ => "off",
    };

    // In kubectl's notation: tier in (cloud).
    static string Term(NodeSelectorTerm term) => string.Join(", ", term.MatchExpressions.Concat(term.MatchFields).Select(r => r.Operator switch
    {
        SelectorOperator.Exists => r.Key,
        SelectorOperator.DoesNotExist => $"!{r.Key}",
        SelectorOperator.In => $"{r.Key} in ({string.Join(", ", r.Values)})",
        SelectorOperator.NotIn => $"{r.Key} notin ({string.Join(", ", r.Values)})",
        _ => $"{r.Key} {r.Operator} {string.Join(", ", r.Values)}",
    }));
}
