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
    // The labels of namespaces are not known, so it may be meant.
    [InlineData("other", "\"namespaceSelector\": { \"matchLabels\": { \"team\": \"x\" } },", true)]
    [InlineData("other", "\"namespaces\": [\"third\"], \"namespaceSelector\": { \"matchLabels\": { \"kubernetes.io/metadata.name\": \"fourth\" } },", false)]
    public void A_term_is_about_the_namespaces_that_it_names_or_else_about_its_own(string own, string namespaces, bool isRepelled) =>
        Assert.Equal(isRepelled ? "next" : "near", Chosen($"{{ {namespaces} {Host}, \"labelSelector\": {{}} }}", own));

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

    [Fact]
    public void Of_a_pod_with_more_terms_than_an_honest_one_the_first_sixteen_count()
    {
        var terms = Enumerable.Range(0, 20).Select(i => $"{{ {Host}, \"labelSelector\": {{ \"matchLabels\": {{ \"n\": \"{i}\" }} }} }}");

        Assert.Equal(16, Pod("a", "near", string.Join(',', terms), "kubeflow").Repels.Count);
        Assert.Empty(Pod("a", "near", $"{{ {Host}, \"labelSelector\": {{ \"matchLabels\": {{ \"n\": \"{new string('x', 5000)}\" }} }} }}", "kubeflow").Repels);
    }

    [Fact]
    public void All_labels_of_a_step_are_read_where_a_term_is_about_its_namespace()
    {
        var usageCache = Usages.UsageCache();
        usageCache.Set("a", Pod("a", "near", $"{{ {Host}, \"labelSelector\": {{ \"matchLabels\": {{ \"app\": \"scorer\" }} }} }}", "kubeflow"));
        var pod = Pods.Json("""{ "typeOfComponent": "Predict", "OurLocation": "here", "app": "scorer" }""");

        Assert.Equal("next", WebhookCall.Review(pod, View, usageCache).Decision!.Chosen!.Name);
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
