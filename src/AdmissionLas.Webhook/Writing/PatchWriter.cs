using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace AdmissionLas.Webhook;

/// <summary>
/// Writes a decision as a JSON Patch (RFC 6902) against the pod as it came. It adds: every parent before its first child, list
/// items at the end of a list that is there, and never a value over one that the author wrote. What an earlier call added and the decision
/// does not want any more is removed first. Few operations and short: applying a patch costs the API server more than asking for it.
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
    const string Spread = "/spec/topologySpreadConstraints";
    const string RequiredMember = "requiredDuringSchedulingIgnoredDuringExecution";
    const string PreferredMember = "preferredDuringSchedulingIgnoredDuringExecution";

    // A node's name and the API server's uid of 36; a longer one costs a string.
    const int ShortAssumedLength = 128;

    static readonly JsonEncodedText[] Operators = [.. Enum.GetNames<SelectorOperator>().Select(JsonTexts.Encoded)];
    static readonly JsonEncodedText AnnotationsPath = JsonTexts.Encoded(Annotations);
    static readonly JsonEncodedText DecisionPath = JsonTexts.Encoded($"{Annotations}/{EscapePointer(PodHints.DecisionKey)}");
    static readonly JsonEncodedText RecordPath = JsonTexts.Encoded($"{Annotations}/{EscapePointer(PodHints.RecordKey)}");
    static readonly JsonEncodedText AssumedPath = JsonTexts.Encoded($"{Annotations}/{EscapePointer(PodHints.AssumedKey)}");
    static readonly JsonEncodedText SpreadPath = JsonTexts.Encoded(Spread);
    static readonly JsonEncodedText AffinityPath = JsonTexts.Encoded(Affinity);
    static readonly JsonEncodedText NodeAffinityPath = JsonTexts.Encoded(NodeAffinity);

    // By the host name it would do too, but then the scheduler matches every node against the pod: twice the CPU for a pod on 5,000 nodes.
    // Without a selector the API server warns the pod's author of it.
    static readonly byte[] NeutralSpread = Encoding.UTF8.GetBytes($$$"""
        [{"maxSkew":1,"topologyKey":"{{{PodHints.NoTopologyKey}}}","whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"{{{PodHints.NoTopologyKey}}}":""} } }]
        """);

    // The nodes' own terms come again with every review, and stay as long as their nodes do.
    static readonly ConditionalWeakTable<NodeSelectorTerm, byte[]> WrittenTerms = [];

    /// <summary>Writes the patch as a JSON list of operations.</summary>
    /// <param name="buffer">Where it goes: <see cref="AnswerBuffer.Patch"/>.</param>
    /// <param name="decision">What was decided.</param>
    /// <param name="explanation">The same in words.</param>
    /// <param name="pod">The pod.</param>
    /// <param name="reservation">Under which review the pod counts on its node: <see cref="PodHints.AssumedKey"/>.</param>
    /// <returns>Whether there is an operation.</returns>
    internal static bool Write(AnswerBuffer buffer, Decision decision, string explanation, AdmittedPod pod, string reservation)
    {
        var json = buffer.Patch.Begin();
        json.WriteStartArray();
        if (decision.IsDecided)
        {
            var record = buffer.Record.Begin();
            PlacementRecord.Write(record, decision);
            record.Flush();
            WriteAnnotations(json, decision, explanation, buffer.Record.Written, reservation, pod);
        }
        else
        {
            foreach (var key in pod.Earlier?.Annotations.Keys ?? [])
            {
                Remove(json, $"{Annotations}/{EscapePointer(key)}");
            }
        }

        WriteAffinity(json, decision, pod);
        WriteSpread(json, decision.NeutralizesSpread, pod.Earlier);
        WriteRequests(json, decision.Requests, pod);
        json.WriteEndArray();
        json.Flush();
        return buffer.Patch.Written.Length > "[]".Length;
    }

    static void WriteAnnotations(
        Utf8JsonWriter json, Decision decision, string explanation, ReadOnlyMemory<byte> record, string uid, AdmittedPod pod)
    {
        var assumed = decision.ReservesCapacity ? decision.Chosen!.Name : null;
        if (!pod.Shape.HasAnnotations)
        {
            Add(json, AnnotationsPath, (explanation, record, assumed, uid), static (json, all) =>
            {
                json.WriteStartObject();
                json.WriteString(PodHints.DecisionKey, all.explanation);
                json.WriteString(PodHints.RecordKey, all.record.Span);
                if (all.assumed is not null)
                {
                    json.WritePropertyName(PodHints.AssumedKey);
                    WriteAssumed(json, (all.assumed, all.uid));
                }

                json.WriteEndObject();
            });
            return;
        }

        var earlier = pod.Earlier?.Annotations;
        if (earlier?.GetValueOrDefault(PodHints.DecisionKey) != explanation)
        {
            Add(json, DecisionPath, explanation, JsonWriting.WriteText);
        }

        if (earlier is null || earlier[PodHints.RecordKey] != Encoding.UTF8.GetString(record.Span))
        {
            Add(json, RecordPath, record, static (json, record) => json.WriteStringValue(record.Span));
        }

        var assumedBefore = earlier?.GetValueOrDefault(PodHints.AssumedKey);
        if (assumed is not null && assumedBefore != $"{assumed}/{uid}")
        {
            Add(json, AssumedPath, (assumed, uid), WriteAssumed);
        }
        else if (assumed is null && assumedBefore is not null)
        {
            Remove(json, $"{Annotations}/{EscapePointer(PodHints.AssumedKey)}");
        }
    }

    static void WriteAssumed(Utf8JsonWriter json, (string Node, string Uid) assumed)
    {
        Span<char> text = stackalloc char[ShortAssumedLength];
        json.WriteStringValue(text.TryWrite($"{assumed.Node}/{assumed.Uid}", out var length) ? text[..length] : $"{assumed.Node}/{assumed.Uid}");
    }

    static void WriteAffinity(Utf8JsonWriter json, Decision decision, AdmittedPod pod)
    {
        if (pod.Shape.HasNodeAffinity)
        {
            if (pod.Earlier?.IsRequired(decision.Required, pod.Facts.RequiredTerms) != true)
            {
                RemoveRequired(json, pod);
                MergeRequired(json, decision.Required, pod);
            }

            if (pod.Earlier?.ArePreferred(decision.Preferred) != true)
            {
                RemovePreferred(json, pod.Earlier);
                MergePreferred(json, decision.Preferred, pod.Shape);
            }
        }
        else if (decision is { Preferred.Count: 0, Required: null })
        {
            return;
        }
        else if (pod.Shape.HasAffinity)
        {
            Add(json, NodeAffinityPath, decision, WriteNodeAffinity);
        }
        else
        {
            Add(json, AffinityPath, decision, static (json, decision) => json.WriteObject(JsonTexts.NodeAffinity, decision, WriteNodeAffinity));
        }
    }

    static void WriteNodeAffinity(Utf8JsonWriter json, Decision decision)
    {
        json.WriteStartObject();
        if (decision.Required is { } required)
        {
            json.WritePropertyName(JsonTexts.RequiredDuringSchedulingIgnoredDuringExecution);
            WriteRequired(json, required);
        }

        if (decision.Preferred.Count > 0)
        {
            json.WritePropertyName(JsonTexts.PreferredDuringSchedulingIgnoredDuringExecution);
            json.WriteList(decision.Preferred, WritePreferred);
        }

        json.WriteEndObject();
    }

    static void WriteSpread(Utf8JsonWriter json, bool isNeutral, EarlierAdditions? earlier)
    {
        if (isNeutral && earlier?.SpreadAt is null)
        {
            Add(json, SpreadPath, NeutralSpread, static (json, constraints) => json.WriteRawValue(constraints, skipInputValidation: true));
        }
        else if (!isNeutral && earlier?.SpreadAt is { } at)
        {
            Remove(json, earlier.IsSpreadAllOurs ? Spread : string.Create(CultureInfo.InvariantCulture, $"{Spread}/{at}"));
        }
    }

    // From the end, so that the places of the others stay.
    static void RemoveRequired(Utf8JsonWriter json, AdmittedPod pod)
    {
        if (pod is { Earlier.Required.Count: > 0, Facts.RequiredTerms: null })
        {
            Remove(json, $"{NodeAffinity}/{RequiredMember}");
            return;
        }

        var list = pod.Earlier is { Record.IsByName: true } ? "matchFields" : "matchExpressions";
        foreach (var (term, at, isWhole, _) in pod.Earlier?.Required.Reverse() ?? [])
        {
            Remove(json, string.Create(
                CultureInfo.InvariantCulture, $"{NodeAffinity}/{RequiredMember}/nodeSelectorTerms/{term}{(isWhole ? "" : $"/{list}/{at}")}"));
        }
    }

    static void RemovePreferred(Utf8JsonWriter json, EarlierAdditions? earlier)
    {
        if (earlier is { ArePreferredAllOurs: true })
        {
            Remove(json, $"{NodeAffinity}/{PreferredMember}");
            return;
        }

        foreach (var term in earlier?.PreferredTerms.Reverse() ?? [])
        {
            Remove(json, string.Create(CultureInfo.InvariantCulture, $"{NodeAffinity}/{PreferredMember}/{term}"));
        }
    }

    static void MergeRequired(Utf8JsonWriter json, NodePin? pin, AdmittedPod pod)
    {
        if (pin is null)
        {
            return;
        }

        if (pod.Facts.RequiredTerms is not { } terms)
        {
            Add(json, JsonTexts.Encoded($"{NodeAffinity}/{RequiredMember}"), pin, WriteRequired);
        }
        else if (pin.IsByName)
        {
            MergeByName(json, pin, terms, pod.Shape);
        }
        else
        {
            for (var i = 0; i < terms.Count; i++)
            {
                // Terms are ORed, so the requirement goes into each. An empty one matches no node and must go on doing so.
                if (!terms[i].IsEmpty)
                {
                    AddTo(json, Term(i, "matchExpressions"), pod.Shape.RequiredTermsHaveExpressions[i], pin, WriteHostnames);
                }
            }
        }
    }

    // A term takes one node, so each of the author's is copied for every further one, before anything is added to it.
    static void MergeByName(Utf8JsonWriter json, NodePin pin, IReadOnlyList<NodeSelectorTerm> terms, PodShape shape)
    {
        var next = terms.Count;
        foreach (var pairs in pin.Pairs(terms).GroupBy(p => p.Term))
        {
            var original = Term(pairs.Key);
            var copies = next;
            foreach (var _ in pairs.Skip(1))
            {
                json.WriteStartObject();
                json.WriteString(JsonTexts.Op, JsonTexts.Copy);
                json.WriteString(JsonTexts.From, original);
                json.WriteString(JsonTexts.Path, $"{NodeAffinity}/{RequiredMember}/nodeSelectorTerms/-");
                json.WriteEndObject();
                next++;
            }

            foreach (var (i, (_, node)) in pairs.Index())
            {
                AddTo(json, Term(i == 0 ? pairs.Key : copies + i - 1, "matchFields"), shape.RequiredTermsHaveFields[pairs.Key], node.Name, WriteName);
            }
        }
    }

    static string Term(int index, string list = "") => string.Create(
        CultureInfo.InvariantCulture, $"{NodeAffinity}/{RequiredMember}/nodeSelectorTerms/{index}{(list.Length == 0 ? "" : "/")}{list}");

    static void AddTo<T>(Utf8JsonWriter json, string list, bool isThere, T value, Action<Utf8JsonWriter, T> write)
    {
        if (isThere)
        {
            Add(json, JsonTexts.Encoded($"{list}/-"), value, write);
        }
        else
        {
            Add(json, JsonTexts.Encoded(list), (value, write), static (json, item) =>
            {
                json.WriteStartArray();
                item.write(json, item.value);
                json.WriteEndArray();
            });
        }
    }

    static void MergePreferred(Utf8JsonWriter json, IReadOnlyList<PreferredTerm> terms, PodShape shape)
    {
        if (terms.Count > 0 && !shape.HasPreferredTerms)
        {
            Add(json, JsonTexts.Encoded($"{NodeAffinity}/{PreferredMember}"), terms, static (json, terms) => json.WriteList(terms, WritePreferred));
            return;
        }

        foreach (var term in terms)
        {
            Add(json, JsonTexts.Encoded($"{NodeAffinity}/{PreferredMember}/-"), term, WritePreferred);
        }
    }

    static void WriteRequests(Utf8JsonWriter json, IReadOnlyList<AddedRequest> added, AdmittedPod pod)
    {
        if (pod.Earlier?.AreRequested(added) ?? added.Count == 0)
        {
            return;
        }

        foreach (var earlier in pod.Earlier?.Requests ?? [])
        {
            Remove(json, string.Create(CultureInfo.InvariantCulture, $"/spec/containers/{earlier.ContainerIndex}/resources/requests/{earlier.Resource}"));
        }

        foreach (var requests in added.GroupBy(r => r.ContainerIndex))
        {
            var resources = string.Create(CultureInfo.InvariantCulture, $"/spec/containers/{requests.Key}/resources");
            switch (pod.Shape.Containers[requests.Key])
            {
                case { HasRequests: true }:
                    foreach (var request in requests)
                    {
                        Add(json, JsonTexts.Encoded($"{resources}/requests/{request.Resource}"), request.Quantity, JsonWriting.WriteText);
                    }

                    break;
                case { HasResources: true }:
                    Add(json, JsonTexts.Encoded($"{resources}/requests"), requests, WriteResourceList);
                    break;
                default:
                    Add(json, JsonTexts.Encoded(resources), requests, static (json, requests) => json.WriteObject(JsonTexts.Requests, requests, WriteResourceList));
                    break;
            }
        }
    }

    static void WriteResourceList(Utf8JsonWriter json, IEnumerable<AddedRequest> requests)
    {
        json.WriteStartObject();
        foreach (var request in requests)
        {
            json.WriteString(request.Resource, request.Quantity);
        }

        json.WriteEndObject();
    }

    /// <summary>A member name as a part of a JSON Pointer (RFC 6901). '~' first, or the '~' of "~1" would be escaped again.</summary>
    internal static string EscapePointer(string name) =>
        name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    static void Add<T>(Utf8JsonWriter json, JsonEncodedText path, T value, Action<Utf8JsonWriter, T> write)
    {
        json.WriteStartObject();
        json.WriteString(JsonTexts.Op, JsonTexts.Add);
        json.WriteString(JsonTexts.Path, path);
        json.WritePropertyName(JsonTexts.Value);
        write(json, value);
        json.WriteEndObject();
    }

    static void Remove(Utf8JsonWriter json, string path)
    {
        json.WriteStartObject();
        json.WriteString(JsonTexts.Op, JsonTexts.Remove);
        json.WriteString(JsonTexts.Path, path);
        json.WriteEndObject();
    }

    static void WriteRequired(Utf8JsonWriter json, NodePin pin) => json.WriteObject(JsonTexts.NodeSelectorTerms, pin, static (json, pin) =>
    {
        json.WriteStartArray();
        for (var i = 0; i < (pin.IsByName ? pin.Nodes.Count : 1); i++)
        {
            json.WriteStartObject();
            json.WriteStartArray(pin.IsByName ? JsonTexts.MatchFields : JsonTexts.MatchExpressions);
            if (pin.IsByName)
            {
                WriteName(json, pin.Nodes[i].Name);
            }
            else
            {
                WriteHostnames(json, pin);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    static void WriteHostnames(Utf8JsonWriter json, NodePin pin)
    {
        json.WriteStartObject();
        json.WriteString(JsonTexts.Key, JsonTexts.Hostname);
        json.WriteString(JsonTexts.Operator, Operators[(int)SelectorOperator.In]);
        json.WritePropertyName(JsonTexts.Values);
        WriteNames(json, pin);
        json.WriteEndObject();
    }

    static void WriteName(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject();
        json.WriteString(JsonTexts.Key, JsonTexts.NameField);
        json.WriteString(JsonTexts.Operator, Operators[(int)SelectorOperator.In]);
        json.WriteStartArray(JsonTexts.Values);
        json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Writes the names of pinned nodes as a list.</summary>
    internal static void WriteNames(Utf8JsonWriter json, NodePin pin)
    {
        json.WriteStartArray();
        for (var i = 0; i < pin.Nodes.Count; i++)
        {
            json.WriteStringValue(pin.NameOf(pin.Nodes[i]));
        }

        json.WriteEndArray();
    }

    static void WriteRequirement(Utf8JsonWriter json, NodeSelectorRequirement requirement)
    {
        json.WriteStartObject();
        json.WriteString(JsonTexts.Key, requirement.Key);
        json.WriteString(JsonTexts.Operator, Operators[(int)requirement.Operator]);
        if (requirement.Values.Count > 0)
        {
            json.WritePropertyName(JsonTexts.Values);
            json.WriteList(requirement.Values, JsonWriting.WriteText);
        }

        json.WriteEndObject();
    }

    /// <summary>Writes a preferred term as Kubernetes has it.</summary>
    internal static void WritePreferred(Utf8JsonWriter json, PreferredTerm term)
    {
        json.WriteStartObject();
        json.WriteNumber(JsonTexts.Weight, term.Weight);
        json.WritePropertyName(JsonTexts.Preference);
        json.WriteRawValue(WrittenTerms.GetValue(term.Preference, Written), skipInputValidation: true);
        json.WriteEndObject();
    }

    static byte[] Written(NodeSelectorTerm term)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(bytes);
        json.WriteStartObject();
        Write(JsonTexts.MatchExpressions, term.MatchExpressions);
        Write(JsonTexts.MatchFields, term.MatchFields);
        json.WriteEndObject();
        json.Flush();
        return bytes.WrittenSpan.ToArray();

        void Write(JsonEncodedText name, IReadOnlyList<NodeSelectorRequirement> requirements)
        {
            if (requirements.Count > 0)
            {
                json.WritePropertyName(name);
                json.WriteList(requirements, WriteRequirement);
            }
        }
    }
}
