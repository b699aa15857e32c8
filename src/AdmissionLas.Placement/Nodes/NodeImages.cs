namespace AdmissionLas.Placement;

/// <summary>The images that a node has, with their sizes: the scheduler prefers nodes that have a pod's images.</summary>
public sealed class NodeImages : IEquatable<NodeImages>
{
    /// <summary>Below it an image counts for nothing on any node.</summary>
    public const long SmallestBytes = 23 << 20;

    readonly (ulong Hash, long Bytes)[] images;

    NodeImages((ulong Hash, long Bytes)[] images) => this.images = images;

    /// <summary>No image at all, or none that is known.</summary>
    public static NodeImages None { get; } = new([]);

    /// <summary>How many names are known.</summary>
    public int Count => images.Length;

    /// <summary>Keeps those that are large enough to count.</summary>
    public static NodeImages Of(IEnumerable<(ImageId Image, long Bytes)> images)
    {
        var kept = images.Where(i => i.Bytes >= SmallestBytes).Select(i => (i.Image.Hash, i.Bytes)).Distinct().ToArray();
        Array.Sort(kept);
        return kept.Length == 0 ? None : new NodeImages(kept);
    }

    /// <summary>The size of an image, bytes; zero when the node does not have it.</summary>
    public long BytesOf(ImageId image)
    {
        var at = Array.BinarySearch(images, (image.Hash, 0L));
        at = at < 0 ? ~at : at;
        return at < images.Length && images[at].Hash == image.Hash ? images[at].Bytes : 0;
    }

    /// <inheritdoc/>
    public bool Equals(NodeImages? other) => other is not null && images.AsSpan().SequenceEqual(other.images);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as NodeImages);

    /// <inheritdoc/>
    public override int GetHashCode() => images.Length;
}
