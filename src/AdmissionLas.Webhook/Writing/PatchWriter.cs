using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;

namespace AdmissionLas.Webhook;

/// <summary>
/// Writes a decision as a JSON Patch (RFC 6902) against the pod as it came. It only ever adds: every parent before its first child, list
/// items at the end of a list that is there, and never a value over one that the author wrote. Few operations and short: applying a
/// patch costs the API server more than asking for it.
/// </summary>
/// <remarks>
/// Not by a JSON Patch library, because those cannot be compiled ahead of time; the tests apply what comes out with a library and
/// with a real API server.
/// </remarks>
static class PatchWriter
{
    const string Annotations = "/metadata/annotations";
    const string Affinity = "/spec/affinity";
    const string NodeAffinity = Affinity + "/nodeAffinity";
    const string RequiredMember = "requiredDuringSchedulingIgnoredDuringExecution";
    const string PreferredMember = "preferredDuringSchedulingIgnoredDuringExecution";

    // A node's name and the API server's uid of 36; a longer one costs a string.
    const int ShortAssumedLength = 128;

    // Encoded once: the writer looks at each character of other names and values for what it must escape.
    static readonly JsonEncodedText Op = Encoded("op");
    static readonly JsonEncodedText Add = Encoded("add");
    static readonly JsonEncodedText Path = Encoded("path");
    static readonly JsonEncodedText Value = Encoded("value");
    static readonly JsonEncodedText Weight = Encoded("weight");
    static readonly JsonEncodedText Preference = Encoded("preference");
    static readonly JsonEncodedText MatchExpressions = Encoded("matchExpressions");
    static readonly JsonEncodedText[] Operators = [.. Enum.GetNames<SelectorOperator>().Select(Encoded)];
    static readonly JsonEncodedText AnnotationsPath = Encoded(Annotations);
    static readonly JsonEncodedText DecisionPath = Encoded($"{Annotations}/{EscapePointer(PodHints.DecisionKey)}");
    static readonly JsonEncodedText RecordPath = Encoded($"{Annotations}/{EscapePointer(PodHints.RecordKey)}");
    static readonly JsonEncodedText AssumedPath = Encoded($"{Annotations}/{EscapePointer(PodHints.AssumedKey)}");
    static readonly JsonEncodedText AffinityPath = Encoded(Affinity);
    static readonly JsonEncodedText NodeAffinityPath = Encoded(NodeAffinity);

    // The nodes' own terms come again with every review, and stay as long as their nodes do.
    static readonly ConditionalWeakTable<NodeSelectorTerm, byte[]> Terms = [];

    /// <summary>Whether the decision changes anything in the pod.</summary>
    internal static bool HasPatch(Decision decision) => decision.IsDecided;

    /// <summary>Writes the patch as a JSON list of operations.</summary>
    /// <param name="buffer">Where it goes: <see cref="AnswerBuffer.Patch"/>.</param>
    /// <param name="decision">What was decided.</param>
    /// <param name="explanation">The same in words.</param>
    /// <param name="review">The review with the pod.</param>
    internal static void Write(AnswerBuffer buffer, Decision decision, string explanation, AdmissionReview review)
    {
        var pod = review.Pod!;
        var record = buffer.Record.Begin();
        PlacementRecord.Write(record, decision);
        record.Flush();
        var json = buffer.Patch.Begin();
        json.WriteStartArray();
        WriteAnnotations(json, decision, explanation, buffer.Record.Written.Span, review.Uid, pod.Shape);
        WriteAffinity(json, decision, pod);
        WriteRequests(json, decision, pod.Shape);
        json.WriteEndArray();
        json.Flush();
    }

    static void WriteRequirement(Utf8JsonWriter json, NodeSelectorRequirement requirement)
    {
        json.WriteStartObject();
        json.WriteString("key"u8, requirement.Key);
        json.WriteString("operator"u8, Operators[(int)requirement.Operator]);
        if (requirement.Values.Count > 0)
        {
            json.WriteStartArray("values"u8);
            for (var i = 0; i < requirement.Values.Count; i++)
            {
                json.WriteStringValue(requirement.Values[i]);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    static void WritePreferred(Utf8JsonWriter json, IReadOnlyList<PreferredTerm> terms)
    {
        json.WriteStartArray();
        for (var i = 0; i < terms.Count; i++)
        {
            WritePreferred(json, terms[i]);
        }

        json.WriteEndArray();
    }

    static void WriteAnnotations(Utf8JsonWriter json, Decision decision, string explanation, ReadOnlySpan<byte> record, string uid, PodShape shape)
    {
        // Where there are none, one operation brings them all.
        if (!shape.HasAnnotations)
        {
            StartAdd(json, AnnotationsPath);
            json.WriteStartObject();
        }

        Start(PodHints.DecisionKey, DecisionPath);
        json.WriteStringValue(explanation);
        End();
        Start(PodHints.RecordKey, RecordPath);
        json.WriteStringValue(record);
        End();
        if (decision.ReservesCapacity)
        {
            Start(PodHints.AssumedKey, AssumedPath);
            Span<char> assumed = stackalloc char[ShortAssumedLength];
            var node = decision.Chosen!.Name;
            json.WriteStringValue(assumed.TryWrite($"{node}/{uid}", out var length) ? assumed[..length] : $"{node}/{uid}");
            End();
        }

        if (!shape.HasAnnotations)
        {
            json.WriteEndObject();
            json.WriteEndObject();
        }

        void Start(string key, JsonEncodedText path)
        {
            if (shape.HasAnnotations)
            {
                StartAdd(json, path);
            }
            else
            {
                json.WritePropertyName(key);
            }
        }

        void End()
        {
            if (shape.HasAnnotations)
            {
                json.WriteEndObject();
            }
        }
    }

    static void WriteAffinity(Utf8JsonWriter json, Decision decision, AdmittedPod pod)
    {
        var (preferred, required) = (decision.Preferred, decision.Required);
        if (preferred.Count == 0 && required is null)
        {
            return;
        }

        if (pod.Shape.HasNodeAffinity)
        {
            MergeRequired(json, required, pod);
            MergePreferred(json, preferred, pod.Shape);
            return;
        }

        // Nothing to merge with: one operation brings the whole of it.
        StartAdd(json, pod.Shape.HasAffinity ? NodeAffinityPath : AffinityPath);
        json.WriteStartObject();
        if (!pod.Shape.HasAffinity)
        {
            json.WriteStartObject("nodeAffinity"u8);
        }

        if (required is not null)
        {
            json.WritePropertyName(RequiredMember);
            WriteRequired(json, required);
        }

        if (preferred.Count > 0)
        {
            json.WritePropertyName(PreferredMember);
            WritePreferred(json, preferred);
        }

        if (!pod.Shape.HasAffinity)
        {
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void MergeRequired(Utf8JsonWriter json, NodeSelectorRequirement? requirement, AdmittedPod pod)
    {
        if (requirement is null)
        {
            return;
        }

        if (pod.Facts.RequiredTerms is not { } terms)
        {
            StartAdd(json, $"{NodeAffinity}/{RequiredMember}");
            WriteRequired(json, requirement);
            json.WriteEndObject();
            return;
        }

        for (var i = 0; i < terms.Count; i++)
        {
            // Terms are ORed, so the requirement goes into each. An empty one matches no node and must go on doing so.
            if (terms[i].IsEmpty)
            {
                continue;
            }

            var expressions = string.Create(CultureInfo.InvariantCulture, $"{NodeAffinity}/{RequiredMember}/nodeSelectorTerms/{i}/matchExpressions");
            if (pod.Shape.RequiredTermsHaveExpressions[i])
            {
                StartAdd(json, $"{expressions}/-");
                WriteRequirement(json, requirement);
            }
            else
            {
                StartAdd(json, expressions);
                WriteRequirements(json, [requirement]);
            }

            json.WriteEndObject();
        }
    }

    static void MergePreferred(Utf8JsonWriter json, IReadOnlyList<PreferredTerm> terms, PodShape shape)
    {
        if (terms.Count == 0)
        {
            return;
        }

        if (!shape.HasPreferredTerms)
        {
            StartAdd(json, $"{NodeAffinity}/{PreferredMember}");
            WritePreferred(json, terms);
            json.WriteEndObject();
            return;
        }

        foreach (var term in terms)
        {
            StartAdd(json, $"{NodeAffinity}/{PreferredMember}/-");
            WritePreferred(json, term);
            json.WriteEndObject();
        }
    }

    static void WriteRequests(Utf8JsonWriter json, Decision decision, PodShape shape)
    {
        if (decision.Requests.Count == 0)
        {
            return;
        }

        foreach (var requests in decision.Requests.GroupBy(r => r.ContainerIndex))
        {
            var container = shape.Containers[requests.Key];
            var resources = string.Create(CultureInfo.InvariantCulture, $"/spec/containers/{requests.Key}/resources");
            if (container.HasRequests)
            {
                foreach (var request in requests)
                {
                    StartAdd(json, $"{resources}/requests/{request.Resource}");
                    json.WriteStringValue(request.Quantity);
                    json.WriteEndObject();
                }

                continue;
            }

            // One operation brings the parents and all that goes into them.
            StartAdd(json, container.HasResources ? $"{resources}/requests" : resources);
            json.WriteStartObject();
            if (!container.HasResources)
            {
                json.WriteStartObject("requests"u8);
            }

            foreach (var request in requests)
            {
                json.WriteString(request.Resource, request.Quantity);
            }

            if (!container.HasResources)
            {
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    /// <summary>A member name as a part of a JSON Pointer (RFC 6901). '~' first, or the '~' of "~1" would be escaped again.</summary>
    internal static string EscapePointer(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    static JsonEncodedText Encoded(string path) => JsonEncodedText.Encode(path, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);

    // The value comes next, then the operation's end.
    static void StartAdd(Utf8JsonWriter json, string path) => StartAdd(json, Encoded(path));

    static void StartAdd(Utf8JsonWriter json, JsonEncodedText path)
    {
        json.WriteStartObject();
        json.WriteString(Op, Add);
        json.WriteString(Path, path);
        json.WritePropertyName(Value);
    }

    static void WriteRequired(Utf8JsonWriter json, NodeSelectorRequirement requirement)
    {
        json.WriteStartObject();
        json.WriteStartArray("nodeSelectorTerms"u8);
        json.WriteStartObject();
        json.WriteStartArray(MatchExpressions);
        WriteRequirement(json, requirement);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Writes a preferred term as Kubernetes has it.</summary>
    internal static void WritePreferred(Utf8JsonWriter json, PreferredTerm term)
    {
        json.WriteStartObject();
        json.WriteNumber(Weight, term.Weight);
        json.WritePropertyName(Preference);
        json.WriteRawValue(Terms.GetValue(term.Preference, Written), skipInputValidation: true);
        json.WriteEndObject();
    }

    static byte[] Written(NodeSelectorTerm term)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(bytes);
        json.WriteStartObject();
        if (term.MatchExpressions.Count > 0)
        {
            json.WritePropertyName(MatchExpressions);
            WriteRequirements(json, term.MatchExpressions);
        }

        if (term.MatchFields.Count > 0)
        {
            json.WritePropertyName("matchFields"u8);
            WriteRequirements(json, term.MatchFields);
        }

        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenSpan.ToArray();
    }

    static void WriteRequirements(Utf8JsonWriter json, IReadOnlyList<NodeSelectorRequirement> requirements)
    {
        json.WriteStartArray();
        for (var i = 0; i < requirements.Count; i++)
        {
            WriteRequirement(json, requirements[i]);
        }

        json.WriteEndArray();
    }
}
