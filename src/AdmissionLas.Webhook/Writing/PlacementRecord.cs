using System.Text.Json.Nodes;

namespace AdmissionLas.Webhook;

/// <summary>
/// What a decision added to a pod, as it stands on the pod in the annotation <see cref="PodHints.RecordKey"/>: compact JSON that programs read.
/// </summary>
/// <remarks>An author can write the annotation too: a reader must not trust it beyond what it finds in the pod.</remarks>
/// <param name="Type">The kind of step: <see cref="StepKind.Name"/>.</param>
/// <param name="Outcome">How the review ended.</param>
/// <param name="Mode">The mode in force.</param>
/// <param name="NodeName">The chosen node; <see langword="null"/> for a step that was not placed.</param>
/// <param name="Location">The step's location, where it has one.</param>
/// <param name="Required">The nodes that the pod is kept to, by host name or by name; empty for none.</param>
/// <param name="IsByName">Whether they are named by name: <see cref="NodePin.IsByName"/>.</param>
/// <param name="Preferred">The preferred terms that were added.</param>
/// <param name="NeutralizesSpread">A topology spread constraint that is about no node was added.</param>
/// <param name="Requests">The requests that were added.</param>
sealed record PlacementRecord(
    string Type, string Outcome, string Mode, string? NodeName, string? Location, IReadOnlyList<string> Required, bool IsByName, IReadOnlyList<PreferredTerm> Preferred,
    bool NeutralizesSpread, IReadOnlyList<RecordedRequest> Requests)
{
    /// <summary>The version that this program writes, and the only one that it reads.</summary>
    internal const int CurrentVersion = 1;

    // Nothing has validated the pod yet, and its annotations may have 256 KiB in all: names that Kubernetes refuses and more containers than
    // a pod can run are not recorded.
    const int MaxRequests = 256;

    // With so many requests and terms of as many nodes as a patch may name, ours are shorter. An author can write anything.
    const int MaxLength = 64 << 10;

    static readonly JsonEncodedText[] Outcomes = [.. Enum.GetNames<Outcome>().Select(JsonTexts.Encoded)];
    static readonly JsonEncodedText[] Modes = [.. Enum.GetNames<PlacementMode>().Select(JsonTexts.Encoded)];

    // A member that stands twice would fail only when it is looked at.
    static readonly JsonDocumentOptions Unambiguous = new() { AllowDuplicateProperties = false };

    /// <summary>Whether the step was placed.</summary>
    internal bool IsPlaced => Outcome == nameof(Placement.Outcome.Placed);

    /// <summary>Writes the record of a decision.</summary>
    internal static void Write(Utf8JsonWriter json, Decision decision)
    {
        json.WriteStartObject();
        json.WriteNumber(JsonTexts.Version, CurrentVersion);
        json.WriteString(JsonTexts.Type, decision.Step.Type);
        json.WriteString(JsonTexts.Outcome, Outcomes[(int)decision.Outcome]);
        json.WriteString(JsonTexts.Mode, Modes[(int)decision.Mode]);
        if (decision.Chosen is { } chosen)
        {
            json.WriteString(JsonTexts.Node, chosen.Name);
        }

        if (decision.Step is { Kind.HasLocation: true, Location: { } location } && LabelSyntax.IsName(location))
        {
            json.WriteString(JsonTexts.Location, location);
        }

        if (decision.Required is { } required)
        {
            json.WritePropertyName(required.IsByName ? JsonTexts.RequiredNames : JsonTexts.Required);
            PatchWriter.WriteNames(json, required);
        }

        WritePreferred(json, decision.Preferred);
        if (decision.NeutralizesSpread)
        {
            json.WriteBoolean(JsonTexts.NeutralSpread, true);
        }

        if (decision.Requests.Count > 0)
        {
            json.WriteStartObject(JsonTexts.Requests);
            // Kubernetes refuses a pod in which two containers have one name; the first of them stands for both.
            foreach (var container in decision.Requests.Take(MaxRequests).Where(r => LabelSyntax.IsName(r.ContainerName)).GroupBy(r => r.ContainerIndex).DistinctBy(c => c.First().ContainerName))
            {
                json.WriteStartObject(container.First().ContainerName);
                foreach (var request in container)
                {
                    json.WriteString(request.Resource, request.Quantity);
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    // Most terms name one node by its host name: these are short, as every byte of a patch costs the API server.
    static void WritePreferred(Utf8JsonWriter json, IReadOnlyList<PreferredTerm> terms)
    {
        var hostnames = 0;
        for (var i = 0; i < terms.Count; i++)
        {
            if (HostnameOf(terms[i]) is { } hostname)
            {
                if (hostnames++ == 0)
                {
                    json.WriteStartObject(JsonTexts.Preferred);
                }

                json.WriteNumber(hostname, terms[i].Weight);
            }
        }

        if (hostnames > 0)
        {
            json.WriteEndObject();
        }

        if (hostnames < terms.Count)
        {
            json.WriteStartArray(JsonTexts.PreferredTerms);
            foreach (var term in terms.Where(t => HostnameOf(t) is null))
            {
                PatchWriter.WritePreferred(json, term);
            }

            json.WriteEndArray();
        }
    }

    static string? HostnameOf(PreferredTerm term) =>
        term.Preference is { MatchFields.Count: 0, MatchExpressions: [{ Key: NodeSelectorTerm.HostnameKey, Operator: SelectorOperator.In, Values: [var only] }] } ? only : null;

    /// <summary>
    /// Reads a record; <see langword="null"/> when the text is none, of a version that this program does not know, or nothing that
    /// <see cref="Write"/> could have written: it names as many nodes as a patch may, and no name in it has to be escaped.
    /// </summary>
    internal static PlacementRecord? TryRead(string? text)
    {
        if (text is null or { Length: > MaxLength } || text.Contains('\\'))
        {
            return null;
        }

        try
        {
            return JsonNode.Parse(text, documentOptions: Unambiguous) is JsonObject record && Number(record["version"]) == CurrentVersion &&
                Text(record["type"]) is { } type && Text(record["outcome"]) is { } outcome && Text(record["mode"]) is { } mode &&
                (record["requiredNames"] as JsonArray ?? record["required"] as JsonArray ?? []) is { Count: <= PlacementPolicy.NamedNodesLimit } required &&
                (record["preferred"] as JsonObject ?? []) is { Count: <= PlacementPolicy.NamedNodesLimit } preferred &&
                (record["preferredTerms"] as JsonArray ?? []) is { Count: <= PlacementPolicy.NamedNodesLimit } preferredTerms
                ? new PlacementRecord(
                    type, outcome, mode, Text(record["node"]), Text(record["location"]),
                    [.. required.Select(Text).OfType<string>()],
                    record["requiredNames"] is JsonArray,
                    [
                        .. preferred.Where(t => Number(t.Value) is not null).Select(t => new PreferredTerm(Number(t.Value)!.Value, NodeSelectorTerm.Hostnames([t.Key]))),
                        .. preferredTerms.OfType<JsonObject>().Select(Preference),
                    ],
                    record["neutralSpread"] is JsonValue spread && spread.TryGetValue<bool>(out var isNeutral) && isNeutral,
                    [.. (record["requests"] as JsonObject ?? []).SelectMany(Requested)])
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static PreferredTerm Preference(JsonObject term)
    {
        var nodes = term["preference"] as JsonObject;
        return new PreferredTerm(Number(term["weight"]) ?? 0, new NodeSelectorTerm(Requirements(nodes?["matchExpressions"]), Requirements(nodes?["matchFields"])));
    }

    static NodeSelectorRequirement[] Requirements(JsonNode? list) =>
    [
        .. (list as JsonArray ?? []).OfType<JsonObject>().Where(r => Text(r["key"]) is not null && Enum.TryParse<SelectorOperator>(Text(r["operator"]), out _))
            .Select(r => new NodeSelectorRequirement(
                Text(r["key"])!, Enum.Parse<SelectorOperator>(Text(r["operator"])!), [.. (r["values"] as JsonArray ?? []).Select(Text).OfType<string>()])),
    ];

    static IEnumerable<RecordedRequest> Requested(KeyValuePair<string, JsonNode?> container)
    {
        foreach (var (resource, quantity) in container.Value as JsonObject ?? [])
        {
            if (Text(quantity) is { } text && (resource == AddedRequest.Cpu ? Quantity.TryParseMilli(text, out var amount) : Quantity.TryParseUnits(text, out amount)))
            {
                yield return new RecordedRequest(container.Key, resource, amount);
            }
        }
    }

    static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    static int? Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;
}

/// <summary>A request that was added.</summary>
/// <param name="Container">The container's name.</param>
/// <param name="Resource"><c>cpu</c> or <c>memory</c>.</param>
/// <param name="Amount">How much: thousandths of a core, or bytes.</param>
readonly record struct RecordedRequest(string Container, string Resource, long Amount);
