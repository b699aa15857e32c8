namespace AdmissionLas.Placement;

/// <summary>
/// The points that the default scheduler gives a node for this pod beside those for node affinity, as far as they can be known before it
/// counts them: NodeResourcesFit (least allocated), NodeResourcesBalancedAllocation and ImageLocality, up to 100 each.
/// </summary>
/// <remarks>
/// <para>
/// Source: https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins. Balance is counted as before Kubernetes 1.23, where a
/// lopsided node loses twice what it loses since; whoever leads by that count leads by the other too.
/// </para>
/// <para>
/// Not counted: taints (<see cref="NodeFilter.AvoidingTaints"/>), and what depends on other pods: pod affinity and spread.
/// </para>
/// </remarks>
readonly struct SchedulerScore(PodFacts pod, Resources request, ClusterView view, ClusterUsage usage)
{
    // What the scheduler takes a pod for that states no request.
    const long UnstatedCpuMilli = 100;
    const long UnstatedMemoryBytes = 200 << 20;

    // ImageLocality gives nothing for images below the one size and no more for those above the other.
    const double SmallestImageBytes = 23 << 20;
    const double LargestImageBytes = 1000 << 20;

    /// <summary>The node's points, 0 to 300.</summary>
    /// <param name="node">The node.</param>
    /// <param name="others">As if so many more pods like this one were there.</param>
    internal double Of(NodeFacts node, long others = 0)
    {
        var used = usage.On(node).Requested;
        var cpu = Share(used.CpuMilliOrZero, request.CpuMilli is > 0 and var milli ? milli : UnstatedCpuMilli, node.Allocatable.CpuMilliOrZero, others);
        var memory = Share(used.MemoryBytesOrZero, request.MemoryBytes is > 0 and var bytes ? bytes : UnstatedMemoryBytes, node.Allocatable.MemoryBytesOrZero, others);
        var least = 100 * (1 - ((cpu + memory) / 2));
        var balanced = cpu >= 1 || memory >= 1 ? 0 : 100 * (1 - Math.Abs(cpu - memory));
        return least + balanced + ImageLocality(node);
    }

    static double Share(long used, long asked, long allocatable, long others) => allocatable <= 0 ? 1 : Math.Min(1, (used + ((1 + others) * (double)asked)) / allocatable);

    /// <summary>Those of them for the pod's images, 0 to 100.</summary>
    // An image counts for its size times the share of the nodes that have it, so that a rare one does not draw all pods to one node.
    internal double ImageLocality(NodeFacts node)
    {
        var bytes = 0.0;
        for (var i = 0; i < pod.Containers.Length; i++)
        {
            var image = pod.Containers.ItemRef(i).Image;
            if (node.Images.BytesOf(image) is > 0 and var size)
            {
                bytes += size * view.ShareWithImage(image);
            }
        }

        return 100 * (Math.Clamp(bytes, SmallestImageBytes, LargestImageBytes) - SmallestImageBytes) / (LargestImageBytes - SmallestImageBytes);
    }
}
