using AdmissionLas.Observers;

namespace AdmissionLas.Tests.Support;

/// <summary>Reviews as observers see them, without the way through the handler.</summary>
static class Observations
{
    /// <summary>A review of a pod that was decided on like this.</summary>
    internal static ReviewObservation Of(Decision decision, string pod = "pod", OwnerReference? controller = null, bool isDryRun = false, string ns = "team", string uid = "a-uid")
    {
        var admitted = new AdmittedPod(
            pod, new PodFacts { Namespace = ns, Containers = [Pods.Container()] }, new PodShape(), controller, HasPrefixOnly: pod.EndsWith('-'));
        var review = new AdmissionReview { ApiVersion = "admission.k8s.io/v1", Uid = uid, Pod = admitted, IsDryRun = isDryRun };
        return new ReviewObservation(ReviewResult.Decided(review, decision, review.Uid, EnglishDecisionText.Instance), TimeSpan.FromMilliseconds(1), 100);
    }
}
