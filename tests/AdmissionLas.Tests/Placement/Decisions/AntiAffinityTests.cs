using System.Text.Json;

namespace AdmissionLas.Tests.Placement;

/// <summary>
/// Where the required anti-affinity of other pods keeps a pod away
/// (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodAffinityTerm).
/// </summary>
public sealed class AntiAffinityTests
{
    static readonly ClusterView View = Nodes.View(
        Nodes.At("1", "near").Labelled("zone", "a"), Nodes.At("2", "next").Labelled("zone", "a"), Nodes.At("3", "far").Labelled("zone", "b"));

    static readonly PodFacts Step = Pods.Predict() with
    {
        Labels = new Dictionary<string, string> { ["typeOfComponent"] = "Predict", ["OurLocation"] = "here", ["app"] = "scorer" },
    };

    const string Host = "\"topologyKey\": \"kubernetes.io/hostname\"";

    [Theory]
    [InlineData("\"labelSelector\": { \"matchLabels\": { \"app\": \"scorer\" } }", true)]
    [InlineData("\"labelSelector\": { \"matchLabels\": { \"app\": \"other\" } }", false)]
    [InlineData("\"labelSelector\": { \"matchLabels\": { \"absent\": \"\" } }", false)]
    // An empty selector selects every pod, a missing one none.
    [InlineData("\"labelSelector\": {}", true)]
    [InlineData("\"labelSelector\": null", false)]
    [InlineData("\"namespaces\": []", false)]
    [InlineData("\"labelSelector\": { \"matchExpressions\": [ { \"key\": \"app\", \"operator\": \"In\", \"values\": [\"scorer\", \"x\"] } ] }", true)]
    [InlineData("\"labelSelector\": { \"matchExpressions\": [ { \"key\": \"absent\", \"operator\": \"NotIn\", \"values\": [\"x\"] } ] }", true)]
    [InlineData("\"labelSelector\": { \"matchExpressions\": [ { \"key\": \"app\", \"operator\": \"DoesNotExist\" } ] }", false)]
    [InlineData("\"labelSelector\": { \"matchLabels\": { \"app\": \"scorer\" }, \"matchExpressions\": [ { \"key\": \"app\", \"operator\": \"NotIn\", \"values\": [\"scorer\"] } ] }", false)]
    public void A_pod_is_kept_away_when_the_selector_matches_all_its_labels(string selector, bool isRepelled) =>
        Assert.Equal(isRepelled ? "next" : "near", Chosen($"{{ {Host}, {selector} }}"));

    [Theory]
    // Neither names nor a selector: the pod's own namespace.
    [InlineData("kubeflow", "", true)]
    [InlineData("other", "", false)]
    [InlineData("other", "\"namespaces\": [\"kubeflow\"],", true)]
    [InlineData("kubeflow", "\"namespaces\": [\"other\"],", false)]
    [InlineData("other", "\"namespaceSelector\": {},", true)]
    [InlineData("other", "\"namespaceSelector\": { \"matchLabels\": { \"kubernetes.io/metadata.name\": \"kubeflow\" } },", true)]
    [InlineData("other", "\"namespaceSelector\": { \"matchLabels\": { \"kubernetes.io/metadata.name\": \"third\" } },", false)]
    [InlineData("other", "\"namespaceSelector\": { \"matchLabels\": { \"team\": \"x\", \"kubernetes.io/metadata.name\": \"third\" } },", false)]
    [InlineData("other", "\"namespaces\": [\"third\"], \"namespaceSelector\": { \"matchLabels\": { \"kubernetes.io/metadata.name\": \"fourth\" } },", false)]
    public void A_term_is_about_the_namespaces_that_it_names_or_else_about_its_own(string own, string namespaces, bool isRepelled) =>
        Assert.Equal(isRepelled ? "next" : "near", Chosen($"{{ {namespaces} {Host}, \"labelSelector\": {{}} }}", own));

    // https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#namespace-selector
    [Theory]
    [InlineData("{}", true)]
    [InlineData("null", false)]
    [InlineData("""{ "matchLabels": { "team": "body" } }""", true)]
    [InlineData("""{ "matchLabels": { "no": "body" } }""", false)]
    [InlineData("""{ "matchLabels": { "team": "body", "no": "body" } }""", false)]
    [InlineData("""{ "matchExpressions": [ { "key": "team", "operator": "In", "values": ["body", "other"] } ] }""", true)]
    [InlineData("""{ "matchExpressions": [ { "key": "team", "operator": "NotIn", "values": ["body"] } ] }""", false)]
    [InlineData("""{ "matchExpressions": [ { "key": "no", "operator": "NotIn", "values": ["body"] } ] }""", true)]
    [InlineData("""{ "matchExpressions": [ { "key": "no", "operator": "Exists" } ] }""", false)]
    [InlineData("""{ "matchExpressions": [ { "key": "team", "operator": "DoesNotExist" } ] }""", false)]
    [InlineData("""{ "matchLabels": { "team": "body" }, "matchExpressions": [ { "key": "no", "operator": "DoesNotExist" } ] }""", true)]
    public void A_namespace_selector_is_about_the_namespaces_with_these_labels(string selector, bool isRepelled)
    {
        var usageCache = Usages.UsageCache();
        usageCache.SetNamespaces(new Dictionary<string, IReadOnlyDictionary<string, string>?> { ["kubeflow"] = new Dictionary<string, string> { ["team"] = "body" } });
        usageCache.Set("a", Pod("a", "near", Term("app: scorer", $", \"namespaceSelector\": {selector}"), "other"));

        var decision = View.Decide(Step, usage: usageCache.Current);
        Assert.Equal((isRepelled ? "next" : "near", true), (decision.Chosen!.Name, decision.Required is not null));
    }

    // What the API server stores of a pod with matchLabelKeys: the keys, and the selector with the pod's own values
    // (https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#matchlabelkeys).
    [Theory]
    [InlineData("matchLabelKeys", "In", "scorer", true)]
    [InlineData("matchLabelKeys", "In", "other", false)]
    [InlineData("mismatchLabelKeys", "NotIn", "other", true)]
    [InlineData("mismatchLabelKeys", "NotIn", "scorer", false)]
    public void Of_label_keys_the_selector_says_what_they_mean(string keys, string meaning, string value, bool isRepelled) => Assert.Equal(
        isRepelled ? "next" : "near",
        Chosen($$"""{ {{Host}}, "{{keys}}": ["app"], "labelSelector": { "matchExpressions": [ { "key": "app", "operator": "{{meaning}}", "values": ["{{value}}"] } ] } }"""));

    [Fact]
    public void Where_the_labels_of_the_namespace_are_not_known_one_that_asks_for_them_may_keep_the_pod_away() =>
        AssertMayBeRepelled("near", Decide(Term("app: scorer", ", \"namespaceSelector\": { \"matchLabels\": { \"team\": \"x\" } }"), "other", "near"));

    [Fact]
    public void A_term_keeps_the_pod_from_the_whole_place_that_the_topology_key_names() =>
        Assert.Equal("far", Chosen("""{ "topologyKey": "zone", "labelSelector": {} }"""));

    [Fact]
    public void A_node_without_the_topology_key_is_no_place() =>
        Assert.Equal("near", Chosen("""{ "topologyKey": "rack", "labelSelector": {} }"""));

    [Fact]
    public void Where_all_near_nodes_are_kept_free_the_pod_prefers_them_and_may_run_anywhere()
    {
        var decision = Decide("""{ "topologyKey": "zone", "labelSelector": {} }""", on: ["near", "far"]);

        Assert.Equal((SofteningCause.NoRoomNow, false), (decision.Softened!.Cause, decision.HasRoom));
        Assert.Null(decision.Required);
    }

    [Fact]
    public void A_node_is_free_again_when_the_last_such_pod_has_gone()
    {
        var usageCache = Usages.UsageCache();
        usageCache.Set("a", Pod("a", "near", $"{{ {Host}, \"labelSelector\": {{}} }}", "kubeflow"));
        usageCache.Set("b", Pod("b", "near", $"{{ {Host}, \"labelSelector\": {{}} }}", "kubeflow"));

        usageCache.Set("a", null);
        Assert.Equal("next", View.Decide(Step, usage: usageCache.Current).Chosen!.Name);
        usageCache.Set("b", null);
        Assert.Equal("near", View.Decide(Step, usage: usageCache.Current).Chosen!.Name);
    }

    public static TheoryData<string> TooLarge => new()
    {
        string.Join(',', Enumerable.Range(0, 9).Select(i => Term($"n: {i}"))),
        Term($"n: {new string('x', 2048)}"),
    };

    // Whatever the terms say, the pod may or may not run there: a requirement could strand it.
    [Theory, MemberData(nameof(TooLarge))]
    public void What_is_too_large_to_be_kept_may_keep_the_pod_away(string terms)
    {
        AssertMayBeRepelled("near", Decide(terms, on: "near"));
        AssertMayBeRepelled("near", Decide(Term("app: none", ", \"namespaces\": [\"kubeflow\"]") + "," + terms, "other", "near"));
        AssertMayBeRepelled("near", Decide(Term("app: none", ", \"namespaceSelector\": {}") + "," + terms, "other", "near"));
    }

    [Theory, MemberData(nameof(TooLarge))]
    public void It_is_about_its_own_namespaces_and_places(string terms)
    {
        Assert.NotNull(Decide(terms, "other", "near").Required);
        Assert.NotNull(Decide(terms, "kubeflow", "next").Required);
    }

    // Any user who creates pods can write terms without end: what is kept of all of them is bounded.
    [Fact]
    public void Of_more_different_terms_than_are_kept_the_last_may_keep_the_pod_away()
    {
        var usageCache = Usages.UsageCache();
        for (var i = 0; i < 5000; i++)
        {
            usageCache.Set($"{i}", Pod($"{i}", "far", Term($"n: {i}"), "tenant"));
        }

        usageCache.Set("one", Pod("one", "near", Term("app: none"), "tenant"));
        Assert.NotNull(View.Decide(Step, usage: usageCache.Current).Required);
        usageCache.Set("two", Pod("two", "near", Term("app: none"), "kubeflow"));
        AssertMayBeRepelled("near", View.Decide(Step, usage: usageCache.Current));

        for (var i = 0; i < 5000; i++)
        {
            usageCache.Set($"{i}", null);
        }

        usageCache.Set("two", null);
        usageCache.Set("two", Pod("two", "near", Term("app: none"), "kubeflow"));
        Assert.NotNull(View.Decide(Step, usage: usageCache.Current).Required);
    }

    [Fact]
    public void What_many_pods_have_is_kept_once()
    {
        var usageCache = Usages.UsageCache();
        for (var i = 0; i < 5000; i++)
        {
            usageCache.Set($"{i}", Pod($"{i}", "far", Term("app: none"), "kubeflow"));
        }

        usageCache.Set("last", Pod("last", "near", Term("app: scorer"), "kubeflow"));
        Assert.Equal("next", View.Decide(Step, usage: usageCache.Current).Chosen!.Name);
    }

    [Fact]
    public void Of_pods_on_more_nodes_than_are_looked_at_any_may_keep_the_pod_away()
    {
        var usageCache = Usages.UsageCache();
        for (var i = 0; i < 9000; i++)
        {
            usageCache.Set($"{i}", Pod($"{i}", $"gone-{i}", Term("app: scorer"), "kubeflow"));
        }

        AssertMayBeRepelled("near", View.Decide(Step, usage: usageCache.Current));
    }

    [Fact]
    public void In_more_kinds_of_place_than_are_looked_at_the_pod_may_be_kept_away()
    {
        var keys = Enumerable.Range(0, 20).Select(i => $"k{i}").ToArray();
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "next"), keys.Aggregate(Nodes.At("3", "far"), (node, key) => node.Labelled(key, "v")));
        var usageCache = Usages.UsageCache();
        foreach (var key in keys)
        {
            usageCache.Set(key, Pod(key, "far", $$"""{ "topologyKey": "{{key}}", "labelSelector": {} }""", "kubeflow"));
        }

        AssertMayBeRepelled("near", view.Decide(Step, usage: usageCache.Current));
    }

    [Fact]
    public void All_labels_of_a_step_are_read_where_a_term_is_about_its_namespace()
    {
        var usageCache = Usages.UsageCache();
        usageCache.Set("a", Pod("a", "near", $"{{ {Host}, \"labelSelector\": {{ \"matchLabels\": {{ \"app\": \"scorer\" }} }} }}", "kubeflow"));
        var pod = Pods.Json("""{ "typeOfComponent": "Predict", "OurLocation": "here", "app": "scorer" }""");

        Assert.Equal("next", WebhookCall.Review(pod, View, usageCache).Decision!.Chosen!.Name);
    }

    static string Term(string label, string more = "") =>
        $"{{ {Host}, \"labelSelector\": {{ \"matchLabels\": {{ \"{label.Replace(": ", "\": \"", StringComparison.Ordinal)}\" }} }}{more} }}";

    static void AssertMayBeRepelled(string chosen, Decision decision)
    {
        Assert.Equal((chosen, new Softening(SofteningCause.UnknownAntiAffinity)), (decision.Chosen!.Name, decision.Softened));
        Assert.Null(decision.Required);
    }

    static string Chosen(string term, string @namespace = "kubeflow") => Decide(term, @namespace, "near").Chosen!.Name;

    static Decision Decide(string term, string @namespace = "kubeflow", params string[] on)
    {
        var usageCache = Usages.UsageCache();
        foreach (var node in on)
        {
            usageCache.Set(node, Pod(node, node, term, @namespace));
        }

        return View.Decide(Step, usage: usageCache.Current);
    }

    static PodUsage Pod(string uid, string node, string terms, string @namespace)
    {
        using var document = JsonDocument.Parse($$"""
            {
              "metadata": { "uid": "{{uid}}", "namespace": "{{@namespace}}" },
              "spec": { "nodeName": "{{node}}", "affinity": { "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [ {{terms}} ] } } }
            }
            """);
        return PodUsageReader.Read(document.RootElement)!;
    }
}
