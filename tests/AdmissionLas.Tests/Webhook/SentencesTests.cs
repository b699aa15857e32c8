using AdmissionLas.Doctor;
using AdmissionLas.Explain;
using AdmissionLas.Observers;
using CsCheck;
using k8s;
using k8s.Models;

namespace AdmissionLas.Tests.Webhook;

/// <summary>No code reads a sentence: with every sentence about a decision changed, everything but the sentences stays as it is.</summary>
public sealed class SentencesTests
{
    [Fact]
    public void The_patch_the_labels_of_the_metrics_and_the_undoing_of_a_live_pod_do_not_depend_on_the_language() => Situations.Any.Sample(
        situation =>
        {
            var (english, other) = (Review(situation, EnglishDecisionText.Instance), Review(situation, MeaninglessText.Instance));

            Assert.Equal(WithoutText(english.Patched), WithoutText(other.Patched));
            Assert.Equal(english.Result.Outcome, other.Result.Outcome);
            Assert.Equal(DecisionLabels.Component(english.Result), DecisionLabels.Component(other.Result));
            Assert.Equal(english.Result.Warnings.Count, other.Result.Warnings.Count);
            var (before, after) = (LivePod.AsReviewed(english.Patched), LivePod.AsReviewed(other.Patched));
            Assert.True(JsonNode.DeepEquals(before.Pod, after.Pod));
            Assert.Equal(PlacementProblem.Of(english.Result, situation.Policy)?.Reason, PlacementProblem.Of(other.Result, situation.Policy)?.Reason);
            Assert.Equal(SeverityOf(english.Patched), SeverityOf(other.Patched));
        },
        iter: 1_000, print: s => s.ToString());

    static (ReviewResult Result, JsonObject Patched) Review(Situation situation, IDecisionText text)
    {
        var body = Encoding.UTF8.GetBytes(SampleReview.Of(situation.Pod.DeepClone().AsObject(), "uid").ToJsonString());
        var (result, response) = WebhookCall.Send(
            body, new ClusterView(situation.Nodes), CompiledSettings.Of(new StepRules(), situation.Policy), Usages.UsageCache(situation.Usage), text);
        var patch = response["patch"] is { } encoded ? Encoding.UTF8.GetString(Convert.FromBase64String(encoded.GetValue<string>())) : null;
        return (result, patch is null ? situation.Pod : PatchApplication.Apply(situation.Pod, patch));
    }

    static string WithoutText(JsonObject pod)
    {
        var copy = pod.DeepClone().AsObject();
        (copy["metadata"]!["annotations"] as JsonObject)?.Remove(PodHints.DecisionKey);
        return copy.ToJsonString();
    }

    static Severity SeverityOf(JsonObject pod)
    {
        var answer = KubernetesJson.Deserialize<V1Pod>(pod.ToJsonString());
        var decision = answer.Metadata.Annotations?.TryGetValue(PodHints.DecisionKey, out var text) == true ? text : null;
        return DryRunCheck.Evaluate(decision, DryRunCheck.IsPlaced(answer), "team", isFaultKnown: false).Severity;
    }
}
