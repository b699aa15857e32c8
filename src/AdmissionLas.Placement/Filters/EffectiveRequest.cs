namespace AdmissionLas.Placement;

/// <summary>
/// What the scheduler counts a pod as. Source:
/// https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers (KEP-753) and
/// https://kubernetes.io/docs/concepts/workloads/pods/#pod-level-resources (KEP-2837).
/// </summary>
public static class EffectiveRequest
{
    /// <summary>
    /// The larger of (app containers and native sidecars together) and (each init container with the sidecars started before it);
    /// CPU, memory and huge pages replaced by the pod-level request where there is one; plus the overhead.
    /// </summary>
    /// <remarks>A pod-level limit is the request only where neither the pod nor any container has one, as in the API server's defaulting.</remarks>
    public static Resources Of(PodFacts pod) => Of(pod, Resources.None);

    /// <summary>
    /// The CPU and memory that it counts as for scores: a container that states no request counts as 100m and 200Mi, so that such pods are spread too.
    /// </summary>
    public static Resources Scored(PodFacts pod) => Of(pod, Unstated) with { Other = null };

    static readonly Resources Unstated = new(100, 200L << 20);

    static Resources Of(PodFacts pod, Resources unstated)
    {
        var running = Running(pod, unstated, out var starting);
        return pod.PodRequests.Or(running.Max(starting)).Or(pod.PodLimits).Plus(pod.Overhead);
    }

    /// <summary>What the pod asks for once its init containers are done: app containers, native sidecars and overhead.</summary>
    public static Resources WhileRunning(PodFacts pod) =>
        pod.PodRequests.Or(Running(pod, Resources.None, out _)).Or(pod.PodLimits).Plus(pod.Overhead);

    static Resources Running(PodFacts pod, Resources unstated, out Resources starting)
    {
        // Beside the sidecars so far; once all are there, beside the app containers.
        var running = new ResourceSum();
        var most = new ResourceSum();
        foreach (ref readonly var init in pod.InitContainers.AsSpan())
        {
            var request = init.EffectiveRequest.Or(unstated);
            most.Add(running.With(request), Math.Max);
            if (init.AlwaysRestarts)
            {
                running.Add(request, Resources.SaturatingAdd);
            }
        }

        foreach (ref readonly var container in pod.Containers.AsSpan())
        {
            running.Add(container.EffectiveRequest.Or(unstated), Resources.SaturatingAdd);
        }

        starting = most.ToResources();
        return running.ToResources();
    }
}
