using System.Runtime.CompilerServices;
using System.Text;
using AdmissionLas.Placement;

namespace AdmissionLas.Webhook;

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
    static readonly byte[] DecisionName = Encoding.UTF8.GetBytes($"\"{PodHints.DecisionKey}\":");
    static readonly byte[] AssumedName = Encoding.UTF8.GetBytes($"\"{PodHints.AssumedKey}\":");
    static readonly byte[] DecisionPath = Encoding.UTF8.GetBytes($"/metadata/annotations/{EscapePointer(PodHints.DecisionKey)}");
    static readonly byte[] AssumedPath = Encoding.UTF8.GetBytes($"/metadata/annotations/{EscapePointer(PodHints.AssumedKey)}");

    // The nodes' own terms come again with every review, and stay as long as their nodes do.
    static readonly ConditionalWeakTable<NodeSelectorTerm, byte[]> Preferences = [];

    /// <summary>Whether the decision changes anything in the pod.</summary>
    internal static bool HasPatch(Decision decision) => decision.IsDecided;

    /// <summary>Writes the patch as a JSON list of operations.</summary>
    internal static void Write(RawJsonWriter json, Decision decision, AdmissionReview review)
    {
        var pod = review.Pod!;
        json.Add("["u8);
        WriteAnnotations(json, decision, review.Uid, pod.Shape);
        WriteAffinity(json, decision, pod);
        WriteRequests(json, decision, pod.Shape);
        json.Add("]"u8);
    }

    /// <summary>A member name as a part of a JSON Pointer (RFC 6901). '~' first, or the '~' of "~1" would be escaped again.</summary>
    internal static string EscapePointer(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    static void WriteAnnotations(RawJsonWriter json, Decision decision, string uid, PodShape shape)
    {
        var hasAnnotations = shape.HasAnnotations;
        StartAdd(json);
        json.Add(hasAnnotations ? DecisionPath : "/metadata/annotations"u8);
        StartValue(json);
        if (!hasAnnotations)
        {
            json.Add("{"u8);
            json.Add(DecisionName);
        }

        json.AddText(decision.Explanation);
        if (decision.ReservesCapacity)
        {
            if (hasAnnotations)
            {
                json.Add("}"u8);
                StartAdd(json);
                json.Add(AssumedPath);
                StartValue(json);
            }
            else
            {
                json.Add(","u8);
                json.Add(AssumedName);
            }

            json.AddText(decision.Chosen!.Name, '/', uid);
        }

        json.Add(hasAnnotations ? "}"u8 : "}}"u8);
    }

    static void WriteAffinity(RawJsonWriter json, Decision decision, AdmittedPod pod)
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
        StartAdd(json);
        json.Add(pod.Shape.HasAffinity ? "/spec/affinity/nodeAffinity"u8 : "/spec/affinity"u8);
        StartValue(json);
        json.Add(pod.Shape.HasAffinity ? "{"u8 : "{\"nodeAffinity\":{"u8);
        if (required is not null)
        {
            json.Add("\"requiredDuringSchedulingIgnoredDuringExecution\":"u8);
            WriteRequired(json, required);
        }

        if (preferred.Count > 0)
        {
            json.Add(required is null ? "\"preferredDuringSchedulingIgnoredDuringExecution\":"u8 : ",\"preferredDuringSchedulingIgnoredDuringExecution\":"u8);
            WritePreferred(json, preferred);
        }

        json.Add(pod.Shape.HasAffinity ? "}}"u8 : "}}}"u8);
    }

    static void MergeRequired(RawJsonWriter json, NodeSelectorRequirement? requirement, AdmittedPod pod)
    {
        if (requirement is null)
        {
            return;
        }

        if (pod.Facts.RequiredTerms is not { } terms)
        {
            StartAdd(json);
            json.Add("/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution"u8);
            StartValue(json);
            WriteRequired(json, requirement);
            json.Add("}"u8);
            return;
        }

        for (var i = 0; i < terms.Count; i++)
        {
            // Terms are ORed, so the requirement goes into each. An empty one matches no node and must go on doing so.
            if (terms[i].IsEmpty)
            {
                continue;
            }

            var hasExpressions = pod.Shape.RequiredTermsHaveExpressions[i];
            StartAdd(json);
            json.Add("/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/"u8);
            json.Add(i);
            json.Add(hasExpressions ? "/matchExpressions/-"u8 : "/matchExpressions"u8);
            StartValue(json);
            if (hasExpressions)
            {
                WriteRequirement(json, requirement);
            }
            else
            {
                WriteRequirements(json, [requirement]);
            }

            json.Add("}"u8);
        }
    }

    static void MergePreferred(RawJsonWriter json, IReadOnlyList<PreferredTerm> terms, PodShape shape)
    {
        if (terms.Count == 0)
        {
            return;
        }

        if (!shape.HasPreferredTerms)
        {
            StartAdd(json);
            json.Add("/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution"u8);
            StartValue(json);
            WritePreferred(json, terms);
            json.Add("}"u8);
            return;
        }

        for (var i = 0; i < terms.Count; i++)
        {
            StartAdd(json);
            json.Add("/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/-"u8);
            StartValue(json);
            WritePreferred(json, terms[i]);
            json.Add("}"u8);
        }
    }

    static void WriteRequests(RawJsonWriter json, Decision decision, PodShape shape)
    {
        for (var i = 0; i < decision.Requests.Count; i++)
        {
            var request = decision.Requests[i];
            var container = shape.Containers[request.ContainerIndex];
            StartAdd(json);
            json.Add("/spec/containers/"u8);
            json.Add(request.ContainerIndex);
            if (container.HasRequests)
            {
                json.Add(request.Resource == AddedRequest.Cpu ? "/resources/requests/cpu"u8 : "/resources/requests/memory"u8);
                StartValue(json);
                json.AddText(request.Quantity);
                json.Add("}"u8);
                continue;
            }

            // The container's first request brings the parents, and the second one with it.
            json.Add(container.HasResources ? "/resources/requests"u8 : "/resources"u8);
            StartValue(json);
            json.Add(container.HasResources ? "{"u8 : "{\"requests\":{"u8);
            WriteRequest(json, request);
            if (i + 1 < decision.Requests.Count && decision.Requests[i + 1].ContainerIndex == request.ContainerIndex)
            {
                i++;
                json.Add(","u8);
                WriteRequest(json, decision.Requests[i]);
            }

            json.Add(container.HasResources ? "}}"u8 : "}}}"u8);
        }
    }

    static void WriteRequest(RawJsonWriter json, AddedRequest request)
    {
        json.Add(request.Resource == AddedRequest.Cpu ? "\"cpu\":"u8 : "\"memory\":"u8);
        json.AddText(request.Quantity);
    }

    // The path comes next, and none of its characters needs an escape; then StartValue, the value, and the operation's closing brace.
    static void StartAdd(RawJsonWriter json) =>
        json.Add(json.WrittenSpan[^1] == '[' ? "{\"op\":\"add\",\"path\":\""u8 : ",{\"op\":\"add\",\"path\":\""u8);

    static void StartValue(RawJsonWriter json) => json.Add("\",\"value\":"u8);

    static void WriteRequired(RawJsonWriter json, NodeSelectorRequirement requirement)
    {
        json.Add("{\"nodeSelectorTerms\":[{\"matchExpressions\":["u8);
        WriteRequirement(json, requirement);
        json.Add("]}]}"u8);
    }

    static void WritePreferred(RawJsonWriter json, IReadOnlyList<PreferredTerm> terms)
    {
        for (var i = 0; i < terms.Count; i++)
        {
            json.Add(i == 0 ? "["u8 : ","u8);
            WritePreferred(json, terms[i]);
        }

        json.Add("]"u8);
    }

    static void WritePreferred(RawJsonWriter json, PreferredTerm term)
    {
        json.Add("{\"weight\":"u8);
        json.Add(term.Weight);
        json.Add(",\"preference\":"u8);
        json.Add(Preferences.GetValue(term.Preference, Written));
        json.Add("}"u8);
    }

    static byte[] Written(NodeSelectorTerm term)
    {
        var json = new RawJsonWriter(256);
        json.Add("{"u8);
        if (term.MatchExpressions.Count > 0)
        {
            json.Add("\"matchExpressions\":"u8);
            WriteRequirements(json, term.MatchExpressions);
        }

        if (term.MatchFields.Count > 0)
        {
            json.Add(term.MatchExpressions.Count > 0 ? ",\"matchFields\":"u8 : "\"matchFields\":"u8);
            WriteRequirements(json, term.MatchFields);
        }

        json.Add("}"u8);
        return json.WrittenSpan.ToArray();
    }

    static void WriteRequirements(RawJsonWriter json, IReadOnlyList<NodeSelectorRequirement> requirements)
    {
        for (var i = 0; i < requirements.Count; i++)
        {
            json.Add(i == 0 ? "["u8 : ","u8);
            WriteRequirement(json, requirements[i]);
        }

        json.Add("]"u8);
    }

    static void WriteRequirement(RawJsonWriter json, NodeSelectorRequirement requirement)
    {
        json.Add("{\"key\":"u8);
        json.AddText(requirement.Key);
        json.Add(requirement.Operator switch
        {
            SelectorOperator.In => ",\"operator\":\"In\""u8,
            SelectorOperator.NotIn => ",\"operator\":\"NotIn\""u8,
            SelectorOperator.Exists => ",\"operator\":\"Exists\""u8,
            SelectorOperator.DoesNotExist => ",\"operator\":\"DoesNotExist\""u8,
            SelectorOperator.Gt => ",\"operator\":\"Gt\""u8,
            _ => ",\"operator\":\"Lt\""u8,
        });
        for (var i = 0; i < requirement.Values.Count; i++)
        {
            json.Add(i == 0 ? ",\"values\":["u8 : ","u8);
            json.AddText(requirement.Values[i]);
        }

        json.Add(requirement.Values.Count > 0 ? "]}"u8 : "}"u8);
    }
}
