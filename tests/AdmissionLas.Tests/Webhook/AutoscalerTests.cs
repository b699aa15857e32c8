namespace AdmissionLas.Tests.Webhook;

/// <summary>
/// What the two well-known autoscalers make of a pod that we patched and that stays pending, by the rules that they document. What doctor and the
/// guide say of them rests on this.
/// </summary>
public sealed class AutoscalerTests
{
    const string Hostname = "kubernetes.io/hostname";
    const string Zone = "topology.kubernetes.io/zone";

    static readonly NodeFacts Near = Nodes.At("1", "near").Labelled(Zone, "here");
    static readonly NodeFacts Next = Nodes.At("2", "next").Labelled(Zone, "here");
    static readonly ClusterView View = Nodes.View(Near, Next, Nodes.Named("far").Labelled(Zone, "there"));
    static readonly ClusterUsage Full = Usages.Of(("near", new(Amounts.Of("4"), 4)), ("next", new(Amounts.Of("4"), 4)), ("far", new(Amounts.Of("4"), 4)));

    [Theory]
    [InlineData(PlacementMode.Adaptive)]
    [InlineData(PlacementMode.Preferred)]
    [InlineData(PlacementMode.Off)]
    public void A_step_of_a_full_cluster_can_get_a_new_node(PlacementMode mode)
    {
        var pod = Review(mode, Full);

        Assert.True(IsConsideredByKarpenter(pod));
        Assert.True(CanRunOnNewNodeLike(Near, pod));
    }

    [Fact]
    public void A_step_that_is_tied_to_full_nodes_cannot()
    {
        var pod = Review(PlacementMode.Required, Full);

        Assert.False(IsConsideredByKarpenter(pod));
        Assert.False(CanRunOnNewNodeLike(Near, pod));
    }

    [Theory]
    [InlineData(PlacementMode.Adaptive, false)]
    [InlineData(PlacementMode.Preferred, true)]
    public void A_step_that_had_room_at_its_review_and_lost_it_since_can_only_where_it_was_not_tied(PlacementMode mode, bool can)
    {
        var pod = Review(mode, ClusterUsage.Unknown);

        Assert.Equal(can, IsConsideredByKarpenter(pod));
        Assert.Equal(can, CanRunOnNewNodeLike(Near, pod));
    }

    [Theory]
    [InlineData(PlacementMode.Adaptive, false)]
    [InlineData(PlacementMode.Preferred, false)]
    [InlineData(PlacementMode.Off, true)]
    public void A_Karpenter_older_than_1_5_considers_only_steps_that_do_not_even_prefer_hosts(PlacementMode mode, bool isConsidered) =>
        Assert.Equal(isConsidered, IsConsideredByKarpenter(Review(mode, Full), isOlder: true));

    [Fact]
    public void A_step_whose_author_requires_a_zone_gets_its_new_node_there()
    {
        var pod = Review(PlacementMode.Adaptive, Full, new JsonObject { [Zone] = "here" });

        Assert.True(IsConsideredByKarpenter(pod));
        Assert.True(CanRunOnNewNodeLike(Near, pod));
        Assert.False(CanRunOnNewNodeLike(View.Nodes.Single(n => n.Name == "far"), pod));
    }

    /// <summary>A step that takes a whole node's CPU, as the webhook leaves it.</summary>
    static JsonObject Review(PlacementMode mode, ClusterUsage usage, JsonObject? nodeSelector = null)
    {
        var pod = Pods.PredictJson(spec: """{ "containers": [ { "name": "main", "image": "step", "resources": { "requests": { "cpu": "4" } } } ] }""");
        if (nodeSelector is not null)
        {
            pod["spec"]!["nodeSelector"] = nodeSelector;
        }

        return WebhookCall.Review(pod, View, new PlacementPolicy { Mode = mode }, usage: usage).Pod;
    }

    /// <summary>
    /// Karpenter ignores a pod that selects, or requires in any term, the restricted label kubernetes.io/hostname or a field; before 1.5 a
    /// preferred term counts too.
    /// </summary>
    /// <remarks>
    /// Sources: RestrictedLabels in pkg/apis/v1/labels.go and validateAffinity in pkg/controllers/provisioning/provisioner.go of
    /// https://github.com/kubernetes-sigs/karpenter, and its pull request 2182.
    /// </remarks>
    static bool IsConsideredByKarpenter(JsonObject pod, bool isOlder = false)
    {
        var spec = pod["spec"]!;
        var affinity = spec["affinity"]?["nodeAffinity"];
        IEnumerable<JsonNode?> required = affinity?["requiredDuringSchedulingIgnoredDuringExecution"]?["nodeSelectorTerms"] as JsonArray ?? [];
        var preferred = (affinity?["preferredDuringSchedulingIgnoredDuringExecution"] as JsonArray ?? []).Select(t => t!["preference"]);
        return spec["nodeSelector"]?[Hostname] is null && (isOlder ? required.Concat(preferred) : required).All(term =>
            term!["matchFields"] is null && (term["matchExpressions"] as JsonArray ?? []).All(e => e!["key"]!.GetValue<string>() != Hostname));
    }

    /// <summary>Cluster Autoscaler asks whether the pod fits an empty copy of a node with a made-up name, which is also its host name.</summary>
    /// <remarks>Source: createSanitizedNode in https://github.com/kubernetes/autoscaler/blob/cluster-autoscaler-1.34.0/cluster-autoscaler/simulator/node_info_utils.go.</remarks>
    static bool CanRunOnNewNodeLike(NodeFacts node, JsonObject pod) =>
        DefaultScheduler.CouldEverRun(pod, (node with { Name = "template-node" }).Labelled(Hostname, "template-node"));
}
