namespace AdmissionLas.Tests.Placement;

public sealed class StepRulesTests
{
    [Theory]
    [InlineData("Predict", "Predict")]
    [InlineData("Predicting", "Predict")]
    [InlineData("Prediction", "Predict")]
    [InlineData("pReDiCt", "Predict")]
    [InlineData("PREDICTION", "Predict")]
    [InlineData("Training", "Training")]
    [InlineData("Train", "Training")]
    [InlineData("train", "Training")]
    [InlineData("TRAINING", "Training")]
    [InlineData("Evaluation", "Other")]
    [InlineData("Trainer", "Other")]
    [InlineData(" Predict", "Other")]
    public void The_label_names_the_type_in_any_letter_case(string word, string type) =>
        Assert.Equal((type, "label typeOfComponent"), TypeOf(new StepRules().Classify(Pods.Labelled(("typeOfComponent", word)))));

    [Fact]
    public void A_pod_that_nothing_speaks_of_is_no_step() =>
        Assert.Equal(("Other", "no rule"), TypeOf(new StepRules().Classify(Pods.Labelled(("app", "web")))));

    [Fact]
    public void The_keys_of_the_labels_can_be_configured()
    {
        var rules = new StepRules(componentLabel: "kind-of-step", locationLabel: "where");
        var step = rules.Classify(Pods.Labelled(("kind-of-step", "Predict"), ("where", "HOME"), ("typeOfComponent", "Training"), ("OurLocation", "LAB")));

        Assert.Equal(("Predict", "label kind-of-step", "HOME", "label where"), (step.Type, step.TypeRule, step.Location, step.LocationRule));
    }

    [Fact]
    public void The_prefixed_label_wins_over_the_bare_one()
    {
        var step = new StepRules().Classify(Pods.Labelled(
            ("typeOfComponent", "Training"), ("OurLocation", "LAB"), (StepRules.ComponentKey, "Predict"), (StepRules.LocationKey, "HOME")));

        Assert.Equal(
            ("Predict", "label admissionlas.io/component", "HOME", "label admissionlas.io/location"),
            (step.Type, step.TypeRule, step.Location, step.LocationRule));
    }

    [Fact]
    public void A_label_wins_over_an_annotation()
    {
        var step = new StepRules().Classify(Pods.Predict("LAB").Annotated(StepRules.ComponentKey, "Training").Annotated(StepRules.LocationKey, "HOME"));

        Assert.Equal(("Predict", "label typeOfComponent", "LAB", "label OurLocation"), (step.Type, step.TypeRule, step.Location, step.LocationRule));
    }

    [Fact]
    public void Annotations_speak_where_no_label_does()
    {
        var step = new StepRules().Classify(new PodFacts().Annotated(StepRules.ComponentKey, "predict").Annotated(StepRules.LocationKey, "HOME"));

        Assert.Equal(
            ("Predict", "annotation admissionlas.io/component", "HOME", "annotation admissionlas.io/location"),
            (step.Type, step.TypeRule, step.Location, step.LocationRule));
    }

    [Fact]
    public void An_empty_label_says_nothing()
    {
        var step = new StepRules().Classify(
            Pods.Labelled(("typeOfComponent", ""), ("OurLocation", "")).Annotated(StepRules.ComponentKey, "predict").Annotated(StepRules.LocationKey, "HOME"));

        Assert.Equal(("annotation admissionlas.io/component", "annotation admissionlas.io/location"), (step.TypeRule, step.LocationRule));
    }

    [Fact]
    public void A_rule_is_asked_after_labels_and_annotations()
    {
        var rules = new StepRules(rules: [Rule("serve") with { Kind = StepKinds.Predict, Location = "LAB" }]);

        Assert.Equal(("Training", "label typeOfComponent"), TypeOf(rules.Classify(Running(Pods.Training()))));
        Assert.Equal(
            ("Training", "annotation admissionlas.io/component"),
            TypeOf(rules.Classify(Running(new PodFacts().Annotated(StepRules.ComponentKey, "Training")))));
        Assert.Equal(("Predict", "rule serve"), TypeOf(rules.Classify(Running(new PodFacts()))));
    }

    [Fact]
    public void A_rule_that_wins_over_labels_is_asked_first()
    {
        var rules = new StepRules(rules: [Rule("serve") with { Kind = StepKinds.Predict, Location = "LAB", WinsOverLabel = true }]);

        var step = rules.Classify(Running(Pods.Labelled((StepRules.ComponentKey, "Training"), (StepRules.LocationKey, "HOME"))));

        Assert.Equal(("Predict", "rule serve", "LAB", "rule serve"), (step.Type, step.TypeRule, step.Location, step.LocationRule));
    }

    [Fact]
    public void The_first_rule_that_matches_counts()
    {
        var rules = new StepRules(rules:
        [
            Rule("other", function: "nothing") with { Kind = StepKinds.Training },
            Rule("first") with { Kind = StepKinds.Predict },
            Rule("second") with { Kind = StepKinds.Training },
        ]);

        Assert.Equal(("Predict", "rule first"), TypeOf(rules.Classify(Running(new PodFacts()))));
    }

    [Fact]
    public void A_rule_can_say_that_a_pod_is_no_step()
    {
        var rules = new StepRules(rules: [Rule("prepare") with { Kind = null, WinsOverLabel = true }]);

        Assert.Equal(("Other", "rule prepare"), TypeOf(rules.Classify(Running(Pods.Predict("HOME")))));
    }

    [Fact]
    public void A_word_that_is_not_known_says_that_the_step_is_something_else_and_no_rule_is_asked()
    {
        var rules = new StepRules(rules: [Rule("serve") with { Kind = StepKinds.Predict }]);

        var step = rules.Classify(Running(Pods.Labelled(("typeOfComponent", "Evaluation"))));

        Assert.Equal(("Other", "label typeOfComponent"), TypeOf(step));
        Assert.Null(step.Warning);
    }

    [Fact]
    public void A_word_that_is_nearly_known_is_asked_about()
    {
        var step = new StepRules().Classify(Pods.Labelled(("typeOfComponent", "Predcit")));

        Assert.Equal(("Other", "label typeOfComponent"), TypeOf(step));
        Assert.Equal(new UnknownStepType("label typeOfComponent", "Predcit", "Predict"), step.Warning);
    }

    [Fact]
    public void An_unknown_prefixed_word_stops_the_search_too() =>
        Assert.Equal(
            ("Other", "label admissionlas.io/component"),
            TypeOf(new StepRules().Classify(Pods.Labelled((StepRules.ComponentKey, "Serving"), ("typeOfComponent", "Predict")))));

    [Fact]
    public void A_driver_is_never_the_step()
    {
        var rules = new StepRules(rules: [Rule("serve") with { Kind = StepKinds.Predict, WinsOverLabel = true }]);

        Assert.Equal(("Other", "KFP driver"), TypeOf(rules.Classify(Running(Pods.Predict("HOME")) with { IsPipelineDriver = true })));
        Assert.Equal(("Other", "KFP driver"), TypeOf(rules.Classify(Running(Pods.Labelled((StepRules.PodRoleKey, "container-driver"))))));
        Assert.Equal(("Other", "KFP driver"), TypeOf(rules.Classify(Running(Pods.Labelled((StepRules.PodRoleKey, "dag-driver"))))));
        Assert.Equal(("Predict", "rule serve"), TypeOf(rules.Classify(Running(Pods.Labelled((StepRules.PodRoleKey, "container-executor"))))));
    }

    [Fact]
    public void The_location_is_asked_of_winning_rules_labels_annotations_rules_and_the_namespace_in_this_order()
    {
        var rules = new StepRules(
            rules: [Rule("winning", function: "win") with { Location = "R1", WinsOverLabel = true }, Rule("following", function: "*o*") with { Location = "R2" }],
            defaultLocations: new Dictionary<string, string> { ["kubeflow"] = "N" });
        var everything = Pods.Labelled(("typeOfComponent", "Predict"), (StepRules.LocationKey, "L1"), ("OurLocation", "L2")).Annotated(StepRules.LocationKey, "A");

        Assert.Equal(("R1", "rule winning"), LocationOf(everything with { FunctionToExecute = "win" }));
        Assert.Equal(("L1", "label admissionlas.io/location"), LocationOf(everything with { FunctionToExecute = "follow" }));
        Assert.Equal(("L2", "label OurLocation"), LocationOf(Pods.Predict("L2").Annotated(StepRules.LocationKey, "A") with { FunctionToExecute = "follow" }));
        Assert.Equal(("A", "annotation admissionlas.io/location"), LocationOf(Pods.Predict(null).Annotated(StepRules.LocationKey, "A") with { FunctionToExecute = "follow" }));
        Assert.Equal(("R2", "rule following"), LocationOf(Pods.Predict(null) with { FunctionToExecute = "follow" }));
        Assert.Equal(("N", "default of namespace kubeflow"), LocationOf(Pods.Predict(null)));
        Assert.Equal((null, null), LocationOf(Pods.Predict(null) with { Namespace = "elsewhere" }));

        (string?, string?) LocationOf(PodFacts pod) => rules.Classify(pod) is var step ? (step.Location, step.LocationRule) : default;
    }

    [Fact]
    public void A_rule_that_gives_the_type_gives_its_own_location_before_a_later_rule_does()
    {
        var rules = new StepRules(rules: [Rule("type-only", function: "x") with { Location = "X" }, Rule("serve") with { Kind = StepKinds.Predict, Location = "LAB" }]);

        Assert.Equal(("LAB", "rule serve"), rules.Classify(Running(new PodFacts())) is var step ? (step.Location, step.LocationRule) : default);
    }

    // Only a rule that is marked wins over what the pod's author wrote, in the location as in the type.
    [Fact]
    public void The_pods_own_location_wins_over_the_location_of_an_unmarked_rule_that_gives_the_type()
    {
        var rules = new StepRules(rules: [Rule("serve") with { Kind = StepKinds.Predict, Location = "LAB" }]);

        var step = rules.Classify(Running(Pods.Labelled(("OurLocation", "HOME"))));

        Assert.Equal(("Predict", "rule serve", "HOME", "label OurLocation"), (step.Type, step.TypeRule, step.Location, step.LocationRule));
    }

    [Fact]
    public void A_rule_may_give_the_location_alone()
    {
        var rules = new StepRules(rules: [Rule("lab") with { Location = "LAB" }]);

        var step = rules.Classify(Running(Pods.Predict(null)));

        Assert.Equal(("label typeOfComponent", "LAB", "rule lab"), (step.TypeRule, step.Location, step.LocationRule));
        Assert.Equal(("Other", "no rule"), TypeOf(rules.Classify(Running(new PodFacts()))));
    }

    [Fact]
    public void Training_has_no_location() => Assert.Null(new StepRules().Classify(Pods.Labelled(("typeOfComponent", "Training"), ("OurLocation", "HOME"))).Location);

    [Fact]
    public void Every_label_that_any_rule_looks_at_is_asked_of_the_reader()
    {
        var rules = new StepRules("c", "l", [new StepRule { Name = "r", InferenceService = "*", Labels = new Dictionary<string, string> { ["tier"] = "*" } }]);

        Assert.Equal(
            ["c", "l", StepRules.ComponentKey, StepRules.LocationKey, StepRules.PodRoleKey, "tier", StepRule.InferenceServiceKey, StepRule.KServeComponentKey],
            rules.LabelKeys);
    }

    static StepRule Rule(string name, string function = "serve") => new() { Name = name, Function = function };

    static PodFacts Running(PodFacts pod) => pod with { FunctionToExecute = "serve" };

    static (string, string) TypeOf(Step step) => (step.Type, step.TypeRule);
}
