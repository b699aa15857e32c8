using System.Runtime.InteropServices;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// Reads from a Node what placement needs; volumes, conditions and addresses, which are most of it, are dropped.
/// Fields that are missing or have the wrong type count as absent.
/// </summary>
public static class NodeReader
{
    /// <summary>No honest node has a tenth of it. A kubelet may write 20,000, again and again, and each would be looked at every time.</summary>
    const int MostLabels = 2048;

    /// <summary>Reads a Node object.</summary>
    /// <param name="node">The object.</param>
    /// <param name="latencies">Which of its labels are latencies.</param>
    /// <returns><see langword="null"/> when it has no name, or holds text that is not valid Unicode.</returns>
    public static NodeFacts? Read(JsonElement node, LatencyLabels latencies) => node.ReadValid(ReadFacts)?.WithLatenciesOf(latencies);

    static NodeFacts? ReadFacts(JsonElement node)
    {
        var spec = node.Member("spec");
        var status = node.Member("status");
        var allocatable = status.Member("allocatable");
        return ObjectMetadata.Name(node) is not { Length: > 0 } name
            ? null
            : new NodeFacts
            {
                Name = name,
                Labels = ObjectMetadata.Labels(node, MostLabels),
                Taints = [.. spec.Member("taints").Items().Select(Taint).OfType<Taint>()],
                IsCordoned = spec.Member("unschedulable").ValueKind == JsonValueKind.True,
                IsReady = status.Member("conditions").Items().Any(c => c.Member("type").Text() == "Ready" && c.Member("status").Text() == "True"),
                KubeletMinor = MinorOf(status.Member("nodeInfo").Member("kubeletVersion").Text()),
                Allocatable = allocatable.ResourceList(most: ResourceNames.MaxOfNode),
                AllocatablePods = Quantity.TryParseUnits(allocatable.Member("pods").Text() ?? "", out var pods) ? pods : 0,
                Images = Images(status.Member("images")),
            };
    }

    // v1.36.2, or with a provider's own words behind it.
    static int MinorOf(string? version) => version?.Split('.') is ["v1", var minor, ..] && int.TryParse(minor, NumberStyles.None, CultureInfo.InvariantCulture, out var read) ? read : 0;

    // Each change of a node brings all its images, most of the object.
    static NodeImages Images(JsonElement images)
    {
        var read = new List<(ImageId Image, long Bytes)>();
        foreach (var image in images.Items())
        {
            if (image.Member("sizeBytes") is { ValueKind: JsonValueKind.Number } size && size.TryGetInt64(out var bytes))
            {
                foreach (var name in image.Member("names").Items())
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

    static Taint? Taint(JsonElement taint) =>
        taint.Member("key").Text() is { } key && TaintEffects.TryParse(taint.Member("effect").Text(), out var effect)
            ? new Taint(key, taint.Member("value").Text() ?? "", effect)
            : null;
}
