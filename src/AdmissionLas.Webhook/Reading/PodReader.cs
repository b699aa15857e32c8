using System.Buffers.Text;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using AdmissionLas.Placement;

namespace AdmissionLas.Webhook;

/// <summary>
/// Reads a pod in one pass: of the labels and annotations only those that a rule or hint asks for, of the spec only what the default
/// scheduler's filters and our patch look at.
/// </summary>
sealed class PodReader
{
    readonly Utf8KeySet labelKeys;
    readonly Utf8KeySet annotationKeys;

    /// <summary>Sets up the reader for the keys in use.</summary>
    internal PodReader(IEnumerable<string> labelKeys, IEnumerable<string> annotationKeys)
    {
        this.labelKeys = new Utf8KeySet(labelKeys);
        this.annotationKeys = new Utf8KeySet(annotationKeys);
    }

    /// <summary>Reads the pod that the cursor stands before; <see langword="null"/> when its value is null.</summary>
    /// <exception cref="UnreadablePodException">A value that is used has a type that the schema does not allow.</exception>
    internal AdmittedPod? Read(ref JsonCursor json)
    {
        if (!json.ReadObject("request.object"))
        {
            return null;
        }

        Metadata? metadata = null;
        Spec? spec = null;
        while (json.NextMember())
        {
            if (json.TextIs("metadata"u8))
            {
                metadata = ReadMetadata(ref json);
            }
            else if (json.TextIs("spec"u8))
            {
                spec = ReadSpec(ref json);
            }
            else
            {
                json.SkipValue();
            }
        }

        // The API server never sends such a pod; a patch to it would add to a parent that is not there.
        if (metadata is not { } its || spec is not { } says)
        {
            throw new UnreadablePodException($"{(metadata is null ? "metadata" : "spec")} is missing");
        }

        var facts = new PodFacts
        {
            Namespace = its.Namespace ?? "",
            Labels = its.Labels,
            Annotations = its.Annotations,
            FunctionToExecute = says.FunctionToExecute,
            IsPipelineDriver = says.IsPipelineDriver,
            NodeName = says.NodeName,
            NodeSelector = says.NodeSelector ?? None,
            RequiredTerms = says.RequiredTerms,
            PreferredWeight = says.PreferredWeight,
            Tolerations = says.Tolerations,
            Containers = says.Containers,
            InitContainers = says.InitContainers,
            PodRequests = says.PodRequests,
            PodLimits = says.PodLimits,
            Overhead = says.Overhead,
            SchedulerOnlyConstraint = says.Unseen,
        };
        var shape = new PodShape
        {
            HasAnnotations = its.HasAnnotations,
            HasAffinity = says.HasAffinity,
            HasNodeAffinity = says.HasNodeAffinity,
            HasPreferredTerms = says.HasPreferredTerms,
            RequiredTermsHaveExpressions = says.RequiredTermsHaveExpressions,
            Containers = says.ContainerShapes,
        };
        return new AdmittedPod(its.Name is { Length: > 0 } name ? name : its.GenerateName ?? "", facts, shape);
    }

    const string RequiredPath = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    const string PreferredPath = "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution";
    const string MatchExpressions = RequiredPath + ".nodeSelectorTerms[].matchExpressions";
    const string MatchFields = RequiredPath + ".nodeSelectorTerms[].matchFields";


    static readonly IReadOnlyDictionary<string, string> None = new SmallStringMap();

    // A pipeline step has its own container and one beside it, and as many before.
    const int UsualContainers = 2;

    // Structures, because they live no longer than the reading.
    struct Metadata()
    {
        internal string? Name;
        internal string? GenerateName;
        internal string? Namespace;
        internal bool HasAnnotations;
        internal IReadOnlyDictionary<string, string> Labels = None;
        internal IReadOnlyDictionary<string, string> Annotations = None;
    }

    struct Spec()
    {
        internal string? NodeName;
        internal string? FunctionToExecute;
        internal bool IsPipelineDriver;
        internal Dictionary<string, string>? NodeSelector;
        internal bool HasAffinity;
        internal bool HasNodeAffinity;
        internal bool HasPreferredTerms;
        internal int PreferredWeight;
        internal IReadOnlyList<NodeSelectorTerm>? RequiredTerms;
        internal IReadOnlyList<bool> RequiredTermsHaveExpressions = [];
        internal IReadOnlyList<Toleration> Tolerations = [];
        internal ImmutableArray<ContainerFacts> Containers = [];
        internal IReadOnlyList<ContainerShape> ContainerShapes = [];
        internal ImmutableArray<ContainerFacts> InitContainers = [];
        internal Resources PodRequests;
        internal Resources PodLimits;
        internal Resources Overhead;
        internal string? Unseen;

        // What a container's command line says; the app containers' count, an init container's does not.
        internal void Note(ContainerCommand command)
        {
            IsPipelineDriver |= command.IsPipelineDriver;
            FunctionToExecute ??= command.Function;
        }
    }

    Metadata? ReadMetadata(ref JsonCursor json)
    {
        if (!json.ReadObject("metadata"))
        {
            return null;
        }

        var metadata = new Metadata();
        while (json.NextMember())
        {
            if (json.TextIs("labels"u8))
            {
                metadata.Labels = ReadWanted(ref json, labelKeys, "metadata.labels", out _);
            }
            else if (json.TextIs("annotations"u8))
            {
                metadata.Annotations = ReadWanted(ref json, annotationKeys, "metadata.annotations", out metadata.HasAnnotations);
            }
            else if (json.TextIs("name"u8))
            {
                metadata.Name = json.ReadText("metadata.name");
            }
            else if (json.TextIs("generateName"u8))
            {
                metadata.GenerateName = json.ReadText("metadata.generateName");
            }
            else if (json.TextIs("namespace"u8))
            {
                metadata.Namespace = json.ReadSharedText("metadata.namespace");
            }
            else
            {
                json.SkipValue();
            }
        }

        return metadata;
    }

    static IReadOnlyDictionary<string, string> ReadWanted(ref JsonCursor json, Utf8KeySet wanted, string path, out bool isThere)
    {
        isThere = json.ReadObject(path);
        if (!isThere)
        {
            return None;
        }

        SmallStringMap? read = null;
        while (json.NextMember())
        {
            if (wanted.Find(in json) is { } key)
            {
                (read ??= new SmallStringMap()).Set(key, json.ReadSharedText(path) ?? "");
            }
            else
            {
                json.SkipValue();
            }
        }

        return read ?? None;
    }

    static Spec? ReadSpec(ref JsonCursor json)
    {
        if (!json.ReadObject("spec"))
        {
            return null;
        }

        var spec = new Spec();
        while (json.NextMember())
        {
            if (json.TextIs("containers"u8))
            {
                ReadContainers(ref json, ref spec);
            }
            else if (json.TextIs("initContainers"u8))
            {
                ReadInitContainers(ref json, ref spec);
            }
            else if (json.TextIs("volumes"u8))
            {
                ReadVolumes(ref json, ref spec);
            }
            else if (json.TextIs("affinity"u8))
            {
                ReadAffinity(ref json, ref spec);
            }
            else if (json.TextIs("tolerations"u8))
            {
                ReadTolerations(ref json, ref spec);
            }
            else if (json.TextIs("nodeSelector"u8))
            {
                spec.NodeSelector = json.ReadTextMap("spec.nodeSelector");
            }
            else if (json.TextIs("nodeName"u8))
            {
                spec.NodeName = json.ReadText("spec.nodeName");
            }
            else if (json.TextIs("resources"u8))
            {
                (spec.PodRequests, spec.PodLimits, _) = ReadResources(ref json, "spec");
            }
            else if (json.TextIs("overhead"u8))
            {
                spec.Overhead = ReadResourceList(ref json, "spec", ".overhead", out _);
            }
            else if (json.TextIs("topologySpreadConstraints"u8))
            {
                ReadSpreadConstraints(ref json, ref spec);
            }
            else if (json.TextIs("resourceClaims"u8))
            {
                NoteIfAny(ref json, ref spec, "spec", ".resourceClaims", "resource claims");
            }
            else if (json.TextIs("hostNetwork"u8))
            {
                spec.Unseen = json.ReadFlag("spec.hostNetwork") ? "host network" : spec.Unseen;
            }
            else
            {
                json.SkipValue();
            }
        }

        return spec;
    }

    static void ReadContainers(ref JsonCursor json, ref Spec spec)
    {
        spec.Containers = [];
        spec.ContainerShapes = [];
        spec.IsPipelineDriver = false;
        spec.FunctionToExecute = null;
        if (!json.ReadArray("spec.containers"))
        {
            return;
        }

        var containers = new ContainerFacts[UsualContainers];
        var shapes = new ContainerShape[UsualContainers];
        var count = 0;
        while (json.NextObject("spec.containers"))
        {
            var container = ReadContainer(ref json, ref spec, "spec.containers[]", isApp: true, out var shape);
            Put(ref shapes, count, shape);
            Put(ref containers, count++, container);
        }

        Array.Resize(ref containers, count);
        Array.Resize(ref shapes, count);
        (spec.Containers, spec.ContainerShapes) = (ImmutableCollectionsMarshal.AsImmutableArray(containers), shapes);
    }

    static void ReadInitContainers(ref JsonCursor json, ref Spec spec)
    {
        spec.InitContainers = [];
        if (!json.ReadArray("spec.initContainers"))
        {
            return;
        }

        var containers = new ContainerFacts[UsualContainers];
        var count = 0;
        while (json.NextObject("spec.initContainers"))
        {
            Put(ref containers, count++, ReadContainer(ref json, ref spec, "spec.initContainers[]", isApp: false, out _));
        }

        Array.Resize(ref containers, count);
        spec.InitContainers = ImmutableCollectionsMarshal.AsImmutableArray(containers);
    }

    static void Put<T>(ref T[] items, int at, T item)
    {
        if (at == items.Length)
        {
            Array.Resize(ref items, 2 * at);
        }

        items[at] = item;
    }

    static ContainerFacts ReadContainer(ref JsonCursor json, ref Spec spec, string path, bool isApp, out ContainerShape shape)
    {
        var name = "";
        Resources requests = default, limits = default;
        shape = default;
        ImageId image = default;
        var alwaysRestarts = false;
        ContainerCommand command = default, args = default;
        while (json.NextMember())
        {
            if (json.TextIs("name"u8))
            {
                name = json.ReadSharedText(path, ".name") ?? "";
            }
            else if (json.TextIs("resources"u8))
            {
                (requests, limits, shape) = ReadResources(ref json, path);
            }
            else if (isApp && json.TextIs("image"u8))
            {
                // By its bytes: a review needs no string for it. One with escapes is as good as unknown, as no image's name has any.
                image = json.ReadScalar() == JsonKind.Text ? ImageId.Of(json.Raw) : default;
            }
            else if (json.TextIs("restartPolicy"u8))
            {
                alwaysRestarts = json.ReadText(path, ".restartPolicy") == "Always";
            }
            else if (isApp && json.TextIs("command"u8))
            {
                command = ContainerCommand.Read(ref json, path, isCommand: true);
            }
            else if (isApp && json.TextIs("args"u8))
            {
                args = ContainerCommand.Read(ref json, path, isCommand: false);
            }
            else if (json.TextIs("ports"u8))
            {
                ReadPorts(ref json, ref spec, path);
            }
            else
            {
                json.SkipValue();
            }
        }

        spec.Note(command.With(args));
        return new ContainerFacts(name, requests, limits, alwaysRestarts, image);
    }

    static void ReadPorts(ref JsonCursor json, ref Spec spec, string path)
    {
        if (!json.ReadArray(path, ".ports"))
        {
            return;
        }

        while (json.NextObject(path, ".ports"))
        {
            while (json.NextMember())
            {
                if (!json.TextIs("hostPort"u8))
                {
                    json.SkipValue();
                    continue;
                }

                var kind = json.ReadScalar();
                if (kind is not (JsonKind.Number or JsonKind.Null))
                {
                    throw new UnreadablePodException($"{path}.ports[].hostPort is not a number");
                }

                spec.Unseen = kind == JsonKind.Number && !json.Raw.SequenceEqual("0"u8) ? "host ports" : spec.Unseen;
            }
        }
    }

    static (Resources Requests, Resources Limits, ContainerShape Shape) ReadResources(ref JsonCursor json, string path)
    {
        Resources requests = default, limits = default;
        var hasRequests = false;
        if (!json.ReadObject(path, ".resources"))
        {
            return default;
        }

        while (json.NextMember())
        {
            if (json.TextIs("requests"u8))
            {
                requests = ReadResourceList(ref json, path, ".resources.requests", out hasRequests);
            }
            else if (json.TextIs("limits"u8))
            {
                limits = ReadResourceList(ref json, path, ".resources.limits", out _);
            }
            else
            {
                json.SkipValue();
            }
        }

        return (requests, limits, new ContainerShape(true, hasRequests));
    }

    static Resources ReadResourceList(ref JsonCursor json, string path, string member, out bool isThere)
    {
        long? cpuMilli = null, memoryBytes = null;
        List<ResourceAmount>? other = null;
        Dictionary<string, int>? places = null;
        isThere = json.ReadObject(path, member);
        if (!isThere)
        {
            return default;
        }

        while (json.NextMember())
        {
            if (json.TextIs("cpu"u8))
            {
                cpuMilli = ReadQuantity(ref json, path, member, milli: true);
            }
            else if (json.TextIs("memory"u8))
            {
                memoryBytes = ReadQuantity(ref json, path, member, milli: false);
            }
            else
            {
                var name = json.GetText(path);
                Put(ref other, ref places, new ResourceAmount(name, ReadQuantity(ref json, path, member, milli: false)));
            }
        }

        return new Resources(cpuMilli, memoryBytes, other);
    }

    // Nobody has validated the pod yet, and looking through the list for each name would cost the square of the names.
    static void Put(ref List<ResourceAmount>? amounts, ref Dictionary<string, int>? places, ResourceAmount amount)
    {
        const int fewNames = 8;
        amounts ??= [];
        if (places is null && amounts.Count >= fewNames)
        {
            places = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var i = 0; i < amounts.Count; i++)
            {
                places[amounts[i].Name] = i;
            }
        }

        var at = places is null ? amounts.FindIndex(a => a.Name == amount.Name) : places.GetValueOrDefault(amount.Name, -1);
        if (at >= 0)
        {
            amounts[at] = amount;
            return;
        }

        places?.Add(amount.Name, amounts.Count);
        amounts.Add(amount);
    }

    static long ReadQuantity(ref JsonCursor json, string path, string member, bool milli)
    {
        var kind = json.ReadScalar();
        long amount = 0;
        var isQuantity = kind is JsonKind.Text or JsonKind.Number &&
            (milli ? Quantity.TryParseMilli(json.Text(path), out amount) : Quantity.TryParseUnits(json.Text(path), out amount));
        return isQuantity ? amount : throw new UnreadablePodException($"{path}{member} holds a value that is no quantity");
    }

    static void ReadTolerations(ref JsonCursor json, ref Spec spec)
    {
        spec.Tolerations = [];
        if (!json.ReadArray("spec.tolerations"))
        {
            return;
        }

        var tolerations = new List<Toleration>();
        while (json.NextObject("spec.tolerations"))
        {
            string? key = null, @operator = null, value = null, effect = null;
            while (json.NextMember())
            {
                if (json.TextIs("key"u8))
                {
                    key = json.ReadSharedText("spec.tolerations[].key");
                }
                else if (json.TextIs("operator"u8))
                {
                    @operator = json.ReadSharedText("spec.tolerations[].operator");
                }
                else if (json.TextIs("value"u8))
                {
                    value = json.ReadSharedText("spec.tolerations[].value");
                }
                else if (json.TextIs("effect"u8))
                {
                    effect = json.ReadSharedText("spec.tolerations[].effect");
                }
                else
                {
                    json.SkipValue();
                }
            }

            // An effect or operator that we do not know tolerates nothing that we know.
            var isKnownEffect = TaintEffects.TryParse(effect, out var known);
            if ((string.IsNullOrEmpty(effect) || isKnownEffect) && @operator is null or "" or "Equal" or "Exists")
            {
                tolerations.Add(new Toleration(key ?? "", @operator == "Exists", value ?? "", isKnownEffect ? known : null));
            }
        }

        spec.Tolerations = tolerations;
    }

    static void ReadAffinity(ref JsonCursor json, ref Spec spec)
    {
        spec.HasNodeAffinity = spec.HasPreferredTerms = false;
        spec.PreferredWeight = 0;
        spec.RequiredTerms = null;
        spec.RequiredTermsHaveExpressions = [];
        spec.HasAffinity = json.ReadObject("spec.affinity");
        if (!spec.HasAffinity)
        {
            return;
        }

        while (json.NextMember())
        {
            if (json.TextIs("nodeAffinity"u8))
            {
                ReadNodeAffinity(ref json, ref spec);
            }
            else if (json.TextIs("podAffinity"u8))
            {
                ReadPodAffinity(ref json, ref spec, "spec.affinity.podAffinity", "pod affinity");
            }
            else if (json.TextIs("podAntiAffinity"u8))
            {
                ReadPodAffinity(ref json, ref spec, "spec.affinity.podAntiAffinity", "pod anti-affinity");
            }
            else
            {
                json.SkipValue();
            }
        }
    }

    static void ReadNodeAffinity(ref JsonCursor json, ref Spec spec)
    {
        spec.HasPreferredTerms = false;
        spec.PreferredWeight = 0;
        spec.RequiredTerms = null;
        spec.RequiredTermsHaveExpressions = [];
        spec.HasNodeAffinity = json.ReadObject("spec.affinity.nodeAffinity");
        if (!spec.HasNodeAffinity)
        {
            return;
        }

        while (json.NextMember())
        {
            if (json.TextIs("requiredDuringSchedulingIgnoredDuringExecution"u8))
            {
                ReadRequiredTerms(ref json, ref spec);
            }
            else if (json.TextIs("preferredDuringSchedulingIgnoredDuringExecution"u8))
            {
                ReadPreferredTerms(ref json, ref spec);
            }
            else
            {
                json.SkipValue();
            }
        }
    }

    // What they prefer is the scheduler's business; how much they weigh tells how far ours can be trusted.
    static void ReadPreferredTerms(ref JsonCursor json, ref Spec spec)
    {
        spec.PreferredWeight = 0;
        spec.HasPreferredTerms = json.ReadArray(PreferredPath);
        if (!spec.HasPreferredTerms)
        {
            return;
        }

        while (json.NextObject(PreferredPath))
        {
            while (json.NextMember())
            {
                if (!json.TextIs("weight"u8))
                {
                    json.SkipValue();
                }
                else if (json.ReadScalar() == JsonKind.Number && Utf8Parser.TryParse(json.Raw, out byte weight, out _))
                {
                    // No more than 100 is valid, and it takes no more to outweigh ours.
                    spec.PreferredWeight = Math.Min(spec.PreferredWeight + weight, 100);
                }
            }
        }
    }

    static void ReadRequiredTerms(ref JsonCursor json, ref Spec spec)
    {
        spec.RequiredTerms = null;
        spec.RequiredTermsHaveExpressions = [];
        if (!json.ReadObject(RequiredPath))
        {
            return;
        }

        // Present without terms it matches no node, which is not the same as absent.
        spec.RequiredTerms = [];
        while (json.NextMember())
        {
            if (!json.TextIs("nodeSelectorTerms"u8))
            {
                json.SkipValue();
                continue;
            }

            var terms = new List<NodeSelectorTerm>();
            var haveExpressions = new List<bool>();
            if (json.ReadArray(RequiredPath, ".nodeSelectorTerms"))
            {
                while (json.NextObject(RequiredPath, ".nodeSelectorTerms"))
                {
                    terms.Add(ReadTerm(ref json, out var hasExpressions));
                    haveExpressions.Add(hasExpressions);
                }
            }

            (spec.RequiredTerms, spec.RequiredTermsHaveExpressions) = (terms, haveExpressions);
        }
    }

    static NodeSelectorTerm ReadTerm(ref JsonCursor json, out bool hasExpressions)
    {
        List<NodeSelectorRequirement> expressions = [], fields = [];
        hasExpressions = false;
        while (json.NextMember())
        {
            if (json.TextIs("matchExpressions"u8))
            {
                expressions = ReadRequirements(ref json, MatchExpressions, out hasExpressions);
            }
            else if (json.TextIs("matchFields"u8))
            {
                fields = ReadRequirements(ref json, MatchFields, out _);
            }
            else
            {
                json.SkipValue();
            }
        }

        return new NodeSelectorTerm(expressions, fields);
    }

    static List<NodeSelectorRequirement> ReadRequirements(ref JsonCursor json, string path, out bool isThere)
    {
        var requirements = new List<NodeSelectorRequirement>();
        isThere = json.ReadArray(path);
        if (!isThere)
        {
            return requirements;
        }

        while (json.NextObject(path))
        {
            string? key = null, @operator = null;
            List<string> values = [];
            while (json.NextMember())
            {
                if (json.TextIs("key"u8))
                {
                    key = json.ReadText(path, "[].key");
                }
                else if (json.TextIs("operator"u8))
                {
                    @operator = json.ReadText(path, "[].operator");
                }
                else if (json.TextIs("values"u8))
                {
                    values = json.ReadTexts(path, "[].values");
                }
                else
                {
                    json.SkipValue();
                }
            }

            requirements.Add(new NodeSelectorRequirement(key ?? "", Operator(@operator, path), values));
        }

        return requirements;
    }

    static SelectorOperator Operator(string? word, string path) => word switch
    {
        "In" => SelectorOperator.In,
        "NotIn" => SelectorOperator.NotIn,
        "Exists" => SelectorOperator.Exists,
        "DoesNotExist" => SelectorOperator.DoesNotExist,
        "Gt" => SelectorOperator.Gt,
        "Lt" => SelectorOperator.Lt,
        _ => throw new UnreadablePodException($"{path}[].operator is not a node selector operator"),
    };

    static void ReadPodAffinity(ref JsonCursor json, ref Spec spec, string path, string what)
    {
        if (!json.ReadObject(path))
        {
            return;
        }

        while (json.NextMember())
        {
            if (json.TextIs("requiredDuringSchedulingIgnoredDuringExecution"u8))
            {
                NoteIfAny(ref json, ref spec, path, ".requiredDuringSchedulingIgnoredDuringExecution", what);
            }
            else
            {
                json.SkipValue();
            }
        }
    }

    static void ReadVolumes(ref JsonCursor json, ref Spec spec)
    {
        if (!json.ReadArray("spec.volumes"))
        {
            return;
        }

        while (json.NextObject("spec.volumes"))
        {
            while (json.NextMember())
            {
                // A claim can be bound to a volume that only some nodes reach.
                var isClaim = json.TextIs("persistentVolumeClaim"u8) || json.TextIs("ephemeral"u8);
                var kind = json.SkipValue();
                if (isClaim && kind is not (JsonKind.Object or JsonKind.Null))
                {
                    throw new UnreadablePodException("the claim of an item of spec.volumes is not an object");
                }

                spec.Unseen = isClaim && kind == JsonKind.Object ? "persistent volume claims" : spec.Unseen;
            }
        }
    }

    static void ReadSpreadConstraints(ref JsonCursor json, ref Spec spec)
    {
        if (!json.ReadArray("spec.topologySpreadConstraints"))
        {
            return;
        }

        while (json.NextObject("spec.topologySpreadConstraints"))
        {
            while (json.NextMember())
            {
                if (json.TextIs("whenUnsatisfiable"u8))
                {
                    spec.Unseen = json.ReadText("spec.topologySpreadConstraints[].whenUnsatisfiable") == "DoNotSchedule" ? "topology spread constraints" : spec.Unseen;
                }
                else
                {
                    json.SkipValue();
                }
            }
        }
    }

    static void NoteIfAny(ref JsonCursor json, ref Spec spec, string path, string member, string what)
    {
        if (!json.ReadArray(path, member))
        {
            return;
        }

        if (json.SkipItems() > 0)
        {
            spec.Unseen = what;
        }
    }
}
