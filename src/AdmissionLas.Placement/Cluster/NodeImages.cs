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
    /// <param name="images">In any order; the same one may come more than once.</param>
    public static NodeImages Of(ReadOnlySpan<(ImageId Image, long Bytes)> images)
    {
        var kept = new (ulong Hash, long Bytes)[images.Length];
        var count = 0;
        foreach (var (image, bytes) in images)
        {
            if (bytes >= SmallestBytes)
            {
                kept[count++] = (image.Hash, bytes);
            }
        }

        kept.AsSpan(0, count).Sort();
        var different = 0;
        for (var i = 0; i < count; i++)
        {
            if (i == 0 || kept[i] != kept[i - 1])
            {
                kept[different++] = kept[i];
            }
        }

        return different == 0 ? None : new NodeImages(kept[..different]);
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
