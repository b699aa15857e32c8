namespace AdmissionLas.Kubernetes;

/// <summary>What a pod uses of a node.</summary>
/// <param name="Uid">metadata.uid.</param>
/// <param name="Node">The node to which it is bound, or the one that its review chose.</param>
/// <param name="Request">What the scheduler counts for it.</param>
/// <param name="IsUnschedulable">The scheduler found no node for it: it may take the room later, or wait for something that never comes.</param>
/// <param name="Review">The uid of the review that placed it, in any replica; <see langword="null"/> for a pod that is not ours.</param>
public sealed record PodUsage(string Uid, string Node, Resources Request, bool IsUnschedulable, string? Review);
