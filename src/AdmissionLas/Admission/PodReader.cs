using System.Text;
using System.Text.Json;
using AdmissionLas.Placement;
using static AdmissionLas.Admission.JsonReading;

namespace AdmissionLas.Admission;

/// <summary>
/// Reads a pod in one pass: of the labels and annotations only those that a rule or hint asks for, of the spec only what the default
/// scheduler's filters and our patch look at.
/// </summary>
sealed class PodReader
{
    readonly NameSet labelKeys;
    readonly NameSet annotationKeys;

    /// <summary>Sets up the reader for the keys in use.</summary>
    internal PodReader(IEnumerable<string> labelKeys, IEnumerable<string> annotationKeys)
    {
        this.labelKeys = new NameSet(labelKeys);
        this.annotationKeys = new NameSet(annotationKeys);
    }

    /// <summary>Reads the pod whose member name the reader stands on; <see langword="null"/> when its value is null.</summary>
    /// <exception cref="UnreadablePodException">A value that is used has a type that the schema does not allow.</exception>
    internal AdmittedPod? Read(ref Utf8JsonReader reader)
    {
        if (!ReadObject(ref reader, "request.object"))
        {
            return null;
        }

        Metadata? metadata = null;
        Spec? spec = null;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("metadata"u8))
            {
                metadata = ReadMetadata(ref reader);
            }
            else if (reader.ValueTextEquals("spec"u8))
            {
                spec = ReadSpec(ref reader);
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        // The API server never sends such a pod; a patch to it would add to a parent that is not there.
        if (metadata is null || spec is null)
        {
            throw new UnreadablePodException($"{(metadata is null ? "metadata" : "spec")} is missing");
        }

        var facts = new PodFacts
        {
            Namespace = metadata.Namespace ?? "",
            Labels = metadata.Labels,
            Annotations = metadata.Annotations,
            FunctionToExecute = spec.FunctionToExecute,
            IsPipelineDriver = spec.IsPipelineDriver,
            NodeName = spec.NodeName,
            NodeSelector = spec.NodeSelector ?? None,
            RequiredTerms = spec.RequiredTerms,
            Tolerations = spec.Tolerations,
            Containers = spec.Containers,
            InitContainers = spec.InitContainers,
            PodRequests = spec.PodRequests,
            PodLimits = spec.PodLimits,
            Overhead = spec.Overhead,
            OnlySchedulerCanJudge = spec.Unseen,
        };
        var shape = new PodShape
        {
            HasAnnotations = metadata.HasAnnotations,
            HasAffinity = spec.HasAffinity,
            HasNodeAffinity = spec.HasNodeAffinity,
            HasPreferredTerms = spec.HasPreferredTerms,
            RequiredTermsHaveExpressions = spec.RequiredTermsHaveExpressions,
            Containers = spec.ContainerShapes,
        };
        return new AdmittedPod(metadata.Name is { Length: > 0 } name ? name : metadata.GenerateName ?? "", facts, shape);
    }

    const string RequiredPath = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    const string MatchExpressions = RequiredPath + ".nodeSelectorTerms[].matchExpressions";
    const string MatchFields = RequiredPath + ".nodeSelectorTerms[].matchFields";

    // What stands in almost every pod: the API server's default tolerations, Argo's containers.
    static readonly NameSet Words = new(
        ["main", "wait", "init", "Exists", "NoExecute", "NoSchedule", "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);

    static readonly Dictionary<string, string> None = [];

    sealed class Metadata
    {
        internal string? Name;
        internal string? GenerateName;
        internal string? Namespace;
        internal bool HasAnnotations;
        internal Dictionary<string, string> Labels = None;
        internal Dictionary<string, string> Annotations = None;
    }

    sealed class Spec
    {
        internal string? NodeName;
        internal string? FunctionToExecute;
        internal bool IsPipelineDriver;
        internal Dictionary<string, string>? NodeSelector;
        internal bool HasAffinity;
        internal bool HasNodeAffinity;
        internal bool HasPreferredTerms;
        internal IReadOnlyList<NodeSelectorTerm>? RequiredTerms;
        internal IReadOnlyList<bool> RequiredTermsHaveExpressions = [];
        internal IReadOnlyList<Toleration> Tolerations = [];
        internal IReadOnlyList<ContainerFacts> Containers = [];
        internal IReadOnlyList<ContainerShape> ContainerShapes = [];
        internal IReadOnlyList<ContainerFacts> InitContainers = [];
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

    Metadata? ReadMetadata(ref Utf8JsonReader reader)
    {
        if (!ReadObject(ref reader, "metadata"))
        {
            return null;
        }

        var metadata = new Metadata();
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("labels"u8))
            {
                metadata.Labels = ReadWanted(ref reader, labelKeys, "metadata.labels", out _);
            }
            else if (reader.ValueTextEquals("annotations"u8))
            {
                metadata.Annotations = ReadWanted(ref reader, annotationKeys, "metadata.annotations", out metadata.HasAnnotations);
            }
            else if (reader.ValueTextEquals("name"u8))
            {
                metadata.Name = ReadText(ref reader, "metadata.name");
            }
            else if (reader.ValueTextEquals("generateName"u8))
            {
                metadata.GenerateName = ReadText(ref reader, "metadata.generateName");
            }
            else if (reader.ValueTextEquals("namespace"u8))
            {
                metadata.Namespace = ReadText(ref reader, "metadata.namespace");
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        return metadata;
    }

    static Dictionary<string, string> ReadWanted(ref Utf8JsonReader reader, NameSet wanted, string path, out bool isThere)
    {
        isThere = ReadObject(ref reader, path);
        if (!isThere)
        {
            return None;
        }

        Dictionary<string, string>? read = null;
        while (NextMember(ref reader))
        {
            if (wanted.Find(ref reader) is { } key)
            {
                (read ??= new(StringComparer.Ordinal))[key] = ReadText(ref reader, path) ?? "";
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        return read ?? None;
    }

    static Spec? ReadSpec(ref Utf8JsonReader reader)
    {
        if (!ReadObject(ref reader, "spec"))
        {
            return null;
        }

        var spec = new Spec();
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("containers"u8))
            {
                ReadContainers(ref reader, spec);
            }
            else if (reader.ValueTextEquals("initContainers"u8))
            {
                ReadInitContainers(ref reader, spec);
            }
            else if (reader.ValueTextEquals("volumes"u8))
            {
                ReadVolumes(ref reader, spec);
            }
            else if (reader.ValueTextEquals("affinity"u8))
            {
                ReadAffinity(ref reader, spec);
            }
            else if (reader.ValueTextEquals("tolerations"u8))
            {
                ReadTolerations(ref reader, spec);
            }
            else if (reader.ValueTextEquals("nodeSelector"u8))
            {
                spec.NodeSelector = ReadTextMap(ref reader, "spec.nodeSelector");
            }
            else if (reader.ValueTextEquals("nodeName"u8))
            {
                spec.NodeName = ReadText(ref reader, "spec.nodeName");
            }
            else if (reader.ValueTextEquals("resources"u8))
            {
                (spec.PodRequests, spec.PodLimits, _) = ReadResources(ref reader, "spec");
            }
            else if (reader.ValueTextEquals("overhead"u8))
            {
                spec.Overhead = ReadResourceList(ref reader, "spec", ".overhead", out _);
            }
            else if (reader.ValueTextEquals("topologySpreadConstraints"u8))
            {
                ReadSpreadConstraints(ref reader, spec);
            }
            else if (reader.ValueTextEquals("resourceClaims"u8))
            {
                NoteIfAny(ref reader, spec, "spec", ".resourceClaims", "resource claims");
            }
            else if (reader.ValueTextEquals("hostNetwork"u8))
            {
                spec.Unseen = ReadFlag(ref reader, "spec.hostNetwork") ? "host network" : spec.Unseen;
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        return spec;
    }

    static void ReadContainers(ref Utf8JsonReader reader, Spec spec)
    {
        spec.Containers = [];
        spec.ContainerShapes = [];
        spec.IsPipelineDriver = false;
        spec.FunctionToExecute = null;
        if (!ReadArray(ref reader, "spec.containers"))
        {
            return;
        }

        var containers = new List<ContainerFacts>();
        var shapes = new List<ContainerShape>();
        while (NextObject(ref reader, "spec.containers"))
        {
            containers.Add(ReadContainer(ref reader, spec, "spec.containers[]", isApp: true, out var shape));
            shapes.Add(shape);
        }

        (spec.Containers, spec.ContainerShapes) = (containers, shapes);
    }

    static void ReadInitContainers(ref Utf8JsonReader reader, Spec spec)
    {
        spec.InitContainers = [];
        if (!ReadArray(ref reader, "spec.initContainers"))
        {
            return;
        }

        var containers = new List<ContainerFacts>();
        while (NextObject(ref reader, "spec.initContainers"))
        {
            containers.Add(ReadContainer(ref reader, spec, "spec.initContainers[]", isApp: false, out _));
        }

        spec.InitContainers = containers;
    }

    static ContainerFacts ReadContainer(ref Utf8JsonReader reader, Spec spec, string path, bool isApp, out ContainerShape shape)
    {
        var name = "";
        Resources requests = default, limits = default;
        shape = default;
        ImageId image = default;
        var alwaysRestarts = false;
        ContainerCommand command = default, args = default;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("name"u8))
            {
                name = ReadText(ref reader, Words, path, ".name") ?? "";
            }
            else if (reader.ValueTextEquals("resources"u8))
            {
                (requests, limits, shape) = ReadResources(ref reader, path);
            }
            else if (isApp && reader.ValueTextEquals("image"u8))
            {
                image = ReadImage(ref reader);
            }
            else if (reader.ValueTextEquals("restartPolicy"u8))
            {
                alwaysRestarts = ReadText(ref reader, path, ".restartPolicy") == "Always";
            }
            else if (isApp && reader.ValueTextEquals("command"u8))
            {
                command = ContainerCommand.Read(ref reader, path, isCommand: true);
            }
            else if (isApp && reader.ValueTextEquals("args"u8))
            {
                args = ContainerCommand.Read(ref reader, path, isCommand: false);
            }
            else if (reader.ValueTextEquals("ports"u8))
            {
                ReadPorts(ref reader, spec, path);
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        spec.Note(command.With(args));
        return new ContainerFacts(name, requests, limits, alwaysRestarts, image);
    }

    // By its bytes, so that a review needs no string for it. One with escapes is as good as unknown: no image's name has any.
    static ImageId ReadImage(ref Utf8JsonReader reader)
    {
        SkipValue(ref reader);
        return reader.TokenType == JsonTokenType.String && !reader.HasValueSequence ? ImageId.Of(reader.ValueSpan) : default;
    }

    static void ReadPorts(ref Utf8JsonReader reader, Spec spec, string path)
    {
        if (!ReadArray(ref reader, path, ".ports"))
        {
            return;
        }

        while (NextObject(ref reader, path, ".ports"))
        {
            while (NextMember(ref reader))
            {
                var isHostPort = reader.ValueTextEquals("hostPort"u8);
                SkipValue(ref reader);
                if (isHostPort && reader.TokenType is not (JsonTokenType.Number or JsonTokenType.Null))
                {
                    throw new UnreadablePodException($"{path}.ports[].hostPort is not a number");
                }

                spec.Unseen = isHostPort && reader.TokenType == JsonTokenType.Number && !(reader.TryGetInt32(out var port) && port == 0) ? "host ports" : spec.Unseen;
            }
        }
    }

    static (Resources Requests, Resources Limits, ContainerShape Shape) ReadResources(ref Utf8JsonReader reader, string path)
    {
        Resources requests = default, limits = default;
        var hasRequests = false;
        if (!ReadObject(ref reader, path, ".resources"))
        {
            return default;
        }

        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("requests"u8))
            {
                requests = ReadResourceList(ref reader, path, ".resources.requests", out hasRequests);
            }
            else if (reader.ValueTextEquals("limits"u8))
            {
                limits = ReadResourceList(ref reader, path, ".resources.limits", out _);
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        return (requests, limits, new ContainerShape(true, hasRequests));
    }

    static Resources ReadResourceList(ref Utf8JsonReader reader, string path, string member, out bool isThere)
    {
        long? cpuMilli = null, memoryBytes = null;
        List<ResourceAmount>? other = null;
        Dictionary<string, int>? places = null;
        isThere = ReadObject(ref reader, path, member);
        if (!isThere)
        {
            return default;
        }

        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("cpu"u8))
            {
                cpuMilli = ReadQuantity(ref reader, path, member, milli: true);
            }
            else if (reader.ValueTextEquals("memory"u8))
            {
                memoryBytes = ReadQuantity(ref reader, path, member, milli: false);
            }
            else
            {
                var name = GetText(ref reader, path);
                Put(ref other, ref places, new ResourceAmount(name, ReadQuantity(ref reader, path, member, milli: false)));
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

    // Only for an escaped quantity is a string made.
    static long ReadQuantity(ref Utf8JsonReader reader, string path, string member, bool milli)
    {
        reader.Read();
        long amount = 0;
        var text = reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(GetText(ref reader, path)) : reader.ValueSpan;
        var isQuantity = reader.TokenType is JsonTokenType.String or JsonTokenType.Number &&
            (milli ? Quantity.TryParseMilli(text, out amount) : Quantity.TryParseUnits(text, out amount));
        return isQuantity ? amount : throw new UnreadablePodException($"{path}{member} holds a value that is no quantity");
    }

    static void ReadTolerations(ref Utf8JsonReader reader, Spec spec)
    {
        spec.Tolerations = [];
        if (!ReadArray(ref reader, "spec.tolerations"))
        {
            return;
        }

        var tolerations = new List<Toleration>();
        while (NextObject(ref reader, "spec.tolerations"))
        {
            string? key = null, @operator = null, value = null, effect = null;
            while (NextMember(ref reader))
            {
                if (reader.ValueTextEquals("key"u8))
                {
                    key = ReadText(ref reader, Words, "spec.tolerations[].key");
                }
                else if (reader.ValueTextEquals("operator"u8))
                {
                    @operator = ReadText(ref reader, Words, "spec.tolerations[].operator");
                }
                else if (reader.ValueTextEquals("value"u8))
                {
                    value = ReadText(ref reader, Words, "spec.tolerations[].value");
                }
                else if (reader.ValueTextEquals("effect"u8))
                {
                    effect = ReadText(ref reader, Words, "spec.tolerations[].effect");
                }
                else
                {
                    SkipValue(ref reader);
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

    static void ReadAffinity(ref Utf8JsonReader reader, Spec spec)
    {
        spec.HasNodeAffinity = spec.HasPreferredTerms = false;
        spec.RequiredTerms = null;
        spec.RequiredTermsHaveExpressions = [];
        spec.HasAffinity = ReadObject(ref reader, "spec.affinity");
        if (!spec.HasAffinity)
        {
            return;
        }

        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("nodeAffinity"u8))
            {
                ReadNodeAffinity(ref reader, spec);
            }
            else if (reader.ValueTextEquals("podAffinity"u8))
            {
                ReadPodAffinity(ref reader, spec, "spec.affinity.podAffinity", "pod affinity");
            }
            else if (reader.ValueTextEquals("podAntiAffinity"u8))
            {
                ReadPodAffinity(ref reader, spec, "spec.affinity.podAntiAffinity", "pod anti-affinity");
            }
            else
            {
                SkipValue(ref reader);
            }
        }
    }

    static void ReadNodeAffinity(ref Utf8JsonReader reader, Spec spec)
    {
        spec.HasPreferredTerms = false;
        spec.RequiredTerms = null;
        spec.RequiredTermsHaveExpressions = [];
        spec.HasNodeAffinity = ReadObject(ref reader, "spec.affinity.nodeAffinity");
        if (!spec.HasNodeAffinity)
        {
            return;
        }

        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("requiredDuringSchedulingIgnoredDuringExecution"u8))
            {
                ReadRequiredTerms(ref reader, spec);
            }
            else if (reader.ValueTextEquals("preferredDuringSchedulingIgnoredDuringExecution"u8))
            {
                spec.HasPreferredTerms = ReadArray(ref reader, "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution");
                if (spec.HasPreferredTerms)
                {
                    SkipItems(ref reader);
                }
            }
            else
            {
                SkipValue(ref reader);
            }
        }
    }

    static void ReadRequiredTerms(ref Utf8JsonReader reader, Spec spec)
    {
        spec.RequiredTerms = null;
        spec.RequiredTermsHaveExpressions = [];
        if (!ReadObject(ref reader, RequiredPath))
        {
            return;
        }

        // Present without terms it matches no node, which is not the same as absent.
        spec.RequiredTerms = [];
        while (NextMember(ref reader))
        {
            if (!reader.ValueTextEquals("nodeSelectorTerms"u8))
            {
                SkipValue(ref reader);
                continue;
            }

            var terms = new List<NodeSelectorTerm>();
            var haveExpressions = new List<bool>();
            if (ReadArray(ref reader, RequiredPath, ".nodeSelectorTerms"))
            {
                while (NextObject(ref reader, RequiredPath, ".nodeSelectorTerms"))
                {
                    terms.Add(ReadTerm(ref reader, out var hasExpressions));
                    haveExpressions.Add(hasExpressions);
                }
            }

            (spec.RequiredTerms, spec.RequiredTermsHaveExpressions) = (terms, haveExpressions);
        }
    }

    static NodeSelectorTerm ReadTerm(ref Utf8JsonReader reader, out bool hasExpressions)
    {
        List<NodeSelectorRequirement> expressions = [], fields = [];
        hasExpressions = false;
        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("matchExpressions"u8))
            {
                expressions = ReadRequirements(ref reader, MatchExpressions, out hasExpressions);
            }
            else if (reader.ValueTextEquals("matchFields"u8))
            {
                fields = ReadRequirements(ref reader, MatchFields, out _);
            }
            else
            {
                SkipValue(ref reader);
            }
        }

        return new NodeSelectorTerm(expressions, fields);
    }

    static List<NodeSelectorRequirement> ReadRequirements(ref Utf8JsonReader reader, string path, out bool isThere)
    {
        var requirements = new List<NodeSelectorRequirement>();
        isThere = ReadArray(ref reader, path);
        if (!isThere)
        {
            return requirements;
        }

        while (NextObject(ref reader, path))
        {
            string? key = null, @operator = null;
            List<string> values = [];
            while (NextMember(ref reader))
            {
                if (reader.ValueTextEquals("key"u8))
                {
                    key = ReadText(ref reader, path, "[].key");
                }
                else if (reader.ValueTextEquals("operator"u8))
                {
                    @operator = ReadText(ref reader, path, "[].operator");
                }
                else if (reader.ValueTextEquals("values"u8))
                {
                    values = ReadTexts(ref reader, path, "[].values");
                }
                else
                {
                    SkipValue(ref reader);
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

    static void ReadPodAffinity(ref Utf8JsonReader reader, Spec spec, string path, string what)
    {
        if (!ReadObject(ref reader, path))
        {
            return;
        }

        while (NextMember(ref reader))
        {
            if (reader.ValueTextEquals("requiredDuringSchedulingIgnoredDuringExecution"u8))
            {
                NoteIfAny(ref reader, spec, path, ".requiredDuringSchedulingIgnoredDuringExecution", what);
            }
            else
            {
                SkipValue(ref reader);
            }
        }
    }

    static void ReadVolumes(ref Utf8JsonReader reader, Spec spec)
    {
        if (!ReadArray(ref reader, "spec.volumes"))
        {
            return;
        }

        while (NextObject(ref reader, "spec.volumes"))
        {
            while (NextMember(ref reader))
            {
                // A claim can be bound to a volume that only some nodes reach.
                var isClaim = reader.ValueTextEquals("persistentVolumeClaim"u8) || reader.ValueTextEquals("ephemeral"u8);
                SkipValue(ref reader);
                if (isClaim && reader.TokenType is not (JsonTokenType.EndObject or JsonTokenType.Null))
                {
                    throw new UnreadablePodException("the claim of an item of spec.volumes is not an object");
                }

                spec.Unseen = isClaim && reader.TokenType == JsonTokenType.EndObject ? "persistent volume claims" : spec.Unseen;
            }
        }
    }

    static void ReadSpreadConstraints(ref Utf8JsonReader reader, Spec spec)
    {
        if (!ReadArray(ref reader, "spec.topologySpreadConstraints"))
        {
            return;
        }

        while (NextObject(ref reader, "spec.topologySpreadConstraints"))
        {
            while (NextMember(ref reader))
            {
                if (reader.ValueTextEquals("whenUnsatisfiable"u8))
                {
                    spec.Unseen = ReadText(ref reader, "spec.topologySpreadConstraints[].whenUnsatisfiable") == "DoNotSchedule" ? "topology spread constraints" : spec.Unseen;
                }
                else
                {
                    SkipValue(ref reader);
                }
            }
        }
    }

    static void NoteIfAny(ref Utf8JsonReader reader, Spec spec, string path, string member, string what)
    {
        if (!ReadArray(ref reader, path, member))
        {
            return;
        }

        if (SkipItems(ref reader) > 0)
        {
            spec.Unseen = what;
        }
    }

    // To the end of the list the reader is in; tells how many items there were.
    static int SkipItems(ref Utf8JsonReader reader)
    {
        var items = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            reader.Skip();
            items++;
        }

        return items;
    }
}
