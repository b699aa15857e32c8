using System.Text;
using System.Text.Json.Nodes;
using AdmissionLas.Observers;
using AdmissionLas.Tests.Support;
using AdmissionLas.Webhook;

namespace AdmissionLas.Tests.Observers;

/// <summary>Whom an event is about.</summary>
public sealed class InvolvedObjectTests
{
    [Fact]
    public void The_controller_among_the_owners_is_the_pods_owner() =>
        Assert.Equal(
            new InvolvedObject("argoproj.io/v1alpha1", "Workflow", "taxi-7", "u-2"),
            Of("""[{"apiVersion":"v1","kind":"ConfigMap","name":"x","uid":"u-1"},{"controller":true,"blockOwnerDeletion":true,"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","name":"taxi-7","uid":"u-2","more":{"a":[1]}}]"""));

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("7")]
    [InlineData("[7]")]
    [InlineData("""[{"kind":7,"controller":true}]""")]
    [InlineData("""[{"controller":true}]""")]
    [InlineData("""[{"apiVersion":"v1","kind":"ReplicaSet","name":"x","uid":"u","controller":false}]""")]
    [InlineData("""[{"apiVersion":"v1","kind":"ReplicaSet","name":"x","uid":"u"}]""")]
    public void Without_a_controller_there_is_none(string owners) => Assert.Null(Of(owners));

    [Theory]
    [InlineData("")]
    [InlineData("[")]
    [InlineData("{}")]
    [InlineData("""{"request":7}""")]
    [InlineData("""{"request":{"object":null}}""")]
    [InlineData("""{"request":{"object":{"metadata":{"ownerReferences":[{"controller":""")]
    public void What_is_no_review_has_none(string body) => Assert.Null(InvolvedObject.Of(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void A_containers_field_of_that_name_is_not_taken_for_it()
    {
        var pod = RunningWebhook.Predict("HERE");
        pod["spec"]!["ownerReferences"] = JsonNode.Parse("""[{"apiVersion":"v1","kind":"Trap","name":"x","uid":"u","controller":true}]""");

        Assert.Null(InvolvedObject.Of(Encoding.UTF8.GetBytes(SampleReview.Of(pod, "uid").ToJsonString())));
    }

    static InvolvedObject? Of(string owners)
    {
        var pod = RunningWebhook.Predict("HERE");
        pod["metadata"]!["ownerReferences"] = JsonNode.Parse(owners);
        return InvolvedObject.Of(Encoding.UTF8.GetBytes(SampleReview.Of(pod, "uid").ToJsonString()));
    }
}
