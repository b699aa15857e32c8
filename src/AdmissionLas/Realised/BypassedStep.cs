using System.Runtime.InteropServices;
using AdmissionLas.Registration;

namespace AdmissionLas.Realised;

/// <summary>A step that was created without the webhook: it would have got a decision, and carries none.</summary>
static class BypassedStep
{
    /// <summary>Whether a pod without a record is one.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="hasOptedIn">Whether a namespace's pods go to the webhook.</param>
    /// <param name="settings">How a step is recognised.</param>
    /// <param name="wasScheduled">Whether the scheduler may have bound it since: a pod that is created with a node gets no decision.</param>
    /// <remarks>Whatever the nodes are, a step that the engine decides on gets a record.</remarks>
    internal static bool Is(JsonElement pod, Func<string, bool> hasOptedIn, CompiledSettings settings, bool wasScheduled = false) =>
        ObjectMetadata.Namespace(pod) is { } ns && hasOptedIn(ns) && ns != RegistrationKeys.KubeSystem &&
        settings.Reader.ReadPod(JsonMarshal.GetRawUtf8Value(pod)) is { Facts: var facts } &&
        PlacementEngine.Decide(
            settings.Rules.Classify(facts), wasScheduled ? facts with { NodeName = null } : facts, ClusterView.Empty, ClusterUsage.Unknown, settings.Policy).IsDecided;
}
