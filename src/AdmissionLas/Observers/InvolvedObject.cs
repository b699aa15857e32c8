namespace AdmissionLas.Observers;

/// <summary>What an Event is about: the object that created the pod, which its author knows, or the pod itself where nothing did.</summary>
/// <param name="ApiVersion">Its API group and version.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Name">Its name.</param>
/// <param name="Uid">Its uid; empty for a pod, which has none before it is created.</param>
readonly record struct InvolvedObject(string ApiVersion, string Kind, string Name, string Uid)
{
    /// <summary>What an Event about this pod is about.</summary>
    internal static InvolvedObject Of(AdmittedPod pod) => pod.Controller is var (apiVersion, kind, name, uid)
        ? new InvolvedObject(apiVersion, kind, name, uid)
        : new InvolvedObject("v1", "Pod", pod.Name, "");
}
