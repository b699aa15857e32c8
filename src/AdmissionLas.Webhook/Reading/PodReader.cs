using System.Buffers.Text;
using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace AdmissionLas.Webhook;

/// <summary>
/// Reads a pod in one pass: of the labels and annotations only those that a rule or hint asks for, of the spec only what the default
/// scheduler's filters and our patch look at. The tables say which members of which object are read, and into what.
/// </summary>
sealed class PodReader
{
    // Never written to.
    static readonly Dictionary<string, string> None = [];

    // With more terms or tolerations a pod is not decided on, whatever they are: NodeFilter.IsWithinLimits.
    const int MostTerms = NodeFilter.MaxComparisons + 1;

    // A pipeline step has its own container and one beside it, and as many before.
    const int UsualContainers = 2;

    static readonly JsonMembers<Owner> OwnerMembers = new()
    {
        ["apiVersion"] = (ref json, ref owner) => owner.ApiVersion = json.ReadText(NameSyntax.LongestName),
        ["kind"] = (ref json, ref owner) => owner.Kind = json.ReadText(NameSyntax.LongestLabel),
        ["name"] = (ref json, ref owner) => owner.Name = json.ReadText(NameSyntax.LongestName),
        ["uid"] = (ref json, ref owner) => owner.Uid = json.ReadText(ReviewReader.LongestUid),
        ["controller"] = (ref json, ref owner) => owner.IsController = json.ReadFlag(),
    };

    static readonly JsonMembers<ResourceLists> ResourceMembers = new()
    {
        ["requests"] = (ref json, ref resources) => resources.Requests = ReadResourceList(ref json),
        ["limits"] = (ref json, ref resources) => resources.Limits = ReadResourceList(ref json),
    };

    static readonly JsonMembers<bool> HostPortMembers = new()
    {
        ["hostPort"] = (ref json, ref isOnHost) => isOnHost = json.ReadScalar() switch
        {
            JsonValueKind.Number => !json.Raw.SequenceEqual("0"u8),
            JsonValueKind.Null => false,
            _ => throw json.Fault("is not a number"),
        },
    };

    // Only nodes that declare it run such a pod (https://kubernetes.io/docs/concepts/scheduling-eviction/node-declared-features/). The other feature that
    // a pod can ask for is one of hostNetwork.
    static readonly JsonMembers<bool> RestartRuleMembers = new()
    {
        ["action"] = (ref json, ref restartsAll) => restartsAll = json.ReadUtf8().SequenceEqual("RestartAllContainers"u8),
    };

    static readonly JsonMembers<Container> InitContainerMembers = new()
    {
        ["name"] = (ref json, ref container) => container.Name = json.ReadText(),
        ["resources"] = (ref json, ref container) => container.Resources = ResourceMembers.Read(ref json),
        ["restartPolicy"] = (ref json, ref container) => container.AlwaysRestarts = json.ReadUtf8().SequenceEqual("Always"u8),
        ["restartPolicyRules"] = (ref json, ref container) => container.Note(ReadHasAny(ref json, RestartRuleMembers), SchedulerConstraint.RestartRules),
        ["ports"] = (ref json, ref container) => container.Note(ReadHasAny(ref json, HostPortMembers), SchedulerConstraint.HostPorts),
        // By its bytes: a review needs no string for it. No image's name has escapes, so one that has is as good as unknown.
        ["image"] = (ref json, ref container) => container.Image = json.ReadScalar() == JsonValueKind.String ? ImageId.Of(json.Raw) : default,
    };

    static readonly JsonMembers<Container> ContainerMembers = new(InitContainerMembers)
    {
        ["command"] = (ref json, ref container) => container.Command = ContainerCommand.Read(ref json, isCommand: true),
        ["args"] = (ref json, ref container) => container.Args = ContainerCommand.Read(ref json, isCommand: false),
    };

    // A claim can be bound to a volume that only some nodes reach. Of the others, a disk may be in use on a node, or be one more than it can attach
    // (https://kubernetes.io/docs/reference/scheduling/config/#scheduling-plugins: VolumeRestrictions, NodeVolumeLimits).
    static readonly JsonMembers<bool> VolumeMembers = new()
    {
        ["persistentVolumeClaim"] = NoteVolume,
        ["ephemeral"] = NoteVolume,
        ["awsElasticBlockStore"] = NoteVolume,
        ["azureDisk"] = NoteVolume,
        ["cinder"] = NoteVolume,
        ["gcePersistentDisk"] = NoteVolume,
        ["iscsi"] = NoteVolume,
        ["rbd"] = NoteVolume,
    };

    static readonly JsonMembers<SpreadConstraint> SpreadConstraintMembers = new()
    {
        ["topologyKey"] = (ref json, ref spread) => spread.IsNeutral = json.ReadText() == PodHints.NoTopologyKey,
        ["whenUnsatisfiable"] = (ref json, ref spread) => spread.IsStrict = json.ReadUtf8().SequenceEqual("DoNotSchedule"u8),
    };

    static readonly JsonMembers<TolerationText> TolerationMembers = new()
    {
        ["key"] = (ref json, ref toleration) => toleration.Key = json.ReadText(),
        ["operator"] = (ref json, ref toleration) => toleration.Operator = json.ReadText(),
        ["value"] = (ref json, ref toleration) => toleration.Value = json.ReadText(),
        ["effect"] = (ref json, ref toleration) => toleration.Effect = json.ReadText(),
    };

    static readonly JsonMembers<Requirement> RequirementMembers = new()
    {
        ["key"] = (ref json, ref requirement) => requirement.Key = json.ReadText(),
        ["operator"] = (ref json, ref requirement) => requirement.Operator = json.ReadText(),
        ["values"] = (ref json, ref requirement) => requirement.Values = json.ReadTexts(),
    };

    static readonly JsonMembers<Term> TermMembers = new()
    {
        ["matchExpressions"] = (ref json, ref term) => term.Expressions = ReadRequirements(ref json),
        ["matchFields"] = (ref json, ref term) => term.Fields = ReadRequirements(ref json),
    };

    static readonly JsonMembers<NodeSelector> NodeSelectorMembers = new()
    {
        ["nodeSelectorTerms"] = (ref json, ref selector) => selector.Terms = TermMembers.ReadList(ref json, MostTerms),
    };

    static readonly JsonMembers<Preference> PreferredTermMembers = new()
    {
        ["weight"] = (ref json, ref term) =>
            term.Weight = json.ReadScalar() == JsonValueKind.Number && Utf8Parser.TryParse(json.Raw, out byte read, out _) ? read : 0,
        ["preference"] = (ref json, ref term) => term.Nodes = TermMembers.Read(ref json),
    };

    static readonly JsonMembers<NodeAffinity> NodeAffinityMembers = new()
    {
        ["requiredDuringSchedulingIgnoredDuringExecution"] = (ref json, ref affinity) => affinity.Required = NodeSelectorMembers.Read(ref json),
        ["preferredDuringSchedulingIgnoredDuringExecution"] = (ref json, ref affinity) => affinity.Preferred =
            PreferredTermMembers.ReadList(ref json, static (in _, read) => new PreferredTerm(read.Weight, read.Nodes.GetValueOrDefault().ToTerm())),
    };

    static readonly JsonMembers<PodAffinity> PodAffinityMembers = new()
    {
        ["requiredDuringSchedulingIgnoredDuringExecution"] = (ref json, ref affinity) => affinity.IsRequired = json.ReadHasItems(),
        ["preferredDuringSchedulingIgnoredDuringExecution"] = (ref json, ref affinity) => affinity.IsPreferred = json.ReadHasItems(),
    };

    static readonly JsonMembers<Affinity> AffinityMembers = new()
    {
        ["nodeAffinity"] = (ref json, ref affinity) => affinity.Node = NodeAffinityMembers.Read(ref json),
        ["podAffinity"] = (ref json, ref affinity) => affinity.Note(PodAffinityMembers.Read(ref json), SchedulerConstraint.PodAffinity),
        ["podAntiAffinity"] = (ref json, ref affinity) => affinity.Note(PodAffinityMembers.Read(ref json), SchedulerConstraint.PodAntiAffinity),
    };

    static readonly JsonMembers<OperatingSystem> OperatingSystemMembers = new()
    {
        ["name"] = (ref json, ref system) => system.Name = json.ReadText(),
    };

    static readonly JsonMembers<Spec> SpecMembers = new()
    {
        ["containers"] = (ref json, ref spec) => spec.Note((spec.Containers = ReadContainers(ref json, ContainerMembers)).Constraint is not null, spec.Containers.Constraint),
        ["initContainers"] = (ref json, ref spec) =>
            spec.Note((spec.InitContainers = ReadContainers(ref json, InitContainerMembers)).Constraint is not null, spec.InitContainers.Constraint),
        ["volumes"] = (ref json, ref spec) => spec.Note(ReadHasAny(ref json, VolumeMembers), SchedulerConstraint.Volumes),
        ["affinity"] = (ref json, ref spec) =>
            spec.Note((spec.Affinity = AffinityMembers.Read(ref json))?.Constraint is not null, spec.Affinity?.Constraint),
        ["tolerations"] = (ref json, ref spec) => spec.Tolerations = TolerationMembers.ReadList(ref json, (in _, text) => Tolerated(text), MostTerms),
        ["nodeSelector"] = (ref json, ref spec) => spec.NodeSelector = ReadMap(ref json),
        ["nodeName"] = (ref json, ref spec) => spec.NodeName = json.ReadText(),
        ["resources"] = (ref json, ref spec) => spec.Resources = ResourceMembers.Read(ref json),
        ["overhead"] = (ref json, ref spec) => spec.Overhead = ReadResourceList(ref json),
        ["topologySpreadConstraints"] = (ref json, ref spec) =>
            spec.Note((spec.Spread = ReadSpread(ref json)).IsStrict, SchedulerConstraint.TopologySpreadConstraints),
        ["resourceClaims"] = (ref json, ref spec) => spec.Note(json.ReadHasItems(), SchedulerConstraint.ResourceClaims),
        ["schedulingGates"] = (ref json, ref spec) => spec.IsGated = json.ReadHasItems(),
        ["schedulerName"] = (ref json, ref spec) => spec.SchedulerName = json.ReadText(),
        ["priority"] = (ref json, ref spec) => spec.Priority = json.ReadScalar() == JsonValueKind.Number && Utf8Parser.TryParse(json.Raw, out int read, out _) ? read : 0,
        ["preemptionPolicy"] = (ref json, ref spec) => spec.NeverPreempts = json.ReadUtf8().SequenceEqual("Never"u8),
        ["os"] = (ref json, ref spec) => spec.OperatingSystem = OperatingSystemMembers.Read(ref json),
        ["hostNetwork"] = (ref json, ref spec) => spec.Note(json.ReadFlag(), SchedulerConstraint.HostNetwork),
    };

    readonly JsonMembers<Pod> podMembers;

    /// <summary>Sets up the reader for the keys in use.</summary>
    /// <param name="labelKeys">The labels; <see langword="null"/> for all.</param>
    /// <param name="annotationKeys">The annotations.</param>
    internal PodReader(IEnumerable<string>? labelKeys, IEnumerable<string> annotationKeys)
    {
        var labels = labelKeys is null ? null : new JsonNames<string>(labelKeys.Select(k => (k, k)));
        var annotations = new JsonNames<string>(annotationKeys.Select(k => (k, k)));
        var metadataMembers = new JsonMembers<Metadata>
        {
            ["name"] = (ref json, ref metadata) => metadata.Name = json.ReadText(NameSyntax.LongestName),
            ["generateName"] = (ref json, ref metadata) => metadata.GenerateName = json.ReadText(NameSyntax.LongestName),
            ["namespace"] = (ref json, ref metadata) => metadata.Namespace = json.ReadText(NameSyntax.LongestLabel),
            ["labels"] = (ref json, ref metadata) => metadata.Labels = ReadMap(ref json, labels),
            ["annotations"] = (ref json, ref metadata) =>
            {
                var start = json.Position;
                metadata.Annotations = ReadMap(ref json, annotations);
                metadata.AnnotationBytes = json.Position - start;
            },
            ["ownerReferences"] = (ref json, ref metadata) => ReadController(ref json, ref metadata),
        };
        podMembers = new()
        {
            ["metadata"] = (ref json, ref pod) => pod.Metadata = metadataMembers.Read(ref json),
            ["spec"] = (ref json, ref pod) => pod.Spec = SpecMembers.Read(ref json),
        };
    }

    /// <summary>Reads the pod that the cursor stands before; <see langword="null"/> when its value is null.</summary>
    /// <exception cref="UnreadablePodException">A value that is used has a type that the schema does not allow.</exception>
    internal AdmittedPod? Read(ref JsonCursor json)
    {
        if (podMembers.Read(ref json) is not { } read)
        {
            return null;
        }

        // The API server never sends such a pod; a patch to it would add to a parent that is not there.
        var metadata = read.Metadata ?? throw new UnreadablePodException(-1, "is missing", "metadata");
        var spec = read.Spec ?? throw new UnreadablePodException(-1, "is missing", "spec");
        var nodeAffinity = spec.Affinity?.Node;
        // Present without terms it matches no node, which is not the same as absent.
        var requiredTerms = nodeAffinity?.Required is { } required ? required.Terms ?? [] : null;
        var facts = new PodFacts
        {
            Namespace = metadata.Namespace ?? "",
            Labels = metadata.Labels ?? None,
            Annotations = metadata.Annotations ?? None,
            FunctionToExecute = spec.Containers.Function,
            IsPipelineDriver = spec.Containers.IsPipelineDriver,
            NodeName = spec.NodeName,
            NodeSelector = spec.NodeSelector ?? None,
            RequiredTerms = requiredTerms?.ConvertAll(static term => term.ToTerm()),
            PreferredTerms = nodeAffinity?.Preferred ?? [],
            Tolerations = spec.Tolerations is null ? [] : [.. spec.Tolerations.OfType<Toleration>()],
            Containers = spec.Containers.Facts.IsDefault ? [] : spec.Containers.Facts,
            InitContainers = spec.InitContainers.Facts.IsDefault ? [] : spec.InitContainers.Facts,
            PodRequests = spec.Resources?.Requests ?? default,
            PodLimits = spec.Resources?.Limits ?? default,
            Overhead = spec.Overhead ?? default,
            IsGated = spec.IsGated,
            HasOtherScheduler = spec.SchedulerName is not (null or "" or PodFacts.DefaultScheduler),
            OperatingSystem = string.IsNullOrEmpty(spec.OperatingSystem?.Name) ? null : spec.OperatingSystem?.Name,
            SchedulerOnlyConstraint = spec.Constraint,
            Priority = spec.Priority,
            NeverPreempts = spec.NeverPreempts,
            HasSpreadConstraints = spec.Spread.Count > 0,
            SoftConstraint = spec.Spread.IsSoft ? SchedulerConstraint.TopologySpreadConstraints : spec.Affinity?.SoftConstraint,
        };
        var shape = new PodShape
        {
            HasAnnotations = metadata.Annotations is not null,
            AnnotationBytes = metadata.AnnotationBytes,
            HasAffinity = spec.Affinity is not null,
            HasNodeAffinity = nodeAffinity is not null,
            HasPreferredTerms = nodeAffinity?.Preferred is not null,
            RequiredTermsHaveExpressions = requiredTerms?.ConvertAll(static term => term.Expressions is not null) ?? [],
            RequiredTermsHaveFields = requiredTerms?.ConvertAll(static term => term.Fields is not null) ?? [],
            Containers = spec.Containers.Shapes ?? [],
            SpreadConstraints = spec.Spread.Count,
            NeutralSpreadAt = spec.Spread.NeutralAt,
        };
        var isUnnamed = string.IsNullOrEmpty(metadata.Name);
        var pod = new AdmittedPod((isUnnamed ? metadata.GenerateName : metadata.Name) ?? "", facts, shape, metadata.Controller, HasPrefixOnly: isUnnamed);
        // What else an author writes there is not ours.
        return PlacementRecord.TryRead(facts.Annotation(PodHints.RecordKey)) is { } record ? EarlierAdditions.TakeOut(pod, record) : pod;
    }

    // Of a map all texts, or those under the keys that a rule or hint asks for.
    static Dictionary<string, string>? ReadMap(ref JsonCursor json, JsonNames<string>? keys = null)
    {
        if (!json.ReadObject())
        {
            return null;
        }

        var map = None;
        while (json.NextMember())
        {
            if ((keys is null ? json.GetText() : keys.Find(json.Raw)) is { } key)
            {
                map = map.Count == 0 ? new(StringComparer.Ordinal) : map;
                map[key] = json.ReadMapText();
            }
            else
            {
                json.SkipValue();
            }
        }

        return map;
    }

    // At most one owner is the controller: the API server sees to that. It also refuses a malformed one, which is not ours to report.
    static void ReadController(ref JsonCursor json, ref Metadata metadata)
    {
        metadata.Controller = null;
        var before = json;
        try
        {
            var isList = !metadata.HasMalformedOwner && json.ReadArray();
            while (isList && OwnerMembers.ReadItem(ref json, out var owner))
            {
                metadata.Controller ??= owner is { IsController: true, ApiVersion: { } apiVersion, Kind: { } kind, Name: { } name }
                    ? new OwnerReference(apiVersion, kind, name, owner.Uid ?? "")
                    : null;
            }
        }
        catch (Exception fault) when (fault is UnreadablePodException or InvalidOperationException)
        {
            (metadata.Controller, metadata.HasMalformedOwner) = (null, true);
            json = before;
        }

        if (metadata.HasMalformedOwner)
        {
            json.SkipValue();
        }
    }

    static Containers ReadContainers(ref JsonCursor json, JsonMembers<Container> members)
    {
        if (!json.ReadArray())
        {
            return default;
        }

        var (facts, shapes, count) = (new ContainerFacts[UsualContainers], new ContainerShape[UsualContainers], 0);
        var containers = new Containers();
        while (members.ReadItem(ref json, out var container))
        {
            if (count == facts.Length)
            {
                Array.Resize(ref facts, 2 * count);
                Array.Resize(ref shapes, 2 * count);
            }

            var resources = container.Resources ?? default;
            var command = container.Command.With(container.Args);
            facts[count] = new(container.Name ?? "", resources.Requests ?? default, resources.Limits ?? default, container.AlwaysRestarts, container.Image);
            shapes[count++] = new(container.Resources is not null, resources.Requests is not null);
            containers.IsPipelineDriver |= command.IsPipelineDriver;
            containers.Function ??= command.Function;
            containers.Constraint ??= container.Constraint;
        }

        Array.Resize(ref facts, count);
        Array.Resize(ref shapes, count);
        (containers.Facts, containers.Shapes) = (ImmutableCollectionsMarshal.AsImmutableArray(facts), shapes);
        return containers;
    }

    static Resources? ReadResourceList(ref JsonCursor json)
    {
        if (!json.ReadObject())
        {
            return null;
        }

        long? cpuMilli = null, memoryBytes = null;
        OrderedDictionary<string, long>? other = null;
        while (json.NextMember())
        {
            if (json.TextIs("cpu"u8))
            {
                cpuMilli = ReadQuantity(ref json, Quantity.TryParseMilli);
            }
            else if (json.TextIs("memory"u8))
            {
                memoryBytes = ReadQuantity(ref json, Quantity.TryParseUnits);
            }
            else
            {
                var name = json.GetText();
                (other ??= new(StringComparer.Ordinal))[name] = ReadQuantity(ref json, Quantity.TryParseUnits);
            }
        }

        return new Resources(cpuMilli, memoryBytes, other?.Select(o => new ResourceAmount(o.Key, o.Value)).ToArray());
    }

    delegate bool Parse(ReadOnlySpan<byte> text, out long amount);

    static long ReadQuantity(ref JsonCursor json, Parse parse) =>
        json.ReadScalar() is JsonValueKind.String or JsonValueKind.Number && parse(json.Text, out var amount)
            ? amount
            : throw json.FaultInParent("holds a value that is no quantity");

    // An unknown effect or operator tolerates no taint that we know.
    static Toleration? Tolerated(TolerationText text)
    {
        var isKnownEffect = TaintEffects.TryParse(text.Effect, out var effect);
        return (string.IsNullOrEmpty(text.Effect) || isKnownEffect) && text.Operator is null or "" or "Equal" or "Exists"
            ? new Toleration(text.Key ?? "", text.Operator == "Exists", text.Value ?? "", isKnownEffect ? effect : null)
            : null;
    }

    static List<NodeSelectorRequirement>? ReadRequirements(ref JsonCursor json) => RequirementMembers.ReadList(ref json, (in json, read) =>
    {
        var meaning = OperatorOf(read.Operator) ?? throw json.FaultInParent("is not a node selector operator", ".operator");
        return new NodeSelectorRequirement(read.Key ?? "", meaning, read.Values ?? []);
    });

    static SelectorOperator? OperatorOf(string? word) => word switch
    {
        "In" => SelectorOperator.In,
        "NotIn" => SelectorOperator.NotIn,
        "Exists" => SelectorOperator.Exists,
        "DoesNotExist" => SelectorOperator.DoesNotExist,
        "Gt" => SelectorOperator.Gt,
        "Lt" => SelectorOperator.Lt,
        _ => null,
    };

    static Spread ReadSpread(ref JsonCursor json)
    {
        var (isList, spread) = (json.ReadArray(), new Spread());
        while (isList && SpreadConstraintMembers.ReadItem(ref json, out var constraint))
        {
            var isNeutral = constraint is { IsNeutral: true, IsStrict: false };
            spread.NeutralAt ??= isNeutral ? spread.Count : null;
            spread.IsStrict |= constraint.IsStrict;
            spread.IsSoft |= !constraint.IsStrict && !isNeutral;
            spread.Count++;
        }

        return spread;
    }

    static bool ReadHasAny(ref JsonCursor json, JsonMembers<bool> members)
    {
        var (isList, hasAny) = (json.ReadArray(), false);
        while (isList && members.ReadItem(ref json, out var isIt))
        {
            hasAny |= isIt;
        }

        return hasAny;
    }

    static void NoteVolume(ref JsonCursor json, ref bool isThere) => isThere |= json.ReadScalar() switch
    {
        JsonValueKind.Object => true,
        JsonValueKind.Null => false,
        _ => throw json.Fault("is not an object"),
    };

    // What the tables read into.
    record struct Pod(Metadata? Metadata, Spec? Spec);

    record struct Metadata(
        string? Name, string? GenerateName, string? Namespace, Dictionary<string, string>? Labels, Dictionary<string, string>? Annotations, int AnnotationBytes,
        OwnerReference? Controller, bool HasMalformedOwner);

    record struct Owner(string? ApiVersion, string? Kind, string? Name, string? Uid, bool IsController);

    // Constraint: what in the pod only the scheduler can judge.
    record struct Spec(
        Containers Containers, Containers InitContainers, Affinity? Affinity, List<Toleration?>? Tolerations,
        Dictionary<string, string>? NodeSelector, string? NodeName, ResourceLists? Resources, Resources? Overhead, SchedulerConstraint? Constraint,
        bool IsGated, string? SchedulerName, OperatingSystem? OperatingSystem, Spread Spread,
        int Priority, bool NeverPreempts)
    {
        internal void Note(bool isThere, SchedulerConstraint? what) => Constraint = isThere ? what : Constraint;
    }

    record struct OperatingSystem(string? Name);

    record struct Containers(ImmutableArray<ContainerFacts> Facts, ContainerShape[]? Shapes, bool IsPipelineDriver, string? Function, SchedulerConstraint? Constraint);

    record struct Container(
        string? Name, ResourceLists? Resources, ImageId Image, bool AlwaysRestarts, SchedulerConstraint? Constraint, ContainerCommand Command, ContainerCommand Args)
    {
        internal void Note(bool isThere, SchedulerConstraint what) => Constraint = isThere ? what : Constraint;
    }

    record struct ResourceLists(Resources? Requests, Resources? Limits);

    record struct TolerationText(string? Key, string? Operator, string? Value, string? Effect);

    record struct Affinity(NodeAffinity? Node, SchedulerConstraint? Constraint, SchedulerConstraint? SoftConstraint)
    {
        internal void Note(PodAffinity? affinity, SchedulerConstraint what)
        {
            Constraint = affinity is { IsRequired: true } ? what : Constraint;
            SoftConstraint = affinity is { IsPreferred: true } ? what : SoftConstraint;
        }
    }

    record struct PodAffinity(bool IsRequired, bool IsPreferred);

    record struct SpreadConstraint(bool IsNeutral, bool IsStrict);

    // NeutralAt: which constraint is about no node, as ours is.
    record struct Spread(int Count, int? NeutralAt, bool IsStrict, bool IsSoft);

    record struct NodeAffinity(NodeSelector? Required, List<PreferredTerm>? Preferred);

    record struct Preference(int Weight, Term? Nodes);

    record struct NodeSelector(List<Term>? Terms);

    record struct Term(List<NodeSelectorRequirement>? Expressions, List<NodeSelectorRequirement>? Fields)
    {
        internal readonly NodeSelectorTerm ToTerm() => new(Expressions ?? [], Fields ?? []);
    }

    record struct Requirement(string? Key, string? Operator, List<string>? Values);
}
