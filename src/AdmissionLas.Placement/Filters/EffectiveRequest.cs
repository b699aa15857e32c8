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
    public static Resources Of(PodFacts pod)
    {
        var running = Running(pod, out var starting);
        return pod.PodRequests.Or(running.Max(starting)).Or(pod.PodLimits).Plus(pod.Overhead);
    }

    /// <summary>What the pod asks for once its init containers are done: app containers, native sidecars and overhead.</summary>
    public static Resources WhileRunning(PodFacts pod) =>
        pod.PodRequests.Or(Running(pod, out _)).Or(pod.PodLimits).Plus(pod.Overhead);

    static Resources Running(PodFacts pod, out Resources starting)
    {
        var sidecars = Resources.None;
        starting = Resources.None;
        for (var i = 0; i < pod.InitContainers.Length; i++)
        {
            ref readonly var init = ref pod.InitContainers.ItemRef(i);
            if (init.AlwaysRestarts)
            {
                sidecars = sidecars.Plus(init.EffectiveRequest);
                starting = starting.Max(sidecars);
            }
            else
            {
                starting = starting.Max(sidecars.Plus(init.EffectiveRequest));
            }
        }

        var running = sidecars;
        for (var i = 0; i < pod.Containers.Length; i++)
        {
            running = running.Plus(pod.Containers.ItemRef(i).EffectiveRequest);
        }

        return running;
    }
}
