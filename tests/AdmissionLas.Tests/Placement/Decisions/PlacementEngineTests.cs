namespace AdmissionLas.Tests.Placement;

public sealed class PlacementEngineTests
{
    static readonly ClusterView View = Nodes.View(Nodes.At("1", "near"));

    [Fact]
    public void What_is_no_step_is_left_as_it_is()
    {
        var decision = View.Decide(Pods.Labelled(("typeOfComponent", "Evaluation"), ("OurLocation", "here")));

        AssertUntouched(Outcome.NotAStep, decision);
        Assert.Empty(decision.Warnings);
    }

    [Fact]
    public void A_misspelt_type_is_left_as_it_is_and_its_author_is_asked()
    {
        var decision = View.Decide(Pods.Labelled(("typeOfComponent", "Trainning")));

        AssertUntouched(Outcome.NotAStep, decision);
        Assert.Equal([new UnknownStepType("label typeOfComponent", "Trainning", "Training")], decision.Warnings);
    }

    [Fact]
    public void A_pod_that_names_its_node_is_left_as_it_is() => AssertUntouched(Outcome.AlreadyBound, View.Decide(Pods.Predict() with { NodeName = "elsewhere" }));

    [Fact]
    public void A_pod_with_more_to_compare_than_any_honest_one_is_left_to_the_scheduler()
    {
        var values = Enumerable.Range(0, NodeFilter.MaxComparisons).Select(i => $"v{i}").ToArray();

        var decision = View.Decide(Pods.Predict().Requiring(Pods.Term("tier", SelectorOperator.NotIn, values)));

        Assert.Equal((Outcome.TooComplex, new PodTooComplex()), (decision.Outcome, decision.Reason));
        Assert.Equal([new NotPlaced(new PodTooComplex())], decision.Warnings);
    }

    static void AssertUntouched(Outcome outcome, Decision decision)
    {
        Assert.Equal(outcome, decision.Outcome);
        Assert.False(decision.IsDecided);
        Assert.Null(decision.Chosen);
        Assert.Null(decision.Required);
        Assert.Empty(decision.Preferred);
        Assert.Empty(decision.Requests);
    }
}
