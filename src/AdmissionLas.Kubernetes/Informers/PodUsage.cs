using AdmissionLas.Placement;

namespace AdmissionLas.Kubernetes;

/// <summary>All that is kept of a pod: what it claims of a node.</summary>
/// <param name="Uid">metadata.uid.</param>
/// <param name="Node">The node it is bound to, or the one that its review chose.</param>
/// <param name="Request">What the scheduler counts it as.</param>
/// <param name="IsUnschedulable">The scheduler has looked at it and found no node: it may take the room yet, or wait for something that never comes.</param>
/// <param name="Review">The review that placed it, by whichever replica; <see langword="null"/> for a pod that is not ours.</param>
public sealed record PodUsage(string Uid, string Node, Resources Request, bool IsUnschedulable, string? Review);
