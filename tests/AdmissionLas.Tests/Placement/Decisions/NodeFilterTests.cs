namespace AdmissionLas.Tests.Placement;

public sealed class NodeFilterTests
{
    static readonly NodeFacts Node = Nodes.Named("n", "4", "8Gi", labels: [("tier", "edge"), ("cores", "4")], gpus: 1);
    static readonly PodFacts Pod = Pods.Predict("here", Pods.Container(cpu: "1", memory: "1Gi"));

    [Fact]
    public void A_node_that_is_large_enough_can_run_the_pod() => Assert.Equal(FilterResult.CanRun, Now(Pod, Node));

    [Fact]
    public void A_node_that_is_not_ready_cannot() => Assert.Equal(FilterResult.NotReady, Now(Pod, Node with { IsReady = false }));

    [Fact]
    public void A_cordoned_node_runs_only_what_tolerates_the_cordon()
    {
        var cordoned = Node with { IsCordoned = true };

        Assert.Equal(FilterResult.Cordoned, Now(Pod, cordoned));
        Assert.Equal(FilterResult.CanRun, Now(Pod with { Tolerations = [new("node.kubernetes.io/unschedulable", true, "", TaintEffect.NoSchedule)] }, cordoned));
        Assert.Equal(FilterResult.CanRun, Now(Pod with { Tolerations = [new("", true, "", null)] }, cordoned));
        Assert.Equal(FilterResult.Cordoned, Now(Pod with { Tolerations = [new("node.kubernetes.io/unschedulable", true, "", TaintEffect.NoExecute)] }, cordoned));
    }

    [Theory]
    [InlineData(TaintEffect.NoSchedule, FilterResult.Tainted)]
    [InlineData(TaintEffect.NoExecute, FilterResult.Tainted)]
    [InlineData(TaintEffect.PreferNoSchedule, FilterResult.CanRun)]
    public void A_taint_keeps_off_what_does_not_tolerate_it(TaintEffect effect, FilterResult verdict) =>
        Assert.Equal(verdict, Now(Pod, Node with { Taints = [new("dedicated", "ml", effect)] }));

    [Theory]
    [InlineData("dedicated", true, "", null, true)]
    [InlineData("dedicated", true, "", TaintEffect.NoSchedule, true)]
    [InlineData("dedicated", true, "", TaintEffect.NoExecute, false)]
    [InlineData("dedicated", false, "ml", null, true)]
    [InlineData("dedicated", false, "ml", TaintEffect.NoSchedule, true)]
    [InlineData("dedicated", false, "web", null, false)]
    [InlineData("dedicated", false, "", null, false)]
    [InlineData("Dedicated", true, "", null, false)]
    [InlineData("other", true, "", null, false)]
    [InlineData("", true, "", null, true)]
    [InlineData("", true, "", TaintEffect.NoSchedule, true)]
    [InlineData("", true, "", TaintEffect.PreferNoSchedule, false)]
    public void A_toleration_covers_by_key_operator_value_and_effect(string key, bool exists, string value, TaintEffect? effect, bool tolerated) =>
        Assert.Equal(
            tolerated ? FilterResult.CanRun : FilterResult.Tainted,
            Now(Pod with { Tolerations = [new(key, exists, value, effect)] }, Node with { Taints = [new("dedicated", "ml", TaintEffect.NoSchedule)] }));

    // https://kubernetes.io/docs/concepts/workloads/pods/#pod-os: the kubelet of another operating system refuses the pod.
    [Theory]
    [InlineData("linux", "windows", FilterResult.OperatingSystem)]
    [InlineData("windows", "linux", FilterResult.OperatingSystem)]
    [InlineData("linux", "linux", FilterResult.CanRun)]
    [InlineData("linux", null, FilterResult.CanRun)]
    [InlineData(null, "windows", FilterResult.CanRun)]
    public void A_node_runs_no_pod_that_names_another_operating_system(string? named, string? actual, FilterResult result) =>
        Assert.Equal(result, Now(Pod with { OperatingSystem = named }, actual is null ? Node : Node.Labelled("kubernetes.io/os", actual)));

    [Fact]
    public void Every_taint_has_to_be_tolerated()
    {
        var node = Node with { Taints = [new("a", "", TaintEffect.NoSchedule), new("b", "", TaintEffect.NoExecute)] };

        Assert.Equal(FilterResult.Tainted, Now(Pod with { Tolerations = [new("a", true, "", null)] }, node));
        Assert.Equal(FilterResult.CanRun, Now(Pod with { Tolerations = [new("a", true, "", null), new("b", false, "", null)] }, node));
    }

    [Fact]
    public void A_node_is_avoided_for_a_PreferNoSchedule_taint_that_is_not_tolerated()
    {
        var node = Node with { Taints = [new("slow", "", TaintEffect.PreferNoSchedule)] };

        Assert.True(new NodeFilter(Pod, ClusterUsage.Unknown).IsAvoided(node));
        Assert.False(new NodeFilter(Pod with { Tolerations = [new("slow", true, "", null)] }, ClusterUsage.Unknown).IsAvoided(node));
        Assert.False(new NodeFilter(Pod, ClusterUsage.Unknown).IsAvoided(Node with { Taints = [new("hard", "", TaintEffect.NoSchedule)] }));
    }

    [Theory]
    [InlineData("tier", "edge", FilterResult.CanRun)]
    [InlineData("tier", "cloud", FilterResult.NodeSelector)]
    [InlineData("tier", "EDGE", FilterResult.NodeSelector)]
    [InlineData("zone", "", FilterResult.NodeSelector)]
    public void A_node_selector_asks_for_exactly_this_label(string key, string value, FilterResult verdict) =>
        Assert.Equal(verdict, Now(Pod.Selecting(key, value), Node));

    [Theory]
    [InlineData("tier", SelectorOperator.In, "cloud,edge", true)]
    [InlineData("tier", SelectorOperator.In, "cloud", false)]
    [InlineData("zone", SelectorOperator.In, "west", false)]
    [InlineData("tier", SelectorOperator.NotIn, "cloud", true)]
    [InlineData("tier", SelectorOperator.NotIn, "cloud,edge", false)]
    [InlineData("zone", SelectorOperator.NotIn, "west", true)]
    [InlineData("tier", SelectorOperator.Exists, null, true)]
    [InlineData("zone", SelectorOperator.Exists, null, false)]
    [InlineData("tier", SelectorOperator.DoesNotExist, null, false)]
    [InlineData("zone", SelectorOperator.DoesNotExist, null, true)]
    [InlineData("cores", SelectorOperator.Gt, "3", true)]
    [InlineData("cores", SelectorOperator.Gt, "4", false)]
    [InlineData("cores", SelectorOperator.Gt, "many", false)]
    [InlineData("cores", SelectorOperator.Gt, "1,2", false)]
    [InlineData("tier", SelectorOperator.Gt, "0", false)]
    [InlineData("zone", SelectorOperator.Gt, "0", false)]
    [InlineData("cores", SelectorOperator.Lt, "5", true)]
    [InlineData("cores", SelectorOperator.Lt, "4", false)]
    [InlineData("zone", SelectorOperator.Lt, "5", false)]
    public void A_required_expression_is_met_as_its_operator_says(string key, SelectorOperator @operator, string? values, bool isMet) =>
        Assert.Equal(
            isMet ? FilterResult.CanRun : FilterResult.NodeAffinity,
            Now(Pod.Requiring(Pods.Term(key, @operator, values?.Split(',') ?? [])), Node));

    [Fact]
    public void Terms_are_ORed_and_the_expressions_of_a_term_are_ANDed()
    {
        var edge = new NodeSelectorRequirement("tier", SelectorOperator.In, ["edge"]);
        var west = new NodeSelectorRequirement("zone", SelectorOperator.In, ["west"]);

        Assert.Equal(FilterResult.NodeAffinity, Now(Pod.Requiring(new NodeSelectorTerm([edge, west], [])), Node));
        Assert.Equal(FilterResult.CanRun, Now(Pod.Requiring(new NodeSelectorTerm([west], []), new NodeSelectorTerm([edge], [])), Node));
    }

    [Fact]
    public void A_term_without_requirements_matches_nothing_and_neither_does_a_list_without_terms()
    {
        Assert.Equal(FilterResult.NodeAffinity, Now(Pod.Requiring(new NodeSelectorTerm([], [])), Node));
        Assert.Equal(FilterResult.NodeAffinity, Now(Pod.Requiring(), Node));
        Assert.Equal(FilterResult.CanRun, Now(Pod.Requiring(new NodeSelectorTerm([], []), Pods.Term("tier", SelectorOperator.Exists)), Node));
    }

    [Theory]
    [InlineData("metadata.name", SelectorOperator.In, "n", true)]
    [InlineData("metadata.name", SelectorOperator.In, "m", false)]
    [InlineData("metadata.name", SelectorOperator.NotIn, "m", true)]
    [InlineData("metadata.name", SelectorOperator.NotIn, "n", false)]
    [InlineData("metadata.uid", SelectorOperator.In, "n", false)]
    public void A_field_requirement_asks_for_the_nodes_name(string field, SelectorOperator @operator, string value, bool isMet) =>
        Assert.Equal(
            isMet ? FilterResult.CanRun : FilterResult.NodeAffinity,
            Now(Pod.Requiring(new NodeSelectorTerm([], [new(field, @operator, [value])])), Node));

    [Fact]
    public void Node_selector_and_required_affinity_both_have_to_be_met() =>
        Assert.Equal(FilterResult.NodeSelector, Now(Pod.Requiring(Pods.Term("tier", SelectorOperator.Exists)).Selecting("zone", "west"), Node));

    [Theory]
    [InlineData("4", "8Gi", FilterResult.CanRun)]
    [InlineData("4001m", "8Gi", FilterResult.Cpu)]
    [InlineData("4", "8193Mi", FilterResult.Memory)]
    [InlineData("5", "9Gi", FilterResult.Cpu)]
    public void The_request_has_to_be_within_what_the_node_can_give(string cpu, string memory, FilterResult verdict) =>
        Assert.Equal(verdict, Now(Pods.Predict("here", Pods.Container(cpu: cpu, memory: memory)), Node));

    [Fact]
    public void What_is_requested_on_the_node_already_is_gone_now_and_not_for_ever()
    {
        Assert.Equal(FilterResult.Cpu, Now(Pod, Node, Usages.On("n", cpu: "3500m")));
        Assert.Equal(FilterResult.CanRun, new NodeFilter(Pod, Usages.On("n", cpu: "3500m")).FitsWhenEmpty(Node));
        Assert.Equal(FilterResult.CanRun, Now(Pod, Node, Usages.On("another", cpu: "3500m")));
        Assert.Equal(FilterResult.Cpu, Now(Pod, Node, Usages.On("n", cpu: "400")));
    }

    [Fact]
    public void A_pod_that_asks_for_nothing_runs_even_where_nothing_is_left() =>
        Assert.Equal(FilterResult.CanRun, Now(Pods.Predict(), Node, Usages.On("n", "5", "8Gi")));

    [Theory]
    [InlineData(Nodes.Gpu, 1, FilterResult.CanRun)]
    [InlineData(Nodes.Gpu, 2, FilterResult.OtherResource)]
    [InlineData("example.com/fpga", 1, FilterResult.OtherResource)]
    [InlineData("example.com/fpga", 0, FilterResult.CanRun)]
    public void Extended_resources_have_to_be_there_too(string name, long amount, FilterResult verdict) =>
        Assert.Equal(verdict, Now(Pods.Predict("here", new ContainerFacts("main", Amounts.Of(other: (name, amount)), default)), Node));

    [Fact]
    public void A_node_holds_only_so_many_pods()
    {
        Assert.Equal(FilterResult.CanRun, Now(Pod, Node with { AllocatablePods = 10 }, Usages.On("n", pods: 9)));
        Assert.Equal(FilterResult.PodCount, Now(Pod, Node with { AllocatablePods = 10 }, Usages.On("n", pods: 10)));
        Assert.Equal(FilterResult.CanRun, new NodeFilter(Pod, Usages.On("n", pods: 10)).FitsWhenEmpty(Node with { AllocatablePods = 10 }));
        Assert.Equal(FilterResult.PodCount, new NodeFilter(Pod, ClusterUsage.Unknown).FitsWhenEmpty(Node with { AllocatablePods = 0 }));
    }

    [Fact]
    public void Tolerations_selectors_and_values_are_counted_up_to_a_bound()
    {
        Toleration toleration = new("a", true, "", null);
        var values = Enumerable.Range(0, NodeFilter.MaxComparisons - 3).Select(i => $"v{i}").ToArray();
        var atTheBound = (Pod with { Tolerations = [toleration] }).Selecting("tier", "edge").Requiring(Pods.Term("tier", SelectorOperator.In, values));

        Assert.True(NodeFilter.IsWithinLimits(Pod));
        Assert.True(NodeFilter.IsWithinLimits(atTheBound));
        Assert.False(NodeFilter.IsWithinLimits(atTheBound with { Tolerations = [toleration, toleration] }));
        Assert.False(NodeFilter.IsWithinLimits(atTheBound.Selecting("zone", "west")));
        Assert.False(NodeFilter.IsWithinLimits(Pod.Requiring(new NodeSelectorTerm([], [new("metadata.name", SelectorOperator.In, [.. values, .. values])]))));
    }

    static FilterResult Now(PodFacts pod, NodeFacts node, ClusterUsage? usage = null) => new NodeFilter(pod, usage ?? ClusterUsage.Unknown).FitsNow(node);
}
