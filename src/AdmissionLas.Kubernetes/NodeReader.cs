using System.Text.Json;
using AdmissionLas.Placement;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// Takes from a Node what placement needs and drops the rest at the door: images, volumes and conditions are most of an object.
/// Fields that are missing or of a wrong type count as absent, so that one odd node never stops the feed.
/// </summary>
public static class NodeReader
{
    /// <summary>Reads a Node object.</summary>
    /// <returns><see langword="null"/> when it has no name, or holds what no text can hold.</returns>
    public static NodeFacts? Read(JsonElement node)
    {
        try
        {
            return ReadFacts(node);
        }
        // Half a surrogate pair or bytes that are no UTF-8 pass the JSON reader and fail only here, where a fault would cost the whole list.
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>metadata.resourceVersion of any object, a bookmark among them.</summary>
    public static string? ResourceVersion(JsonElement any) => Text(Member(Member(any, "metadata"), "resourceVersion"));

    /// <summary>metadata.name of any object.</summary>
    public static string? Name(JsonElement any) => Text(Member(Member(any, "metadata"), "name"));

    static NodeFacts? ReadFacts(JsonElement node)
    {
        var metadata = Member(node, "metadata");
        var spec = Member(node, "spec");
        var status = Member(node, "status");
        var allocatable = Member(status, "allocatable");
        return Text(Member(metadata, "name")) is not { Length: > 0 } name
            ? null
            : new NodeFacts
            {
                Name = name,
                Labels = Labels(Member(metadata, "labels")),
                Taints = [.. Items(Member(spec, "taints")).Select(Taint).OfType<Taint>()],
                IsCordoned = Member(spec, "unschedulable").ValueKind == JsonValueKind.True,
                IsReady = Items(Member(status, "conditions")).Any(c => Text(Member(c, "type")) == "Ready" && Text(Member(c, "status")) == "True"),
                Allocatable = Resources(allocatable),
                AllocatablePods = Quantity.TryParseUnits(Text(Member(allocatable, "pods")) ?? "", out var pods) ? pods : 0,
            };
    }

    static Dictionary<string, string> Labels(JsonElement labels)
    {
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in Members(labels))
        {
            if (Text(label.Value) is { } value)
            {
                read[label.Name] = value;
            }
        }

        return read;
    }

    static Taint? Taint(JsonElement taint) =>
        Text(Member(taint, "key")) is { } key && TaintEffects.TryParse(Text(Member(taint, "effect")), out var effect)
            ? new Taint(key, Text(Member(taint, "value")) ?? "", effect)
            : null;

    static Resources Resources(JsonElement list)
    {
        long? cpuMilli = null;
        long? memoryBytes = null;
        List<ResourceAmount>? other = null;
        foreach (var entry in Members(list))
        {
            var text = Text(entry.Value) ?? "";
            switch (entry.Name)
            {
                case "cpu" when Quantity.TryParseMilli(text, out var milli): cpuMilli = milli; break;
                case "memory" when Quantity.TryParseUnits(text, out var bytes): memoryBytes = bytes; break;
                case "cpu" or "memory" or "pods": break;
                default:
                    if (Quantity.TryParseUnits(text, out var amount))
                    {
                        (other ??= []).Add(new ResourceAmount(entry.Name, amount));
                    }

                    break;
            }
        }

        return new Resources(cpuMilli, memoryBytes, other);
    }

    static JsonElement Member(JsonElement parent, string name) =>
        parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) ? member : default;

    static IEnumerable<JsonProperty> Members(JsonElement parent) => parent.ValueKind == JsonValueKind.Object ? parent.EnumerateObject() : Enumerable.Empty<JsonProperty>();

    static IEnumerable<JsonElement> Items(JsonElement parent) => parent.ValueKind == JsonValueKind.Array ? parent.EnumerateArray() : Enumerable.Empty<JsonElement>();

    // A number is taken as it stands: hand-written snapshots say `pods: 110` where the API server says "110".
    static string? Text(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString(),
        JsonValueKind.Number => element.GetRawText(),
        _ => null,
    };
}
