using System.Text.RegularExpressions;
using CsCheck;

namespace AdmissionLas.Tests.Placement;

/// <summary>What holds of every decision, held against a second opinion: the issue's rules once more, over the pod's JSON and every node.</summary>
public sealed partial class PlacementProperties
{
    const long Iterations = 6_000;

    [Fact]
    public void The_nearest_feasible_nodes_are_named_in_order_and_no_other() => Check(Situations.Predict, situation =>
    {
        var decision = situation.Review().Decision!;
        if (decision.Mode == PlacementMode.Off)
        {
            return;
        }

        var measured = situation.Nodes.Where(n => LatencyOf(n, decision.Step.Location) is not null).ToArray();
        var ranked = Ranked(situation, measured, decision);
        var outcome = decision.Step.Location is null ? Outcome.NoLocation
            : measured.Length == 0 ? Outcome.UnknownLocation
            : ranked.Length == 0 ? Outcome.NoCandidate
            : Outcome.Placed;

        Assert.Equal(outcome, decision.Outcome);
        Assert.Equal(ranked.FirstOrDefault()?.Name, decision.Chosen?.Name);
        Assert.Equal(ranked.Length > 0 && situation.CanRun(situation.JudgedOn(ranked[0], situation.Pod, decision), ranked[0]), decision.HasRoom);
        var named = ranked.Take(situation.Policy.NamedNodes).Select(n => n.Name).ToArray();
        var preferred = decision.Preferred.Select(p => Assert.Single(situation.Nodes, p.Preference.Matches).Name).ToArray();
        Assert.Equal(decision.Mode == PlacementMode.Adaptive ? named.Where(preferred.Contains) : named, preferred);
        Assert.Equal(decision.Outcome != Outcome.Placed, decision.Warnings.Any(w => w is NotPlaced));
    });

    [Fact]
    public void On_the_default_scheduler_the_nearest_wins_and_as_it_fills_up_the_next() => Check(Situations.PredictWithoutPreferences, situation =>
    {
        situation = situation with { Policy = situation.Policy with { Mode = situation.Policy.Mode == PlacementMode.Adaptive ? PlacementMode.Preferred : situation.Policy.Mode } };
        var reviewed = situation.Review();
        var rest = situation.Nodes.Where(n => situation.CanRun(reviewed.Pod, n)).ToList();
        var named = reviewed.Decision!.Preferred.Select(p => Assert.Single(situation.Nodes, p.Preference.Matches)).Where(rest.Contains).ToArray();
        // A node that the scheduler avoids for its taint gets points too, and loses more elsewhere.
        var comparable = named.Where(n => DefaultScheduler.Avoids(reviewed.Pod, n) == DefaultScheduler.Avoids(reviewed.Pod, named[0]))
            .ToLookup(n => LatencyOf(n, reviewed.Decision.Step.Location) == LatencyOf(named[0], reviewed.Decision.Step.Location));

        for (var filled = 0; filled < named.Length; filled++)
        {
            var points = rest.Zip(DefaultScheduler.AffinityPoints(reviewed.Pod, rest)).ToDictionary(n => n.First, n => n.Second);
            Assert.Equal(200, points[named[filled]]);
            Assert.All(rest.Except(named), unnamed => Assert.Equal(0, points[unnamed]));
            if (filled == 0)
            {
                Assert.All(comparable[true].Skip(1), asNear => Assert.Equal(198, points[asNear]));
                Assert.All(comparable[false], further => Assert.InRange(200 - points[further], 170, 198));
            }

            rest.Remove(named[filled]);
        }
    });

    [Fact]
    public void A_pin_leaves_the_chosen_node_and_only_near_ones() => Check(Situations.Predict, situation =>
    {
        var reviewed = situation.Review();
        if (reviewed.Decision!.Required is null)
        {
            // Without a pin the patch excludes no node.
            Assert.All(situation.Nodes, n => Assert.Equal(situation.CanRun(situation.Pod, n), situation.CanRun(reviewed.Pod, n)));
            return;
        }

        Func<JsonObject, NodeFacts, bool> canRun = reviewed.Decision.HasRoom ? situation.CanRun : DefaultScheduler.CouldEverRun;
        var able = situation.Nodes.Where(n => canRun(reviewed.Pod, n)).ToArray();
        var nearest = LatencyOf(reviewed.Decision.Chosen!, reviewed.Decision.Step.Location)!.Value;
        var near = Math.Max(nearest * (decimal)situation.Policy.NearFactor, nearest + (decimal)situation.Policy.NearSlackMs);

        Assert.Contains(reviewed.Decision.Chosen, able);
        Assert.All(able, n => Assert.True(canRun(situation.Pod, n)));
        if (reviewed.Decision.Mode == PlacementMode.Adaptive)
        {
            return;
        }

        Assert.All(able, n => Assert.True(LatencyOf(n, reviewed.Decision.Step.Location) <= near));
        Assert.Equal(PlacementMode.Required, reviewed.Decision.Mode);
    });

    // All that the scheduler adds up for nodes, older or newer, and not only the points for affinity.
    [Fact]
    public void In_adaptive_mode_no_node_that_is_left_beats_the_nearest() => Check(Situations.Predict, situation =>
    {
        situation = situation with { Policy = situation.Policy with { Mode = PlacementMode.Adaptive } };
        var reviewed = situation.Review();
        if (reviewed.Decision is not { Mode: PlacementMode.Adaptive, Required: not null })
        {
            return;
        }

        var able = situation.Nodes.Where(n => situation.CanRun(reviewed.Pod, n)).ToArray();
        var nearestMs = LatencyOf(reviewed.Decision.Chosen!, reviewed.Decision.Step.Location);

        Assert.Contains(reviewed.Decision.Chosen, able);
        foreach (var release in situation.Policy.NodeAffinityWeight == 1 ? (SchedulerRelease[])[SchedulerRelease.V20, SchedulerRelease.V22] : [SchedulerRelease.V29, SchedulerRelease.V36])
        {
            var points = DefaultScheduler.AllPoints(reviewed.Pod, able, situation.Nodes, situation.Usage, release);
            var best = able.Zip(points).Where(n => n.Second == points.Max()).Select(n => n.First);
            Assert.All(best, n => Assert.Equal(nearestMs, LatencyOf(n, reviewed.Decision.Step.Location)));
        }
    });

    [Fact]
    public void In_adaptive_mode_a_pod_is_kept_to_near_nodes_only_where_one_has_room_and_may_be_named() => Check(Situations.Predict, situation =>
    {
        situation = situation with { Policy = situation.Policy with { Mode = PlacementMode.Adaptive } };
        var facts = situation.Review();
        if (facts.Decision is not { Outcome: Outcome.Placed } decision || situation.Pod["metadata"]!["annotations"]?[PodHints.PlacementKey] is JsonValue)
        {
            return;
        }

        var ownTerms = situation.Pod["spec"]!["affinity"]?["nodeAffinity"]?["requiredDuringSchedulingIgnoredDuringExecution"]?["nodeSelectorTerms"]?.AsArray().Count ?? 0;
        var isAlone = situation.Policy.NodeTerms == NodeTermForm.Names && ownTerms <= 4 ||
            decision.Chosen!.Hostname is { } hostname && situation.Nodes.Count(n => n.Hostname == hostname) == 1;
        var isLone = decision.Softened is { Cause: SofteningCause.NoStandby or SofteningCause.OwnPreferences };
        Assert.Equal(decision.HasRoom && isAlone && !SchedulerOnlyConstraint(situation.Pod) && !situation.ClaimsDevices(decision) && !isLone, decision.Mode == PlacementMode.Adaptive);
        Assert.Equal(decision.Mode == PlacementMode.Adaptive, decision.Required is not null);
        Assert.True(decision.Required is null || decision.Required.Nodes.Count <= situation.Policy.NamedNodes);
        // A pin to the one node that can run the pod would gain nothing.
        Assert.True(decision.Required is null || situation.Nodes.Count(n => situation.CanRun(situation.Pod, n)) > 1);
    });

    [Fact]
    public void A_predict_pod_asks_for_no_more_than_before() => Check(Situations.Predict, situation =>
        Assert.Equal(DefaultScheduler.Request(situation.Pod), DefaultScheduler.Request(situation.Review().Pod)));

    [Fact]
    public void A_training_pod_that_some_node_could_ever_run_can_still_run_with_its_requests_and_is_sent_where_it_can() => Check(Situations.Training, situation =>
    {
        var reviewed = situation.Review();
        var decision = reviewed.Decision!;
        if (decision.Mode == PlacementMode.Off)
        {
            return;
        }

        Assert.Equal(situation.Nodes.Any(n => DefaultScheduler.CouldEverRun(situation.JudgedOn(n, situation.Pod, decision), n)), decision.Outcome == Outcome.Placed);
        Assert.Null(decision.Required);
        if (decision.Outcome != Outcome.Placed)
        {
            Assert.Empty(decision.Requests);
            return;
        }

        var judged = situation.JudgedOn(decision.Chosen!, reviewed.Pod, decision);
        Assert.True(DefaultScheduler.CouldEverRun(judged, decision.Chosen!));
        Assert.True(!decision.HasRoom || situation.CanRun(judged, decision.Chosen!));
        foreach (var (_, preference) in decision.Preferred)
        {
            var preferred = situation.Nodes.Where(preference.Matches).ToArray();
            Assert.Contains(decision.Chosen!, preferred);
            // A shared label may cover nodes that take no pods at all now; none that does may be too small.
            Assert.All(preferred.Where(n => n.IsReady && !n.IsCordoned), n => Assert.True(Holds(n, situation.JudgedOn(n, reviewed.Pod, decision)), $"{n.Name} is preferred and too small"));
        }
    });

    [Fact]
    public void Every_app_container_that_lacks_a_request_gets_what_was_asked_for_unless_its_limit_the_nodes_or_people_forbid() => Check(Situations.Training, situation =>
    {
        var reviewed = situation.Review();
        if (reviewed.Decision!.Outcome != Outcome.Placed)
        {
            return;
        }

        var wholePod = situation.Pod["spec"]!["resources"];
        var isWanted = Annotation(situation, "requests") is { } word and not "maybe" ? word is "on" or "full" : situation.Policy.TrainingRequests != TrainingRequests.Off;
        string[] resources = ["cpu", "memory"];
        for (var i = 0; i < situation.Pod["spec"]!["containers"]!.AsArray().Count; i++)
        {
            var before = situation.Pod["spec"]!["containers"]![i]!;
            var isPlatforms = before["name"]!.GetValue<string>() is "wait" or "istio-proxy";
            foreach (var resource in resources)
            {
                var added = before["resources"]?["requests"]?[resource] is null ? reviewed.Pod["spec"]!["containers"]![i]!["resources"]?["requests"]?[resource] : null;
                var mayAdd = isWanted && before["resources"]?["requests"]?[resource] is null && !isPlatforms && wholePod?["requests"]?[resource] is null && wholePod?["limits"]?[resource] is null;
                var wasLowered = reviewed.Decision.Warnings.Any(w => w is RequestReduced reduced && reduced.Resource == resource);
                var limit = before["resources"]?["limits"]?[resource] is { } l ? Amount(l) : decimal.MaxValue;
                var asked = Math.Min(Asked(situation, resource), limit);

                Assert.True(mayAdd || added is null, $"{before["name"]} {resource} is not ours to add");
                if (mayAdd && !wasLowered)
                {
                    Assert.Equal(asked, added is null ? 0 : Amount(added));
                }
                else if (mayAdd)
                {
                    Assert.True(added is null || Amount(added) <= asked);
                }
            }
        }
    });

    [Fact]
    public void An_author_is_warned_exactly_where_the_pod_is_no_longer_best_effort_and_no_hint_of_theirs_is_about_requests() => Check(Situations.Training, situation =>
    {
        var reviewed = situation.Review();
        var isMentioned = Annotation(situation, "requests") is not null || Annotation(situation, "request-cpu") is not null || Annotation(situation, "request-memory") is not null;

        Assert.Equal(
            !isMentioned && DefaultScheduler.IsBestEffort(situation.Pod) && !DefaultScheduler.IsBestEffort(reviewed.Pod),
            reviewed.Decision!.Warnings.Any(w => w is NoLongerBestEffort));
    });

    // Of what the made-up pods may have.
    internal static bool SchedulerOnlyConstraint(JsonObject pod)
    {
        var spec = pod["spec"]!;
        var containers = new[] { spec["containers"], spec["initContainers"] }.OfType<JsonArray>().SelectMany(c => c);
        return containers.Any(c => c!["ports"] is not null) || spec["affinity"]?["podAntiAffinity"] is not null ||
            (spec["volumes"] as JsonArray ?? []).Any(v => v!["persistentVolumeClaim"] is not null);
    }

    /// <summary>
    /// The nodes that can run the pod now, or failing that ever, in the order of the issue; those that the scheduler avoids come last.
    /// </summary>
    static NodeFacts[] Ranked(Situation situation, NodeFacts[] measured, Decision decision) =>
        Ranked(situation, measured, decision, situation.CanRun) is { Length: > 0 } now ? now : Ranked(situation, measured, decision, DefaultScheduler.CouldEverRun);

    static NodeFacts[] Ranked(Situation situation, NodeFacts[] measured, Decision decision, Func<JsonObject, NodeFacts, bool> canRun) =>
    [
        .. from n in measured
           where canRun(situation.JudgedOn(n, situation.Pod, decision), n)
           orderby DefaultScheduler.Avoids(situation.Pod, n),
               LatencyOf(n, decision.Step.Location),
               n.Allocatable.CpuMilli - situation.Usage.On(n).Requested.CpuMilliOrZero descending,
               n.Allocatable.MemoryBytes - situation.Usage.On(n).Requested.MemoryBytesOrZero descending,
               n.Name
           select n,
    ];

    /// <summary>The latency by the words of the issue; the prefixed label wins.</summary>
    internal static decimal? LatencyOf(NodeFacts node, string? location)
    {
        var label = node.Label($"latency.admissionlas.io/{location}") ?? node.Label($"{location}");
        var match = LatencyValue().Match(label ?? "");
        return match.Success
            ? decimal.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) * match.Groups[2].Value switch { "us" => 0.001m, "s" => 1000, _ => 1 }
            : null;
    }

    static bool Holds(NodeFacts node, JsonObject pod) =>
        DefaultScheduler.CouldEverRun(
            new JsonObject { ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["resources"] = AsRequests(DefaultScheduler.Request(pod)) }) } },
            node with { Taints = [] });

    static JsonObject AsRequests(Dictionary<string, decimal> request) => new()
    {
        ["requests"] = new JsonObject(request.Select(r => KeyValuePair.Create(r.Key, (JsonNode?)JsonValue.Create(r.Value.ToString(CultureInfo.InvariantCulture))))),
    };

    static decimal Asked(Situation situation, string resource)
    {
        var hint = Annotation(situation, $"request-{resource}");
        return hint is null or "lots" or "0" or ""
            ? resource == "cpu" ? situation.Policy.TrainingCpuMilli / 1000m : situation.Policy.TrainingMemoryBytes
            : hint switch { "1e9" => 1_000_000_000, "1Ti" => 1L << 40, _ => DefaultScheduler.Amount(hint) };
    }

    static string? Annotation(Situation situation, string name) => situation.Pod["metadata"]!["annotations"]?[$"admissionlas.io/{name}"]?.GetValue<string>();

    static decimal Amount(JsonNode quantity) => DefaultScheduler.Amount(quantity.GetValue<string>());

    static void Check(Gen<Situation> situations, Action<Situation> assert) => situations.Sample(assert, iter: Iterations, print: s => s.ToString());

    [GeneratedRegex(@"^([0-9]+(?:\.[0-9]+)?)(ms|us|s|)$", RegexOptions.CultureInvariant)]
    private static partial Regex LatencyValue();
}
