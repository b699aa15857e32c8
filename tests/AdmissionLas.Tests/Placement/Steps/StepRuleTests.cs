namespace AdmissionLas.Tests.Placement;

public sealed class StepRuleTests
{
    [Theory]
    [InlineData("train", "train", true)]
    [InlineData("train", "training", false)]
    [InlineData("train", "Train", false)]
    [InlineData("train*", "training", true)]
    [InlineData("train*", "train", true)]
    [InlineData("*train", "retrain", true)]
    [InlineData("*train*", "pre-training", true)]
    [InlineData("*", "", true)]
    [InlineData("*", "anything", true)]
    [InlineData("", "", true)]
    [InlineData("", "x", false)]
    [InlineData("a*b*c", "a-b-b-c", true)]
    [InlineData("a*b*c", "a-c-b", false)]
    [InlineData("a**b", "ab", true)]
    [InlineData("?rain", "train", false)]
    [InlineData("*.predict*", "wf-1.root.predict-home.executor", true)]
    public void A_star_stands_for_any_run_of_characters(string pattern, string text, bool matches) =>
        Assert.Equal(matches, new StepRule { Name = "r", Function = pattern }.Matches(new PodFacts { FunctionToExecute = text }));

    [Fact]
    public void A_pattern_full_of_stars_is_matched_in_no_time()
    {
        var rule = new StepRule { Name = "r", Function = string.Concat(Enumerable.Repeat("*a", 30)) + "b" };

        Assert.False(rule.Matches(new PodFacts { FunctionToExecute = new string('a', 100_000) }));
    }

    [Fact]
    public void Every_stated_pattern_has_to_match()
    {
        var rule = new StepRule
        {
            Name = "r",
            Namespace = "team-*",
            NodeName = "*.serve*",
            Function = "predict_*",
            Labels = new Dictionary<string, string> { ["tier"] = "prod*" },
        };
        var pod = new PodFacts
        {
            Namespace = "team-a",
            FunctionToExecute = "predict_home",
            Labels = new Dictionary<string, string> { ["tier"] = "production" },
        }.Annotated(StepRule.ArgoNodeNameKey, "wf.serve");

        Assert.True(rule.Matches(pod));
        Assert.False(rule.Matches(pod with { Namespace = "other" }));
        Assert.False(rule.Matches(pod with { FunctionToExecute = "train" }));
        Assert.False(rule.Matches(pod.Annotated(StepRule.ArgoNodeNameKey, "wf.train")));
        Assert.False(rule.Matches(pod with { Labels = new Dictionary<string, string> { ["tier"] = "test" } }));
    }

    [Fact]
    public void What_a_pod_does_not_have_matches_no_pattern_not_even_a_star()
    {
        Assert.False(new StepRule { Name = "r", Function = "*" }.Matches(new PodFacts()));
        Assert.False(new StepRule { Name = "r", NodeName = "*" }.Matches(new PodFacts()));
        Assert.False(new StepRule { Name = "r", InferenceService = "*" }.Matches(new PodFacts()));
        Assert.False(new StepRule { Name = "r", Labels = new Dictionary<string, string> { ["tier"] = "*" } }.Matches(new PodFacts()));
    }

    [Fact]
    public void A_rule_without_a_pattern_matches_no_pod() => Assert.False(new StepRule { Name = "r" }.Matches(Pods.Predict()));

    [Theory]
    [InlineData("predictor", true)]
    [InlineData("transformer", false)]
    [InlineData("explainer", false)]
    [InlineData(null, false)]
    public void A_rule_for_an_inference_service_speaks_of_its_predictor_only(string? component, bool matches)
    {
        var labels = new Dictionary<string, string> { [StepRule.InferenceServiceKey] = "fraud-1" };
        if (component is not null)
        {
            labels["component"] = component;
        }

        Assert.Equal(matches, new StepRule { Name = "r", InferenceService = "fraud-*" }.Matches(new PodFacts { Labels = labels }));
    }

    [Fact]
    public void A_rule_names_every_label_that_it_looks_at()
    {
        var rule = new StepRule { Name = "r", InferenceService = "*", Labels = new Dictionary<string, string> { ["tier"] = "*" } };

        Assert.Equal(["tier", StepRule.InferenceServiceKey, "component"], rule.LabelKeys);
    }
}
