namespace AdmissionLas.Tests.Placement;

public sealed class PodHintsTests
{
    static readonly ClusterView View = Nodes.View(Nodes.At("1", "near", cpu: "64"), Nodes.At("2", "next"));

    [Theory]
    [InlineData("adaptive", PlacementMode.Adaptive)]
    [InlineData("preferred", PlacementMode.Preferred)]
    [InlineData("required", PlacementMode.Required)]
    [InlineData("Required", PlacementMode.Required)]
    public void A_pod_chooses_its_mode_whatever_the_policy_says(string word, PlacementMode mode)
    {
        foreach (var policy in Enum.GetValues<PlacementMode>())
        {
            var decision = View.Decide(Pods.Predict().Annotated(PodHints.PlacementKey, word), new PlacementPolicy { Mode = policy });

            Assert.Equal((Outcome.Placed, mode), (decision.Outcome, decision.Mode));
            Assert.Equal(mode != PlacementMode.Preferred, decision.Required is not null);
        }
    }

    [Fact]
    public void Off_leaves_the_pod_as_it_is()
    {
        Assert.Equal(Outcome.OptedOut, View.Decide(Pods.Predict().Annotated(PodHints.PlacementKey, "off")).Outcome);
        Assert.Equal(Outcome.OptedOut, View.Decide(Pods.Training().Annotated(PodHints.PlacementKey, "OFF")).Outcome);
        Assert.Equal(Outcome.OptedOut, View.Decide(Pods.Predict(), new PlacementPolicy { Mode = PlacementMode.Off }).Outcome);
    }

    [Theory]
    [InlineData("always")]
    [InlineData("")]
    public void A_mode_that_is_not_known_is_warned_of_and_the_policy_counts(string word)
    {
        var decision = View.Decide(Pods.Predict().Annotated(PodHints.PlacementKey, word), new PlacementPolicy { Mode = PlacementMode.Required });

        Assert.Equal(PlacementMode.Required, decision.Mode);
        Assert.Equal([new UnknownPlacementMode(word, PlacementMode.Required)], decision.Warnings);
    }

    [Theory]
    [InlineData("on", true)]
    [InlineData("On", true)]
    [InlineData("full", true)]
    [InlineData("off", false)]
    [InlineData("OFF", false)]
    public void A_training_pod_chooses_whether_it_gets_requests_whatever_the_policy_says(string word, bool isOn)
    {
        foreach (var policy in Enum.GetValues<TrainingRequests>())
        {
            var decision = View.Decide(Pods.Training().Annotated(PodHints.RequestsKey, word), new PlacementPolicy { TrainingRequests = policy });

            Assert.Equal(isOn, decision.Requests.Count > 0);
            Assert.Empty(decision.Warnings);
        }
    }

    [Theory]
    [InlineData("no")]
    [InlineData("")]
    public void A_word_about_requests_that_is_not_known_is_warned_of_and_the_policy_counts(string word)
    {
        foreach (var policy in Enum.GetValues<TrainingRequests>())
        {
            var decision = View.Decide(Pods.Training().Annotated(PodHints.RequestsKey, word), new PlacementPolicy { TrainingRequests = policy });

            Assert.Equal(policy != TrainingRequests.Off, decision.Requests.Count > 0);
            Assert.Equal([new UnknownTrainingRequests(word, policy)], decision.Warnings);
        }
    }

    [Theory]
    [InlineData("lots")]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("2 cores")]
    public void A_request_that_is_no_positive_quantity_is_warned_of_and_the_policy_counts(string text)
    {
        var decision = View.Decide(Pods.Training().Annotated(PodHints.RequestCpuKey, text).Annotated(PodHints.RequestMemoryKey, text));

        Assert.Equal(["2", "4Gi"], decision.Requests.Select(r => r.Quantity));
        Assert.Equal([new UnreadableAmount(PodHints.RequestCpuKey, text, "2"), new UnreadableAmount(PodHints.RequestMemoryKey, text, "4Gi")], decision.Warnings);
    }

    // What a block of YAML (|) or a template leaves around a value.
    [Theory]
    [InlineData(PodHints.PlacementKey, "required")]
    [InlineData(PodHints.PlacementKey, "off")]
    [InlineData(PodHints.SpreadKey, "near")]
    [InlineData(PodHints.MaxLatencyKey, "0.5ms")]
    [InlineData(PodHints.RequestsKey, "off")]
    [InlineData(PodHints.RequestCpuKey, "1")]
    [InlineData(PodHints.RequestMemoryKey, "2Gi")]
    [InlineData("admissionlas.io/component", "Training")]
    [InlineData("admissionlas.io/location", "there")]
    public void White_space_around_a_hint_does_not_count(string key, string value)
    {
        var view = Nodes.View(Nodes.At("1", "near"), Nodes.At("2", "next"), Nodes.Named("there", latencies: [("there", "3")]));
        PodFacts[] pods =
        [
            Pods.Predict(), Pods.Training(), Pods.Labelled(), Pods.Labelled().Annotated("admissionlas.io/component", "Predict"),
        ];

        Assert.Contains(pods, pod => Told(pod) != Told(pod.Annotated(key, value)));
        Assert.All(pods, pod => Assert.Equal(Told(pod.Annotated(key, value)), Told(pod.Annotated(key, $" \t{value}\r\n"))));

        string Told(PodFacts pod)
        {
            var decision = view.Decide(pod);
            return $"{decision.Outcome} {EnglishDecisionText.Instance.Explain(decision)} {decision.Required?.Nodes.Count} {string.Join(", ", decision.Warnings)}";
        }
    }

    [Fact]
    public void A_hint_that_is_not_needed_is_not_read() =>
        Assert.Empty(View.Decide(Pods.Training(Pods.Container(cpu: "1", memory: "1Gi")).Annotated(PodHints.RequestCpuKey, "lots")).Warnings);
}
