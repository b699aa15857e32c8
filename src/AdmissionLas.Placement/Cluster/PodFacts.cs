using System.Collections.Immutable;

namespace AdmissionLas.Placement;

/// <summary>What the core knows of the pod under review.</summary>
public sealed record PodFacts
{
    /// <summary>The name in spec.schedulerName that the API server writes where the author names none.</summary>
    public const string DefaultScheduler = "default-scheduler";

    /// <summary>The namespace the pod is created in.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>The labels that a rule asks for, or more; all of them where <see cref="AntiAffinity.AppliesTo"/> the namespace.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = Nothing;

    /// <summary>The annotations that a rule or a hint asks for, or more.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = Nothing;

    /// <summary>The value after <c>--function_to_execute</c> in the KFP v2 executor's command line.</summary>
    public string? FunctionToExecute { get; init; }

    /// <summary>A KFP driver: it plans a step and is not one, even where it carries the step's labels.</summary>
    public bool IsPipelineDriver { get; init; }

    /// <summary>spec.nodeName; a pod that has one is past scheduling.</summary>
    public string? NodeName { get; init; }

    /// <summary>spec.nodeSelector.</summary>
    public IReadOnlyDictionary<string, string> NodeSelector { get; init; } = Nothing;

    /// <summary>
    /// spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms, which are ORed;
    /// <see langword="null"/> when the pod requires nothing, and an empty list matches no node.
    /// </summary>
    public IReadOnlyList<NodeSelectorTerm>? RequiredTerms { get; init; }

    /// <summary>spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution, whose weights the scheduler adds up.</summary>
    public IReadOnlyList<PreferredTerm> PreferredTerms { get; init; } = [];

    /// <summary>spec.tolerations.</summary>
    public IReadOnlyList<Toleration> Tolerations { get; init; } = [];

    /// <summary>spec.containers in order.</summary>
    public ImmutableArray<ContainerFacts> Containers { get; init; } = [];

    /// <summary>spec.initContainers in order.</summary>
    public ImmutableArray<ContainerFacts> InitContainers { get; init; } = [];

    /// <summary>spec.resources.requests: the pod-level request, which takes the place of the containers' sum.</summary>
    public Resources PodRequests { get; init; }

    /// <summary>spec.resources.limits.</summary>
    public Resources PodLimits { get; init; }

    /// <summary>spec.overhead.</summary>
    public Resources Overhead { get; init; }

    /// <summary>
    /// spec.schedulingGates has entries. Until they are removed the scheduler leaves the pod alone, and its node selector and affinity may be
    /// narrowed (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/).
    /// </summary>
    public bool IsGated { get; init; }

    /// <summary>spec.schedulerName names another than the default scheduler.</summary>
    public bool HasOtherScheduler { get; init; }

    /// <summary>spec.os.name; <see langword="null"/> when it is not stated.</summary>
    public string? OperatingSystem { get; init; }

    /// <summary>
    /// What in the pod can exclude a node for reasons that only the scheduler sees (other pods, volumes, host ports);
    /// <see langword="null"/> when there is nothing. Such a pod is never pinned.
    /// </summary>
    public SchedulerConstraint? SchedulerOnlyConstraint { get; init; }

    /// <summary>
    /// spec.priority. Where no node has room the scheduler may evict pods of a lower one for it
    /// (https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/).
    /// </summary>
    public int Priority { get; init; }

    /// <summary>spec.preemptionPolicy is Never: the pod waits for room, and the scheduler evicts no pod for it.</summary>
    public bool NeverPreempts { get; init; }

    /// <summary>The pod counts as fit for nodes that may let it claim its devices: no other node can run it.</summary>
    public bool ClaimsDevices { get; init; }

    /// <summary>spec.topologySpreadConstraints has entries, so that the scheduler adds none of its own.</summary>
    public bool HasSpreadConstraints { get; init; }

    /// <summary>
    /// What in the pod makes the scheduler prefer nodes because of the pods that are there, by more points than ours may have;
    /// <see langword="null"/> when there is nothing.
    /// </summary>
    public SchedulerConstraint? SoftConstraint { get; init; }

    /// <summary>Where the anti-affinity of other pods keeps the pod away; <see langword="null"/> for nowhere.</summary>
    public NodePlaces? RepelledFrom { get; init; }

    /// <summary>Where it may do so, as not all of it is known; <see langword="null"/> for nowhere.</summary>
    public NodePlaces? MayBeRepelledFrom { get; init; }

    /// <summary>
    /// The QoS class is BestEffort: neither the pod nor a container states CPU or memory, and zero counts as not stated
    /// (https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/#besteffort).
    /// </summary>
    public bool IsBestEffort => IsZero(PodRequests) && IsZero(PodLimits) && Containers.Concat(InitContainers).All(c => IsZero(c.Requests) && IsZero(c.Limits));

    /// <summary>The value of a label or, failing that, <see langword="null"/>.</summary>
    public string? Label(string key) => Labels.GetValueOrDefault(key);

    /// <summary>
    /// The value of an annotation without white space around it, which a block of YAML leaves behind; failing that, <see langword="null"/>. A label cannot
    /// have any.
    /// </summary>
    public string? Annotation(string key) => Annotations.GetValueOrDefault(key)?.Trim();

    /// <summary>The pod as it will be with the added requests.</summary>
    internal PodFacts With(IReadOnlyList<AddedRequest> added) => Changing(added, static request => request.Amount);

    /// <summary>The pod as it was before these requests were added.</summary>
    public PodFacts Without(IReadOnlyList<AddedRequest> added) => Changing(added, static _ => null);

    PodFacts Changing(IReadOnlyList<AddedRequest> requests, Func<AddedRequest, long?> change)
    {
        return requests.Count == 0 ? this : this with { Containers = [.. Containers.Select(Changed)] };

        ContainerFacts Changed(ContainerFacts container, int index) => container with
        {
            Requests = new Resources(
                Amount(index, AddedRequest.Cpu, container.Requests.CpuMilli), Amount(index, AddedRequest.Memory, container.Requests.MemoryBytes),
                container.Requests.Other),
        };

        long? Amount(int index, string resource, long? now) =>
            requests.FirstOrDefault(a => a.ContainerIndex == index && a.Resource == resource) is { } request ? change(request) : now;
    }

    static bool IsZero(Resources resources) => resources is { CpuMilliOrZero: 0, MemoryBytesOrZero: 0 };

    static readonly IReadOnlyDictionary<string, string> Nothing = new Dictionary<string, string>();
}

/// <summary>What in a pod can exclude a node for reasons that only the scheduler sees, or speak for another one.</summary>
public enum SchedulerConstraint
{
    /// <summary>Required pod affinity.</summary>
    PodAffinity,

    /// <summary>Required pod anti-affinity.</summary>
    PodAntiAffinity,

    /// <summary>A container's hostPort.</summary>
    HostPorts,

    /// <summary>spec.hostNetwork, with which every container port is a host port.</summary>
    HostNetwork,

    /// <summary>A volume that is a claim, or a disk that is attached.</summary>
    Volumes,

    /// <summary>A topology spread constraint with whenUnsatisfiable: DoNotSchedule.</summary>
    TopologySpreadConstraints,

    /// <summary>spec.resourceClaims.</summary>
    ResourceClaims,

    /// <summary>Preferred node affinity of its author's own; it excludes no node.</summary>
    NodeAffinity,

    /// <summary>An extended resource of which no node that can run the pod has enough in allocatable: it may be claimed.</summary>
    ExtendedResources,

    /// <summary>A container's restart rule RestartAllContainers, which only nodes that declare this feature have.</summary>
    RestartRules,
}
