using CsCheck;

namespace AdmissionLas.Tests.Webhook;

/// <summary>What holds of every patch, whatever the cluster, the pod and the policy.</summary>
public sealed class PatchProperties
{
    const string Required = "requiredDuringSchedulingIgnoredDuringExecution";
    const string Preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    const long Iterations = 4_000;

    [Fact]
    public void The_patched_pod_is_a_valid_pod() => Check(Situations.Any, situation =>
    {
        var reviewed = situation.Review();
        var again = WebhookCall.Review(reviewed.Pod, new ClusterView(situation.Nodes), situation.Policy, usage: situation.Usage);

        Assert.DoesNotContain(again.Warnings, w => w.Contains("left as it is:", StringComparison.Ordinal));
        AssertValidAffinity(reviewed.Pod["spec"]!["affinity"]?["nodeAffinity"]);
        Assert.All(reviewed.Pod["metadata"]!["annotations"] as JsonObject ?? [], a => Assert.NotNull(a.Value!.GetValue<string>()));
        foreach (var container in reviewed.Pod["spec"]!["containers"]!.AsArray())
        {
            foreach (var (name, limit) in container!["resources"]?["limits"] as JsonObject ?? [])
            {
                Assert.True(container["resources"]!["requests"]?[name] is not { } request || Amount(request) <= Amount(limit!), $"request above the limit: {container}");
            }
        }
    });

    [Fact]
    public void A_second_review_of_the_patched_pod_has_nothing_to_patch() => Check(Situations.Any.Where(HasNamesOfItsOwn), situation =>
        Assert.Null((situation with { Pod = situation.Review().Pod }).Review().Patch));

    [Fact]
    public void A_decided_pod_that_comes_to_another_cluster_gets_what_it_would_get_there_without_the_first_decision() => Check(
        Gen.Select(Situations.Any.Where(HasNamesOfItsOwn), Situations.Any).Select((here, there) => (here, there: there with { Pod = here.Pod })),
        drawn =>
        {
            var copied = (drawn.there with { Pod = drawn.here.Review().Pod }).Review();

            var (expected, actual) = (Compact(drawn.there.Review().Pod), Compact(copied.Pod));
            Assert.True(JsonNode.DeepEquals(expected, actual), $"{expected.ToJsonString()}\n{actual.ToJsonString()}");
        },
        drawn => $"{drawn.here}\n{drawn.there}");

    // Kubernetes refuses a pod in which two containers have one name, so a record need not tell them apart.
    static bool HasNamesOfItsOwn(Situation situation) =>
        situation.Pod["spec"]!["containers"]!.AsArray().Select(c => c!["name"]!.GetValue<string>()).ToArray() is var names && names.Distinct().Count() == names.Length;

    // What is left of an object or list whose members were all ours says nothing.
    static JsonNode Compact(JsonNode pod)
    {
        var copy = pod.DeepClone();
        Trim(copy);
        return copy;

        static bool Trim(JsonNode? node)
        {
            if (node is JsonObject members)
            {
                foreach (var (name, _) in members.Where(m => Trim(m.Value)).ToArray())
                {
                    members.Remove(name);
                }

                return members.Count == 0;
            }

            foreach (var item in node as JsonArray ?? [])
            {
                Trim(item);
            }

            return node is null or JsonArray { Count: 0 };
        }
    }

    [Fact]
    public void What_the_author_wrote_stays() => Check(Situations.Any, situation => AssertKept(situation.Pod, situation.Review().Pod, "$"));

    [Fact]
    public void The_patch_only_ever_adds_and_only_in_the_places_that_are_ours() => Check(Situations.Any, situation =>
        Assert.All(situation.Review().Operations, operation =>
        {
            var path = operation!["path"]!.GetValue<string>();
            Assert.Contains(operation["op"]!.GetValue<string>(), (string[])["add", "copy"]);
            Assert.True(
                path.StartsWith("/metadata/annotations", StringComparison.Ordinal) || path.StartsWith("/spec/affinity", StringComparison.Ordinal) || path == "/spec/topologySpreadConstraints" ||
                (path.StartsWith("/spec/containers/", StringComparison.Ordinal) && path.Contains("/resources", StringComparison.Ordinal)),
                path);
        }));

    [Fact]
    public void What_is_no_step_or_wants_no_placement_gets_no_patch() => Check(Situations.Any, situation =>
    {
        var reviewed = situation.Review();

        if (reviewed.Decision!.Step.Kind is null || reviewed.Decision.Mode == PlacementMode.Off)
        {
            Assert.Null(reviewed.Patch);
            Assert.Same(situation.Pod, reviewed.Pod);
        }
    });

    [Fact]
    public void The_patch_is_bounded() => Check(Situations.Any, situation =>
    {
        var reviewed = situation.Review();

        // By name each of a few terms of the author's own is copied for each of 16 nodes.
        Assert.InRange(reviewed.Patch?.Length ?? 0, 0, reviewed.Decision!.Required?.IsByName == true && situation.Pod["spec"]?["affinity"] is not null ? 32 * 1024 : 8 * 1024);
        Assert.InRange(reviewed.Decision!.Preferred.Count, 0, situation.Policy.NamedNodes);
        Assert.All(reviewed.Decision.Preferred, p => Assert.InRange(p.Preference.MatchExpressions.Sum(e => e.Values.Count), 0, situation.Policy.NamedNodes));
        Assert.InRange(reviewed.Decision.Required?.Nodes.Count ?? 0, 0, situation.Policy.NamedNodes);
        Assert.All(reviewed.Warnings, w => Assert.InRange(w.Length, 1, 256));
    });

    [Fact]
    public void The_order_in_which_nodes_come_makes_no_difference() => Check(
        Gen.Select(Situations.Any, Gen.Int).Select((situation, seed) => (situation, seed)),
        drawn =>
        {
            var shuffled = (NodeFacts[])drawn.situation.Nodes.Clone();
            new Random(drawn.seed).Shuffle(shuffled);

            Assert.Equal(drawn.situation.Review().Response.ToJsonString(), (drawn.situation with { Nodes = shuffled }).Review().Response.ToJsonString());
        },
        drawn => drawn.situation.ToString());

    static void AssertValidAffinity(JsonNode? nodeAffinity)
    {
        foreach (var term in nodeAffinity?[Preferred] as JsonArray ?? [])
        {
            Assert.InRange(term!["weight"]!.GetValue<int>(), 1, 100);
            AssertValidTerm(term["preference"]!);
        }

        if (nodeAffinity?[Required] is { } required)
        {
            Assert.NotEmpty(required["nodeSelectorTerms"]!.AsArray());
            Assert.All(required["nodeSelectorTerms"]!.AsArray(), t => AssertValidTerm(t!));
        }
    }

    static void AssertValidTerm(JsonNode term)
    {
        foreach (var expression in term["matchExpressions"] as JsonArray ?? [])
        {
            Assert.NotEmpty(expression!["key"]!.GetValue<string>());
            if (expression["operator"]!.GetValue<string>() is "In" or "NotIn")
            {
                Assert.NotEmpty(expression["values"]!.AsArray());
                Assert.All(expression["values"]!.AsArray(), v => Assert.True(LabelSyntax.IsName(v!.GetValue<string>())));
            }
        }

        foreach (var field in term["matchFields"] as JsonArray ?? [])
        {
            Assert.Equal("metadata.name", field!["key"]!.GetValue<string>());
            Assert.Single(field["values"]!.AsArray());
        }
    }

    /// <summary>
    /// Everything is there as before. Objects may have more members, and null is as good as absent; of the lists only that of preferred terms
    /// and the required terms, their expressions and fields may have more items, at the end, unless a term is empty: it matches no node and must go on so.
    /// </summary>
    static void AssertKept(JsonNode? before, JsonNode? after, string path)
    {
        switch (before)
        {
            case null:
                return;
            case JsonObject wanted:
                Assert.All(wanted, m => AssertKept(m.Value, after![m.Key], $"{path}.{m.Key}"));
                if (path.EndsWith("nodeSelectorTerms[]", StringComparison.Ordinal) && Requirements(wanted) == 0)
                {
                    Assert.Equal(0, Requirements(after!.AsObject()));
                }

                return;
            case JsonArray items:
                var now = after!.AsArray();
                var mayGrow = path.EndsWith(Preferred, StringComparison.Ordinal) || path.EndsWith($"{Required}.nodeSelectorTerms", StringComparison.Ordinal) ||
                    path.EndsWith($"{Required}.nodeSelectorTerms[].matchExpressions", StringComparison.Ordinal) || path.EndsWith($"{Required}.nodeSelectorTerms[].matchFields", StringComparison.Ordinal);
                Assert.True(mayGrow ? now.Count >= items.Count : now.Count == items.Count, path);
                for (var i = 0; i < items.Count; i++)
                {
                    AssertKept(items[i], now[i], $"{path}[]");
                }

                return;
            default:
                Assert.True(JsonNode.DeepEquals(before, after), path);
                return;
        }
    }

    static int Requirements(JsonObject term) =>
        ((term["matchExpressions"] as JsonArray)?.Count ?? 0) + ((term["matchFields"] as JsonArray)?.Count ?? 0);

    static decimal Amount(JsonNode quantity) => DefaultScheduler.Amount(quantity.GetValue<string>());

    static void Check(Gen<Situation> situations, Action<Situation> assert) => situations.Sample(assert, iter: Iterations, print: s => s.ToString());

    static void Check<T>(Gen<T> gen, Action<T> assert, Func<T, string> print) => gen.Sample(assert, iter: Iterations, print: print);
}
