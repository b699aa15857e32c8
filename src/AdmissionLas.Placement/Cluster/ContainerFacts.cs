namespace AdmissionLas.Placement;

/// <summary>What the core knows of a container.</summary>
/// <param name="Name">The container's name.</param>
/// <param name="Requests">resources.requests as written.</param>
/// <param name="Limits">resources.limits as written.</param>
/// <param name="AlwaysRestarts">
/// restartPolicy Always; on an init container it makes a native sidecar, which runs beside the app containers
/// (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/).
/// </param>
/// <param name="Image">Its image.</param>
public readonly record struct ContainerFacts(string Name, Resources Requests, Resources Limits, bool AlwaysRestarts = false, ImageId Image = default)
{
    /// <summary>What the scheduler counts: the request, or the limit where only that is stated.</summary>
    public Resources EffectiveRequest => Requests.Or(Limits);
}
