using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AdmissionLas.Placement;

namespace AdmissionLas.Admission;

/// <summary>
/// Writes a decision as a JSON Patch (RFC 6902) against the pod as it came. It only ever adds: every parent before its first child, list
/// items at the end of a list that is there, and never a value over one that the author wrote. Few operations and short: applying a
/// patch costs the API server more than asking for it.
/// </summary>
/// <remarks>
/// Written by hand because the JSON Patch libraries cannot be compiled ahead of time; the tests apply what comes out with a library and
/// with a real API server.
/// </remarks>
static class PatchWriter
{
    const string NodeAffinity = "/spec/affinity/nodeAffinity";
    const string Preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    const string Required = "requiredDuringSchedulingIgnoredDuringExecution";

    /// <summary>Whether the decision changes anything in the pod.</summary>
    internal static bool HasPatch(Decision decision) => decision.IsDecided;

    /// <summary>Writes the patch as a JSON list of operations.</summary>
    internal static void Write(Utf8JsonWriter json, Decision decision, AdmissionReview review)
    {
        var pod = review.Pod!;
        json.WriteStartArray();
        WriteAnnotations(json, decision, review.Uid, pod.Shape);
        WriteAffinity(json, decision, pod);
        WriteRequests(json, decision, pod.Shape);
        json.WriteEndArray();
    }

    /// <summary>A member name as a part of a JSON Pointer (RFC 6901). '~' first, or the '~' of "~1" would be escaped again.</summary>
    internal static string EscapePointer(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    static readonly string DecisionPath = $"/metadata/annotations/{EscapePointer(PodHints.DecisionKey)}";
    static readonly string AssumedPath = $"/metadata/annotations/{EscapePointer(PodHints.AssumedKey)}";

    static void WriteAnnotations(Utf8JsonWriter json, Decision decision, string uid, PodShape shape)
    {
        var assumed = decision.TakesRoom ? $"{decision.Chosen!.Name}/{uid}" : null;
        if (!shape.HasAnnotations)
        {
            StartAdd(json, "/metadata/annotations");
            json.WriteStartObject();
            json.WriteString(PodHints.DecisionKey, decision.Explanation);
            if (assumed is not null)
            {
                json.WriteString(PodHints.AssumedKey, assumed);
            }

            json.WriteEndObject();
            json.WriteEndObject();
            return;
        }

        WriteAnnotation(json, DecisionPath, decision.Explanation);
        if (assumed is not null)
        {
            WriteAnnotation(json, AssumedPath, assumed);
        }
    }

    static void WriteAnnotation(Utf8JsonWriter json, string path, string value)
    {
        StartAdd(json, path);
        json.WriteStringValue(value);
        json.WriteEndObject();
    }

    static void WriteAffinity(Utf8JsonWriter json, Decision decision, AdmittedPod pod)
    {
        var shape = pod.Shape;
        if (decision.Preferred.Count == 0 && decision.Required is null)
        {
            return;
        }

        if (!shape.HasNodeAffinity)
        {
            // Nothing to merge with: one operation brings the whole of it.
            StartAdd(json, shape.HasAffinity ? NodeAffinity : "/spec/affinity");
            json.WriteStartObject();
            if (!shape.HasAffinity)
            {
                json.WriteStartObject("nodeAffinity");
            }

            if (decision.Required is { } only)
            {
                json.WritePropertyName(Required);
                WriteRequired(json, only);
            }

            if (decision.Preferred.Count > 0)
            {
                json.WriteStartArray(Preferred);
                WritePreferred(json, decision.Preferred);
                json.WriteEndArray();
            }

            if (!shape.HasAffinity)
            {
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
            return;
        }

        MergeRequired(json, decision.Required, pod);
        MergePreferred(json, decision.Preferred, shape);
    }

    static void MergeRequired(Utf8JsonWriter json, NodeSelectorRequirement? requirement, AdmittedPod pod)
    {
        if (requirement is null)
        {
            return;
        }

        if (pod.Facts.RequiredTerms is not { } terms)
        {
            StartAdd(json, $"{NodeAffinity}/{Required}");
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

            var term = string.Create(CultureInfo.InvariantCulture, $"{NodeAffinity}/{Required}/nodeSelectorTerms/{i}/matchExpressions");
            var hasExpressions = pod.Shape.RequiredTermsHaveExpressions[i];
            StartAdd(json, hasExpressions ? $"{term}/-" : term);
            if (!hasExpressions)
            {
                json.WriteStartArray();
            }

            WriteRequirement(json, requirement);
            if (!hasExpressions)
            {
                json.WriteEndArray();
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
            StartAdd(json, $"{NodeAffinity}/{Preferred}");
            json.WriteStartArray();
            WritePreferred(json, terms);
            json.WriteEndArray();
            json.WriteEndObject();
            return;
        }

        for (var i = 0; i < terms.Count; i++)
        {
            StartAdd(json, $"{NodeAffinity}/{Preferred}/-");
            WritePreferred(json, terms[i]);
            json.WriteEndObject();
        }
    }

    static void WriteRequests(Utf8JsonWriter json, Decision decision, PodShape shape)
    {
        for (var i = 0; i < decision.Requests.Count; i++)
        {
            var request = decision.Requests[i];
            var container = shape.Containers[request.ContainerIndex];
            var resources = string.Create(CultureInfo.InvariantCulture, $"/spec/containers/{request.ContainerIndex}/resources");
            if (container.HasRequests)
            {
                StartAdd(json, $"{resources}/requests/{request.Resource}");
                json.WriteStringValue(request.Quantity);
                json.WriteEndObject();
                continue;
            }

            // The container's first request brings the parents, and the second one with it.
            StartAdd(json, container.HasResources ? $"{resources}/requests" : resources);
            json.WriteStartObject();
            if (!container.HasResources)
            {
                json.WriteStartObject("requests");
            }

            json.WriteString(request.Resource, request.Quantity);
            if (i + 1 < decision.Requests.Count && decision.Requests[i + 1].ContainerIndex == request.ContainerIndex)
            {
                i++;
                json.WriteString(decision.Requests[i].Resource, decision.Requests[i].Quantity);
            }

            if (!container.HasResources)
            {
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    // Leaves the writer where the value goes; the caller closes the operation.
    static void StartAdd(Utf8JsonWriter json, string path)
    {
        json.WriteStartObject();
        json.WriteString("op"u8, "add"u8);
        json.WriteString("path"u8, path);
        json.WritePropertyName("value"u8);
    }

    static void WriteRequired(Utf8JsonWriter json, NodeSelectorRequirement requirement)
    {
        json.WriteStartObject();
        json.WriteStartArray("nodeSelectorTerms"u8);
        json.WriteStartObject();
        json.WriteStartArray("matchExpressions"u8);
        WriteRequirement(json, requirement);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void WritePreferred(Utf8JsonWriter json, IReadOnlyList<PreferredTerm> terms)
    {
        for (var i = 0; i < terms.Count; i++)
        {
            WritePreferred(json, terms[i]);
        }
    }

    static void WritePreferred(Utf8JsonWriter json, PreferredTerm term)
    {
        json.WriteStartObject();
        json.WriteNumber("weight"u8, term.Weight);
        json.WritePropertyName("preference"u8);
        json.WriteRawValue(Preferences.GetValue(term.Preference, Written), skipInputValidation: true);
        json.WriteEndObject();
    }

    // The nodes' own terms come again with every review, and stay as long as their nodes do.
    static readonly ConditionalWeakTable<NodeSelectorTerm, byte[]> Preferences = [];

    static byte[] Written(NodeSelectorTerm term)
    {
        var written = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(written, ReviewWriter.Options);
        json.WriteStartObject();
        WriteRequirements(json, "matchExpressions"u8, term.MatchExpressions);
        WriteRequirements(json, "matchFields"u8, term.MatchFields);
        json.WriteEndObject();
        json.Flush();
        return written.WrittenSpan.ToArray();
    }

    static void WriteRequirements(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<NodeSelectorRequirement> requirements)
    {
        if (requirements.Count == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        for (var i = 0; i < requirements.Count; i++)
        {
            WriteRequirement(json, requirements[i]);
        }

        json.WriteEndArray();
    }

    static void WriteRequirement(Utf8JsonWriter json, NodeSelectorRequirement requirement)
    {
        json.WriteStartObject();
        json.WriteString("key"u8, requirement.Key);
        json.WriteString("operator"u8, Name(requirement.Operator));
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

    static ReadOnlySpan<byte> Name(SelectorOperator @operator) => @operator switch
    {
        SelectorOperator.In => "In"u8,
        SelectorOperator.NotIn => "NotIn"u8,
        SelectorOperator.Exists => "Exists"u8,
        SelectorOperator.DoesNotExist => "DoesNotExist"u8,
        SelectorOperator.Gt => "Gt"u8,
        _ => "Lt"u8,
    };
}
