using System.Runtime.InteropServices;
using static AdmissionLas.Kubernetes.JsonElementFields;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// Reads from a Node what placement needs; volumes, conditions and addresses, which are most of it, are dropped.
/// Fields that are missing or have the wrong type count as absent.
/// </summary>
public static class NodeReader
{
    /// <summary>Reads a Node object.</summary>
    /// <returns><see langword="null"/> when it has no name, or holds text that is not valid Unicode.</returns>
    public static NodeFacts? Read(JsonElement node) => ReadValid(node, ReadFacts)?.WithLatenciesOf(LatencySources);

    /// <summary>Where latencies come from. A source that measures is another entry.</summary>
    static readonly ILatencySource[] LatencySources = [LatencyLabels.Instance];

    static NodeFacts? ReadFacts(JsonElement node)
    {
        var metadata = Member(node, "metadata");
        var spec = Member(node, "spec");
        var status = Member(node, "status");
        var allocatable = Member(status, "allocatable");
        return ObjectMetadata.Name(node) is not { Length: > 0 } name
            ? null
            : new NodeFacts
            {
                Name = name,
                Labels = Labels(Member(metadata, "labels")),
                Taints = [.. Items(Member(spec, "taints")).Select(Taint).OfType<Taint>()],
                IsCordoned = Member(spec, "unschedulable").ValueKind == JsonValueKind.True,
                IsReady = Items(Member(status, "conditions")).Any(c => Text(Member(c, "type")) == "Ready" && Text(Member(c, "status")) == "True"),
                Allocatable = ResourceList(allocatable),
                AllocatablePods = Quantity.TryParseUnits(Text(Member(allocatable, "pods")) ?? "", out var pods) ? pods : 0,
                Images = Images(Member(status, "images")),
            };
    }

    // Each change of a node brings all its images, most of the object.
    static NodeImages Images(JsonElement images)
    {
        var read = new List<(ImageId Image, long Bytes)>();
        foreach (var image in Items(images))
        {
            if (Member(image, "sizeBytes") is { ValueKind: JsonValueKind.Number } size && size.TryGetInt64(out var bytes))
            {
                foreach (var name in Items(Member(image, "names")))
                {
                    if (name.ValueKind == JsonValueKind.String)
                    {
                        read.Add((ImageId.Of(JsonMarshal.GetRawUtf8Value(name)[1..^1]), bytes));
                    }
                }
            }
        }

        return NodeImages.Of(CollectionsMarshal.AsSpan(read));
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
}
