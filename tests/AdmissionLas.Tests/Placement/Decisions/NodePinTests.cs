namespace AdmissionLas.Tests.Placement;

/// <summary>How a requirement names nodes, and what a large cluster gets beside it.</summary>
public sealed class NodePinTests
{
    static readonly PodFacts Step = Pods.Predict("here", Pods.Container(cpu: "1"));

    static readonly PlacementPolicy ByName = new() { NodeTerms = NodeTermForm.Names };

    // A scheduler before 1.31 fails a pod when a node that it names is missing; it may be one release older than the API server and the newest kubelet.
    [Theory]
    [InlineData(NodeTermForm.Auto, 32, 32, 32, true)]
    [InlineData(NodeTermForm.Auto, 36, 36, 20, true)]
    [InlineData(NodeTermForm.Auto, 99, 31, 31, false)]
    [InlineData(NodeTermForm.Auto, 0, 0, 0, false)]
    [InlineData(NodeTermForm.Hostnames, 36, 36, 36, false)]
    [InlineData(NodeTermForm.Names, 0, 0, 0, true)]
    public void Nodes_are_named_by_name_where_most_kubelets_are_recent_or_the_admin_says_so(NodeTermForm form, int first, int second, int third, bool isByName)
    {
        var view = Nodes.View(Nodes.At("1", "a") with { KubeletMinor = first }, Nodes.At("2", "b") with { KubeletMinor = second }, Nodes.At("3", "c") with { KubeletMinor = third });

        Assert.Equal(isByName, view.Decide(Step, new PlacementPolicy { NodeTerms = form }).Required!.IsByName);
        Assert.Equal(isByName, view.With(view.Nodes).Decide(Step, new PlacementPolicy { NodeTerms = form }).Required!.IsByName);
    }

    [Fact]
    public void By_name_a_node_without_a_host_name_of_its_own_can_be_required_too()
    {
        var view = Nodes.View(Nodes.At("1", "a").Without(NodeSelectorTerm.HostnameKey), Nodes.At("2", "b"));

        Assert.Equal(SofteningCause.NoOwnHostname, view.Decide(Step).Softened!.Cause);
        Assert.Equal(["a", "b"], view.Decide(Step, ByName).Required!.Names);
    }

    [Fact]
    public void With_many_terms_of_its_own_a_pod_is_pinned_by_host_name_for_each_would_be_copied_for_each_node()
    {
        var view = Nodes.View(Nodes.At("1", "a").Labelled("tier", "x"), Nodes.At("2", "b").Labelled("tier", "x"));
        var terms = Enumerable.Range(0, 5).Select(i => Pods.Term("tier", SelectorOperator.In, "x", $"{i}")).ToArray();

        Assert.True(view.Decide(Step.Requiring(terms[..4]), ByName).Required!.IsByName);
        Assert.False(view.Decide(Step.Requiring(terms), ByName).Required!.IsByName);
    }

    // etcd takes no object over 1.5 MiB, and a value has up to 63 characters.
    [Theory]
    [InlineData(63, true)]
    [InlineData(64, false)]
    public void So_it_is_with_one_long_term(int values, bool isByName)
    {
        var view = Nodes.View(Nodes.At("1", "a").Labelled("tier", "x"), Nodes.At("2", "b").Labelled("tier", "x"));
        var term = Pods.Term("tier", SelectorOperator.In, ["x", .. Enumerable.Range(1, values - 1).Select(i => $"{i}")]);

        Assert.Equal(isByName, view.Decide(Step.Requiring(term), ByName).Required!.IsByName);
    }

    [Fact]
    public void Each_of_the_pods_own_terms_is_kept_to_the_nodes_that_it_matches_and_one_that_matches_none_goes_on_so()
    {
        var (a, b) = (Nodes.At("1", "a").Labelled("zone", "1"), Nodes.At("2", "b").Labelled("zone", "2"));
        NodeSelectorTerm[] own = [Pods.Term("zone", SelectorOperator.In, "1", "2"), new([], []), Pods.Term("zone", SelectorOperator.In, "2"), Pods.Term("zone", SelectorOperator.In, "3")];

        Assert.Equal([(0, a), (0, b), (2, b), (3, a)], new NodePin([a, b], IsByName: true).Pairs(own));
    }

    [Theory]
    [InlineData(101, true)]
    [InlineData(100, false)]
    public void Where_the_scheduler_looks_at_a_part_of_the_nodes_the_nearest_ones_zone_is_preferred_too(int nodes, bool isPreferred)
    {
        var view = new ClusterView(Enumerable.Range(1, nodes).Select(i => Nodes.At($"{i}", $"n{i}").Labelled("topology.kubernetes.io/zone", $"z{i / 10}")));

        var terms = view.Decide(Step, new PlacementPolicy { Mode = PlacementMode.Preferred }).Preferred;

        Assert.Equal(isPreferred ? 9 : 8, terms.Count);
        if (isPreferred)
        {
            Assert.Equal(1, terms[^1].Weight);
            Assert.True(terms[^1].Preference.IsSameAs(Pods.Term("topology.kubernetes.io/zone", SelectorOperator.In, "z0")));
        }
    }

    [Theory]
    [InlineData(101, "20", true)]
    [InlineData(100, "20", false)]
    // Room for four such pods and no more: others may take it first.
    [InlineData(101, "2", false)]
    public void A_few_cloud_nodes_that_the_scheduler_might_not_look_at_are_required_for_training_while_they_have_room(int nodes, string cpu, bool isRequired)
    {
        var cloud = Enumerable.Range(1, 4).Select(i => Nodes.Named($"cloud-{i}", cpu, "256Gi", labels: [("admissionlas.io/tier", "cloud")]));
        var view = new ClusterView(Enumerable.Range(1, nodes - 4).Select(i => Nodes.Named($"n{i:000}")).Concat(cloud));

        var pin = view.Decide(Pods.Training()).Required;

        Assert.Equal(isRequired ? ["cloud-1", "cloud-2", "cloud-3", "cloud-4"] : null, pin?.Names.Order());
    }

    [Theory]
    [InlineData(0, false, 4, false)]
    [InlineData(1, false, 4, true)]
    [InlineData(1, true, 4, false)]
    [InlineData(1, false, 16, false)]
    public void A_pod_that_may_evict_others_is_pinned_only_where_there_is_room_to_spare(int priority, bool neverPreempts, int cpu, bool isSoftened)
    {
        var view = Nodes.View(Nodes.At("1", "a", $"{cpu}"), Nodes.At("2", "b", $"{cpu}"));
        PlacementPolicy[] policies =
        [
            new(), new() { Spread = SpreadMode.Near, NearSlackMs = 1 }, new() { Mode = PlacementMode.Required, NearSlackMs = 1 },
        ];

        Assert.All(policies, policy =>
        {
            var decision = view.Decide(Step with { Priority = priority, NeverPreempts = neverPreempts }, policy);

            Assert.Equal(isSoftened ? SofteningCause.CanPreempt : null, decision.Softened?.Cause);
            Assert.Equal(isSoftened, decision.Required is null);
        });
    }

    // Such as the placeholders that keep room for an autoscaler.
    [Theory]
    [InlineData(-10, 0, true)]
    [InlineData(-10, -10, false)]
    [InlineData(-10, 1000, true)]
    public void A_pod_may_evict_those_of_a_lower_priority_than_its_own(int lowest, int priority, bool isSoftened)
    {
        var view = Nodes.View(Nodes.At("1", "a"), Nodes.At("2", "b"));
        var usageCache = Usages.UsageCache();
        usageCache.Set("placeholder", new PodUsage("placeholder", "b", Amounts.Of("1", "1Gi")) { Priority = lowest });
        usageCache.Set("system", new PodUsage("system", "b", Amounts.Of("0", "0")) { Priority = 2_000_000_000 });

        Assert.Equal(isSoftened ? SofteningCause.CanPreempt : null, view.Decide(Step with { Priority = priority }, new(), usage: usageCache.Current).Softened?.Cause);
        usageCache.Set("placeholder", null);
        // One of the usual priority may come before the pod is scheduled.
        Assert.Equal(priority > 0, view.Decide(Step with { Priority = priority }, new(), usage: usageCache.Current).Softened is not null);
    }

    [Fact]
    public void A_pod_that_may_evict_others_is_not_pinned_to_full_nodes_whatever_its_author_wants()
    {
        var view = Nodes.View(Nodes.At("1", "a"), Nodes.At("2", "b"));
        var full = new NodeUsage(Amounts.Of("4", "4Gi"), 3);
        var required = new PlacementPolicy { Mode = PlacementMode.Required };

        Assert.NotNull(view.Decide(Step, required, usage: Usages.Of(("a", full), ("b", full))).Required);
        var decision = view.Decide(Step with { Priority = 1 }, required, usage: Usages.Of(("a", full), ("b", full)));
        Assert.Equal([new RequiredSoftened(new(SofteningCause.CanPreempt))], decision.Warnings);
        Assert.Null(decision.Required);
    }
}
