namespace AdmissionLas.Tests.Placement;

/// <summary>
/// Extended resources that no node has in allocatable: a DeviceClass may stand for one, and then the scheduler claims devices on nodes without it
/// (https://www.kubernetes.dev/resources/keps/5004/; shouldDelegateResourceToDRA in
/// https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/scheduler/framework/plugins/noderesources/fit.go).
/// </summary>
public sealed class ExtendedResourceTests
{
    static readonly Softening Softened = new(SofteningCause.SchedulerOnlyConstraint, SchedulerConstraint.ExtendedResources);
    static readonly ClusterView View = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "next"), Nodes.At("3", "far"));

    [Theory]
    [InlineData("example.com/gpu")]
    [InlineData("deviceclass.resource.kubernetes.io/gpu")]
    public void Where_no_node_has_it_the_near_nodes_are_preferred(string name)
    {
        var decision = View.Decide(Asking(name));

        Assert.Equal((Outcome.Placed, "near", Softened), (decision.Outcome, decision.Chosen!.Name, decision.Softened));
        Assert.Null(decision.Required);
        Assert.Empty(decision.Warnings);
    }

    // No DeviceClass can stand for these.
    [Theory]
    [InlineData("hugepages-2Mi")]
    [InlineData("ephemeral-storage")]
    [InlineData("kubernetes.io/batteries")]
    [InlineData("requests.example.com/gpu")]
    public void A_resource_that_is_no_extended_one_has_to_be_there(string name)
    {
        var decision = View.Decide(Asking(name));

        Assert.Equal(Outcome.NoCandidate, decision.Outcome);
        Assert.Equal([FilterResult.OtherResource, FilterResult.OtherResource, FilterResult.OtherResource], Assert.IsType<NoNodeFits>(decision.Reason).Results);
    }

    [Fact]
    public void Where_nodes_have_enough_of_it_the_pod_goes_to_these()
    {
        var decision = Nodes.View(Nodes.At("1", "near"), With(1, Nodes.At("2", "next")), With(1, Nodes.At("3", "far"))).Decide(Asking());

        Assert.Equal("next", decision.Chosen!.Name);
        Assert.Equal(["next", "far"], decision.Required!.Nodes.Select(n => n.Name));
    }

    // Where a node has it in allocatable, nothing is claimed.
    [Fact]
    public void Where_those_that_have_it_have_too_little_others_are_preferred()
    {
        var decision = Nodes.View(With(1, Nodes.At("1", "near")), Nodes.At("2", "next"), Nodes.At("3", "far")).Decide(Asking(amount: 2));

        Assert.Equal(("next", Softened), (decision.Chosen!.Name, decision.Softened));
        Assert.Equal(["next", "far"], decision.Candidates.Select(c => c.Node.Name));
    }

    [Fact]
    public void The_other_filters_apply_to_such_a_pod_too()
    {
        var decision = View.Decide(Asking(cpu: "500"));

        Assert.All(Assert.IsType<NoNodeFits>(decision.Reason).Results, result => Assert.Equal(FilterResult.Cpu, result));
        Assert.Equal([new NotPlaced(decision.Reason!)], decision.Warnings);
    }

    [Fact]
    public void A_training_step_with_it_may_go_anywhere()
    {
        var decision = View.Decide(Pods.Training(new ContainerFacts("main", default, Amounts.Of(other: ("example.com/gpu", 1)))));

        Assert.Equal(Outcome.Placed, decision.Outcome);
        Assert.Null(decision.Required);
    }

    [Fact]
    public void Explain_says_what_the_decision_is_based_on()
    {
        var pod = Asking();
        var explained = PlacementExplainer.Explain(new StepRules().Classify(pod), pod, View, ClusterUsage.Unknown, new PlacementPolicy());

        Assert.All(explained.Nodes, node => Assert.Equal(FilterResult.CanRun, node.Now));
        Assert.Contains(explained.NotWeighed, factor => factor.Constraint == SchedulerConstraint.ExtendedResources);
    }

    static NodeFacts With(long gpus, NodeFacts node) => node with { Allocatable = Amounts.Of("4", "16Gi", ("example.com/gpu", gpus)) };

    static PodFacts Asking(string name = "example.com/gpu", long amount = 1, string cpu = "1") =>
        Pods.Predict("here", new ContainerFacts("main", Amounts.Of(cpu, "1Gi", (name, amount)), Amounts.Of(other: (name, amount))));
}
