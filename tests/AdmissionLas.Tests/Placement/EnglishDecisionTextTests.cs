namespace AdmissionLas.Tests.Placement;

/// <summary>A decision's data beside its words. The tests of decisions assert the data; what is said of it is tested here alone.</summary>
public sealed class EnglishDecisionTextTests
{
    /// <summary>The API server cuts a warning at 256 characters, and the program's name stands before each.</summary>
    const int LongestWarning = 256 - 15;

    static readonly EnglishDecisionText English = EnglishDecisionText.Instance;
    static readonly Step Predict = new(StepKinds.Predict, "label a", "here", "label b");
    static readonly Step Training = new(StepKinds.Training, "label a");
    static readonly NodeSelectorTerm Cloud = Pods.Term("tier", SelectorOperator.In, "cloud");
    static readonly NodeFacts[] Two = [Nodes.Named("a"), Nodes.Named("b")];
    static readonly string[] Known = ["HOME", "LAB"];
    static readonly string Endless = new('x', 10_000);
    static readonly string Cut = $"{new string('x', 63)}… (10000 characters)";

    public static TheoryData<string, Decision> Near => new()
    {
        { "n1 (1 ms) adaptive, then n2 (2 ms), n3 (3 ms), no others", NearNodes(PlacementMode.Adaptive, 3) },
        { "n1 (1 ms) preferred, then n2 (2 ms), n3 (3 ms), n4 (4 ms) and 2 more", NearNodes(PlacementMode.Preferred, 6) },
        {
            "n1 (1 ms) required, then n2 (2 ms), n3 (3 ms); pinned to n1, n2",
            NearNodes(PlacementMode.Required, 3) with { Required = new([Nodes.Named("n1"), Nodes.Named("n2")], IsByName: true) }
        },
        {
            "n (42.551 ms) preferred",
            NearNodes(PlacementMode.Preferred, 0) with { Candidates = [new(Nodes.Named("n"), 42.5514, CandidateRole.Chosen)] }
        },
        { "n1 (1 ms) preferred; none of those near can take it now", Softened(SofteningCause.NoRoomNow) with { HasRoom = false } },
        { "n1 (1 ms) preferred and not required (no other could stand by)", Softened(SofteningCause.NoStandby) },
        { "n1 (1 ms) preferred and not required (its own preferred node affinity leaves no standby)", Softened(SofteningCause.OwnPreferences) },
        { "n1 (1 ms) preferred and not required (the pod is gated, and its nodes may still be narrowed)", Softened(SofteningCause.Gated) },
        { "n1 (1 ms) preferred and not required (another scheduler places the pod)", Softened(SofteningCause.OtherScheduler) },
        { "n1 (1 ms) preferred and not required (other pods may keep it away by anti-affinity that is not known here)", Softened(SofteningCause.UnknownAntiAffinity) },
        { "n1 (1 ms) preferred and not required (by its priority it could evict other pods there)", Softened(SofteningCause.CanPreempt) },
        { "n1 (1 ms) preferred and not required (none is within the latency that it allows)", Softened(SofteningCause.BeyondMaxLatency) },
        { "n1 (1 ms) preferred and not required (it has no kubernetes.io/hostname label of its own)", Softened(SofteningCause.NoOwnHostname) },
        {
            "n1 (1 ms) adaptive or n2 (2 ms), no others",
            NearNodes(PlacementMode.Adaptive, 2) with { Candidates = [new(Nodes.Named("n1"), 1, CandidateRole.Chosen), new(Nodes.Named("n2"), 2, CandidateRole.Near)] }
        },
        {
            "n1 (1 ms) adaptive, then n2 (2 ms), no others; the pod's own preferred pod anti-affinity may decide otherwise",
            NearNodes(PlacementMode.Adaptive, 2) with { YieldsTo = SchedulerConstraint.PodAntiAffinity }
        },
        {
            "n1 (1 ms) adaptive, then n2 (2 ms), no others; the pod's own preferred pod affinity may decide otherwise",
            NearNodes(PlacementMode.Adaptive, 2) with { YieldsTo = SchedulerConstraint.PodAffinity }
        },
        {
            "n1 (1 ms) preferred, then n2 (2 ms); the pod's own preferred node affinity may decide otherwise",
            NearNodes(PlacementMode.Preferred, 2) with { YieldsTo = SchedulerConstraint.NodeAffinity }
        },
        {
            "n1 (1 ms) adaptive, then n2 (2 ms), no others; the pod's own spread constraints may decide otherwise",
            NearNodes(PlacementMode.Adaptive, 2) with { YieldsTo = SchedulerConstraint.TopologySpreadConstraints }
        },
        // The author's warning says the rest.
        {
            "n1 (1 ms) preferred",
            Softened(SofteningCause.NoOwnHostname) with { Warnings = [new RequiredSoftened(new(SofteningCause.NoOwnHostname))] }
        },
    };

    [Theory, MemberData(nameof(Near))]
    public void Near_nodes_are_named_with_their_latencies_and_how_hard_the_pod_is_tied_to_them(string words, Decision decision) =>
        Assert.Equal($"predict at here: {words}; by label a, label b", English.Explain(decision));

    [Theory]
    [InlineData(SchedulerConstraint.PodAffinity, "pod affinity")]
    [InlineData(SchedulerConstraint.PodAntiAffinity, "pod anti-affinity")]
    [InlineData(SchedulerConstraint.HostPorts, "host ports")]
    [InlineData(SchedulerConstraint.HostNetwork, "host network")]
    [InlineData(SchedulerConstraint.Volumes, "volumes")]
    [InlineData(SchedulerConstraint.TopologySpreadConstraints, "topology spread constraints")]
    [InlineData(SchedulerConstraint.ResourceClaims, "resource claims")]
    [InlineData(SchedulerConstraint.ExtendedResources, "extended resources")]
    [InlineData(SchedulerConstraint.RestartRules, "restart rules")]
    public void What_only_the_scheduler_can_judge_is_named(SchedulerConstraint constraint, string words) => Assert.Equal(
        $"predict at here: n1 (1 ms) preferred and not required (only the scheduler can judge the pod's {words}); by label a, label b",
        English.Explain(Softened(SofteningCause.SchedulerOnlyConstraint, constraint)));

    public static TheoryData<string, PreferredNodes?> Large => new()
    {
        { "cloud nodes (tier in (cloud)) preferred", new(NodeClass.Cloud, Cloud, []) },
        {
            "cloud nodes (a, !b, c notin (d, e), f Gt 5, metadata.name in (n)) preferred",
            new(NodeClass.Cloud, new(
                [
                    new("a", SelectorOperator.Exists, []), new("b", SelectorOperator.DoesNotExist, []),
                    new("c", SelectorOperator.NotIn, ["d", "e"]), new("f", SelectorOperator.Gt, ["5"]),
                ],
                [new("metadata.name", SelectorOperator.In, ["n"])]), [])
        },
        { "1 cloud node large enough preferred (a)", new(NodeClass.Cloud, null, Two[..1]) },
        { "2 cloud nodes large enough preferred (a, b)", new(NodeClass.Cloud, null, Two) },
        { "top capacity class (tier in (cloud)) preferred", new(NodeClass.TopCapacity, Cloud, []) },
        { "top capacity class (a, b) preferred", new(NodeClass.TopCapacity, null, Two) },
        { "no preference, the nodes are all of one capacity class", new(NodeClass.EveryNodeAlike, null, []) },
        { "no preference", null },
    };

    [Theory, MemberData(nameof(Large))]
    public void Large_nodes_are_named_by_what_they_have_in_common(string words, PreferredNodes? reason) =>
        Assert.Equal($"training: {words}; requests as written; by label a", English.Explain(LargeNodes(reason)));

    [Fact]
    public void Requests_are_named_up_to_sixteen_and_counted()
    {
        AddedRequest[] two = [new(0, "main", AddedRequest.Cpu, 1500), new(0, "main", AddedRequest.Memory, 4L << 30)];
        AddedRequest[] twenty = [.. Enumerable.Range(0, 20).Select(i => new AddedRequest(i, Endless, AddedRequest.Cpu, 1000))];
        var sixteen = string.Join(", ", Enumerable.Repeat($"{Cut} cpu=1", 16));

        Assert.Equal(
            "training: no preference; requests main cpu=1500m, main memory=4Gi; by label a",
            English.Explain(LargeNodes(null) with { Requests = two }));
        Assert.Equal(
            $"training: no preference; requests {sixteen} and 4 more; by label a",
            English.Explain(LargeNodes(null) with { Requests = twenty }));
    }

    [Fact]
    public void A_rule_that_gave_type_and_location_is_named_once_and_a_pod_without_a_decision_has_no_words()
    {
        var placed = NearNodes(PlacementMode.Preferred, 1) with { Step = Predict with { TypeRule = "rule serve", LocationRule = "rule serve" } };

        Assert.Equal("predict at here: n1 (1 ms) preferred; by rule serve", English.Explain(placed));
        Assert.Equal("", English.Explain(new() { Outcome = Outcome.NotAStep, Step = new(null, "no rule") }));
    }

    public static TheoryData<Reason, string, string> WhyNotPlaced => new()
    {
        {
            new LocationMissing([]),
            "nothing says where its requests come from; set the label admissionlas.io/location",
            "it does not say where they are; add the label admissionlas.io/location"
        },
        {
            new LocationMissing(Known),
            "nothing says where its requests come from; set the label admissionlas.io/location",
            "it does not say where they are; add the label admissionlas.io/location, one of HOME, LAB"
        },
        {
            new LocationUnknown("MARS", IsValidName: true, null, []),
            "no node has a latency label; label the nodes latency.admissionlas.io/MARS=<milliseconds>",
            "how far the machines are from it is not known for any place; an admin of the cluster can label them"
        },
        {
            new LocationUnknown("MA RS", IsValidName: false, null, []),
            "no node has a latency label; label the nodes latency.admissionlas.io/<location>=<milliseconds>",
            "how far the machines are from it is not known for any place; an admin of the cluster can label them"
        },
        {
            new LocationUnknown("HO ME", IsValidName: false, "HOME", Known),
            "location HO ME is not a valid label name, so no node can have a latency to it",
            "no place can have that name; use letters, digits, - and _"
        },
        {
            new LocationUnknown("HOMW", IsValidName: true, "HOME", Known),
            "no node has a latency to HOMW; did you mean HOME?",
            "no such place is known; did you mean HOME?"
        },
        {
            new LocationUnknown("MARS", IsValidName: true, null, Known),
            "no node has a latency to MARS; known locations: HOME, LAB",
            "no such place is known; these are: HOME, LAB"
        },
        {
            new LocationUnknown("MARS", IsValidName: true, null, [.. Enumerable.Range(100, 20).Select(i => $"LOCATION-{i}")]),
            $"no node has a latency to MARS; known locations: {string.Join(", ", Enumerable.Range(100, 10).Select(i => $"LOCATION-{i}"))}",
            "no such place is known; these are: LOCATION-100, LOCATION-101, LOCATION-102, LOCATION-103, LOCATION-104, …"
        },
        { new NoNodeFits(null, []), "no node is known", "no machine can run it" },
        {
            new NoNodeFits(null, [FilterResult.Cpu]),
            "none of the 1 node can run it (1 too little cpu)",
            "not one machine can run it (1 with too few CPUs)"
        },
        {
            new NoNodeFits("here", [FilterResult.Cordoned, FilterResult.NotReady, FilterResult.Cordoned]),
            "none of the 3 nodes with a latency to here can run it (2 cordoned, 1 not ready)",
            "none of the 3 machines at a known distance can run it (2 closed for maintenance, 1 down)"
        },
        {
            new NoNodeFits("here", [FilterResult.NodeSelector, FilterResult.NodeAffinity, FilterResult.Tainted, FilterResult.OtherResource]),
            "none of the 4 nodes with a latency to here can run it " +
                "(1 tainted, 1 excluded by the pod's nodeSelector, 1 excluded by the pod's node affinity, 1 too little of another resource)",
            "none of the 4 machines at a known distance can run it (2 ruled out by the step itself, 1 reserved for other work, 1 without the device it needs)"
        },
        // The author reads the three most frequent causes.
        {
            new NoNodeFits(null, [FilterResult.Memory, FilterResult.PodCount, FilterResult.PodCount, FilterResult.Tainted, FilterResult.NotReady]),
            "none of the 5 nodes can run it (2 full of pods, 1 not ready, 1 tainted, 1 too little memory)",
            "none of the 5 machines can run it (2 full, 1 down, 1 reserved for other work)"
        },
        {
            new NoNodeFits(null, [FilterResult.Memory]),
            "none of the 1 node can run it (1 too little memory)",
            "not one machine can run it (1 with too little memory)"
        },
    };

    [Theory, MemberData(nameof(WhyNotPlaced))]
    public void Why_a_step_is_not_placed_is_said_to_admin_and_author_and_the_author_knows_no_scheduler(Reason reason, string toAdmin, string toAuthor)
    {
        Assert.Equal($"predict at here: left to the default scheduler: {toAdmin}; by label a, label b", English.Explain(Unplaced(reason)));
        Assert.Equal($"this prediction step may run far from here: {toAuthor}", Warning(reason));
        string[] jargon = ["scheduler", "taint", "cordon", "affinity", "strand", "latency", "candidate", "feasible", "quantity"];
        Assert.All(jargon, word => Assert.DoesNotContain(word, Warning(reason), StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void A_pod_that_states_too_much_is_told_the_bounds()
    {
        const string bounds = "it states more than 4096 tolerations, selector requirements and values, or more than 1024 containers and resources";

        Assert.Equal($"predict at here: left to the default scheduler: {bounds}; by label a, label b", English.Explain(Unplaced(new PodTooComplex())));
        Assert.Equal($"this prediction step may run far from here: {bounds}", Warning(new PodTooComplex()));
    }

    [Fact]
    public void A_step_without_a_location_is_spoken_of_without_one()
    {
        var (missing, none) = (new LocationMissing([]), new NoNodeFits(null, []));
        var nowhere = Predict with { Location = null, LocationRule = null };

        Assert.StartsWith("predict: left to the default scheduler: ", English.Explain(Unplaced(missing, nowhere)), StringComparison.Ordinal);
        Assert.StartsWith("this prediction step may run far from those who ask it: ", Warning(missing, nowhere), StringComparison.Ordinal);
        Assert.Equal("training: left to the default scheduler: no node is known; by label a", English.Explain(Unplaced(none, Training)));
        Assert.Equal("this training step may run on a small machine: no machine can run it", Warning(none, Training));
    }

    public static TheoryData<Notice, string> Notices => new()
    {
        { new UnknownStepType("label a", "Predcit", "Predict"), "label a=Predcit: unknown step type, ignored; did you mean Predict?" },
        {
            new UnknownPlacementMode("always", PlacementMode.Adaptive),
            "annotation admissionlas.io/placement=always is not one of adaptive, preferred, required, off; using adaptive"
        },
        { new BeyondMaxLatency(42.5514, 20), "the nearest machine that can run it is 42.551 ms away, and 20 ms are allowed" },
        {
            new BeyondMaxLatency(10, 5, AvoidedMs: 1.5),
            "the machine 1.5 ms away is kept for other work where possible; the next that can run it is 10 ms away, and 5 ms are allowed"
        },
        { new UnreadableMaxLatency("soon"), "annotation admissionlas.io/max-latency=soon is not a latency such as 20ms, and is ignored" },
        { new UnknownSpread("wide", SpreadMode.Nearest), "annotation admissionlas.io/spread=wide is not one of nearest, near; using nearest" },
        { new UnknownSpread("wide", SpreadMode.Near), "annotation admissionlas.io/spread=wide is not one of nearest, near; using near" },
        {
            new UnknownPlacementMode(Endless, PlacementMode.Off),
            $"annotation admissionlas.io/placement={Cut} is not one of adaptive, preferred, required, off; using off"
        },
        { new UnknownTrainingRequests("maybe", TrainingRequests.On), "annotation admissionlas.io/requests=maybe is not one of on, full, off; using on" },
        { new UnknownTrainingRequests(Endless, TrainingRequests.Off), $"annotation admissionlas.io/requests={Cut} is not one of on, full, off; using off" },
        { new NoLongerBestEffort(), "added requests make it Burstable, for quotas too; annotation admissionlas.io/requests=off avoids that" },
        {
            new UnreadableAmount("admissionlas.io/request-cpu", "lots", "2"),
            "annotation admissionlas.io/request-cpu=lots is not an amount such as 2, which is used instead"
        },
        {
            new RequiredSoftened(new(SofteningCause.SchedulerOnlyConstraint, SchedulerConstraint.HostPorts)),
            "placement required is softened to preferred: only the scheduler can judge the pod's host ports, and a pin could strand it"
        },
        {
            new RequiredSoftened(new(SofteningCause.Gated)),
            "placement required is softened to preferred: the pod is gated, and its nodes may still be narrowed, and a pin could strand it"
        },
        {
            new RequiredSoftened(new(SofteningCause.NoOwnHostname, NodeName: "near")),
            "placement required is softened to preferred: node near has no kubernetes.io/hostname label of its own"
        },
        {
            new RequestReduced(AddedRequest.Cpu, 8000, 32_000, "cloud", 8000, 8000, IsLargestAndEmpty: true),
            "each container of this training step gets 8 CPUs instead of 32: cloud, the largest machine that can run it, has 8"
        },
        {
            new RequestReduced(AddedRequest.Memory, 16L << 30, 64L << 30, "cloud", 16L << 30, 16L << 30, IsLargestAndEmpty: true),
            "each container of this training step gets 16Gi of memory instead of 64Gi: cloud, the largest machine that can run it, has 16Gi"
        },
        {
            new RequestReduced(AddedRequest.Cpu, 6500, 32_000, "cloud", 6500, 8000, IsLargestAndEmpty: false),
            "each container of this training step gets 6.5 CPUs instead of 32: cloud, the machine with the most room for it, has 6.5 left of 8"
        },
    };

    [Theory, MemberData(nameof(Notices))]
    public void A_notice_is_a_warning_to_the_author(Notice notice, string warning) =>
        Assert.Equal(warning, English.Warn(LargeNodes(null), notice));

    // The API server drops a warning that has any (k8s.io/apimachinery, pkg/util/net/http.go: NewWarningHeader).
    [Fact]
    public void Whatever_a_stranger_writes_no_sentence_has_control_characters()
    {
        const string hostile = "a\n\0\u001b[31m\u0085\u2028\u202e\ud800\"\\ é 😀\u007f";
        var step = Predict with { Location = hostile, TypeRule = hostile, LocationRule = hostile };
        var reasons = WhyNotPlaced.Select(row => (Reason)Hostile(row[0], hostile)).Append(new LocationUnknown(hostile, IsValidName: false, hostile, [hostile]));
        var notices = Notices.Select(row => (Notice)Hostile(row[0], hostile)).Concat(reasons.Select(r => new NotPlaced(r)));
        var placed = NearNodes(PlacementMode.Required, 2) with
        {
            Step = step,
            Candidates = [new(Nodes.Named(hostile), 1, CandidateRole.Chosen)],
            Required = new([Nodes.Named(hostile)], IsByName: true),
        };

        string[] sentences =
        [
            .. notices.Select(n => English.Warn(Unplaced(new PodTooComplex(), step), n)), .. reasons.Select(r => English.Explain(Unplaced(r, step))), English.Explain(placed),
            English.Explain(LargeNodes(null) with { Requests = [new(0, hostile, AddedRequest.Cpu, 1)] }),
        ];

        Assert.All(sentences, s => Assert.DoesNotContain(s, char.IsControl));
        Assert.All(sentences, s => Assert.Equal(s, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(s))));
        Assert.Contains("a???[31m????\"\\ é 😀?", English.Explain(placed), StringComparison.Ordinal);
    }

    /// <summary>The same with every text of it a stranger's.</summary>
    static object Hostile(object record, string text)
    {
        var constructor = record.GetType().GetConstructors()[0];
        return constructor.Invoke([.. constructor.GetParameters().Select(p => p.ParameterType == typeof(string) ? text : record.GetType().GetProperty(p.Name!)!.GetValue(record))]);
    }

    [Theory]
    [InlineData(FilterResult.CanRun, "can run it")]
    [InlineData(FilterResult.NotReady, "not ready")]
    [InlineData(FilterResult.Cordoned, "cordoned")]
    [InlineData(FilterResult.Tainted, "tainted")]
    [InlineData(FilterResult.NodeSelector, "excluded by the pod's nodeSelector")]
    [InlineData(FilterResult.NodeAffinity, "excluded by the pod's node affinity")]
    [InlineData(FilterResult.Cpu, "too little cpu")]
    [InlineData(FilterResult.Memory, "too little memory")]
    [InlineData(FilterResult.OtherResource, "too little of another resource")]
    [InlineData(FilterResult.PodCount, "full of pods")]
    [InlineData(FilterResult.OperatingSystem, "of another operating system")]
    [InlineData(FilterResult.AntiAffinity, "kept free of it by another pod's anti-affinity")]
    public void A_node_is_described_by_its_filter_result(FilterResult result, string words) => Assert.Equal(words, English.Describe(result));

    [Theory]
    [InlineData(UnscoredKind.AuthorPreferences, "the pod's own preferred terms: more than 4096 comparisons")]
    [InlineData(UnscoredKind.PodTopologySpread, "PodTopologySpread (up to 200: pods of the same Service or owner)")]
    [InlineData(UnscoredKind.InterPodAffinity, "InterPodAffinity (up to 200: the pod's and other pods' affinity)")]
    [InlineData(UnscoredKind.ResourcesFit, "NodeResourcesFit (up to 100: by a strategy of the scheduler's own)")]
    [InlineData(UnscoredKind.SchedulerOnlyConstraint, "its filters for the pod's host ports, which can drop nodes")]
    [InlineData(UnscoredKind.Sampling, "which part of the nodes it looks at: above 100 it does not score them all")]
    public void What_is_not_weighed_is_described(UnscoredKind kind, string words) =>
        Assert.Equal(words, English.Describe(new UnscoredFactor(kind, SchedulerConstraint.HostPorts)));

    // A kind without words would be shown as its record prints itself.
    [Fact]
    public void Every_kind_of_reason_and_notice_has_a_row()
    {
        Type[] rows =
        [
            typeof(NearestNodes), typeof(PreferredNodes), typeof(PodTooComplex), typeof(NotPlaced),
            .. WhyNotPlaced.Select(row => row[0].GetType()), .. Notices.Select(row => row[0].GetType()),
        ];

        var kinds = typeof(Reason).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Reason)) || t.IsSubclassOf(typeof(Notice)));
        Assert.Empty(kinds.Except(rows));
    }

    // What is written down is text that JSON can carry: never half a character.
    [Theory]
    [InlineData("x", 63)]
    [InlineData("😀", 31)]
    public void A_location_is_repeated_only_as_far_as_it_is_worth(string character, int kept)
    {
        var endless = string.Concat(Enumerable.Repeat(character, 5000));
        var cut = $"{string.Concat(Enumerable.Repeat(character, kept))}… ({endless.Length} characters)";
        var (reason, step) = (new LocationUnknown(endless, IsValidName: false, null, Known), Predict with { Location = endless });

        Assert.StartsWith(
            $"predict at {cut}: left to the default scheduler: location {cut} is not a valid", English.Explain(Unplaced(reason, step)), StringComparison.Ordinal);
        Assert.StartsWith($"this prediction step may run far from {cut}: no place", Warning(reason, step), StringComparison.Ordinal);
    }

    [Fact]
    public void However_long_the_names_a_warning_is_whole()
    {
        string[] names = [.. Enumerable.Range(0, 20).Select(i => $"{new string('l', 60)}{i:000}")];
        var step = Predict with { Location = names[0] };

        Assert.InRange(Warning(new LocationMissing(names), Predict with { Location = null }).Length, 1, LongestWarning);
        foreach (var reason in (Reason[])
            [
                new LocationUnknown(names[0], IsValidName: true, null, names),
                new LocationUnknown(names[0], IsValidName: true, names[1], names),
                new LocationUnknown(names[0], IsValidName: true, null, []),
                new NoNodeFits(names[0], Enum.GetValues<FilterResult>()),
                new PodTooComplex(),
            ])
        {
            Assert.InRange(Warning(reason, step).Length, 1, LongestWarning);
        }
    }

    /// <summary>Nodes n1, n2 and so on at 1 ms, 2 ms and so on.</summary>
    static Decision NearNodes(PlacementMode mode, int nodes) => new()
    {
        Outcome = Outcome.Placed,
        Step = Predict,
        Mode = mode,
        Reason = NearestNodes.Instance,
        Candidates = [.. Enumerable.Range(1, nodes).Select(i => new Candidate(Nodes.Named($"n{i}"), i, CandidateRole.NextNearest))],
        HasRoom = true,
    };

    static Decision Softened(SofteningCause cause, SchedulerConstraint? constraint = null) =>
        NearNodes(PlacementMode.Preferred, 1) with { Softened = new Softening(cause, constraint, "n1") };

    static Decision LargeNodes(PreferredNodes? reason) => new() { Outcome = Outcome.Placed, Step = Training, Reason = reason };

    static Decision Unplaced(Reason reason, Step? step = null) => new() { Outcome = Outcome.NoCandidate, Step = step ?? Predict, Reason = reason };

    static string Warning(Reason reason, Step? step = null) => English.Warn(Unplaced(reason, step), new NotPlaced(reason));
}
