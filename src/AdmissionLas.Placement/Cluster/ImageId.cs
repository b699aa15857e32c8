using System.Text;

namespace AdmissionLas.Placement;

/// <summary>
/// Identifies an image by a hash of its name, so that neither 50 names a node nor one a review have to be kept as text. Two names that share one
/// would only make a score a little wrong. <see langword="default"/> is no image.
/// </summary>
/// <param name="Hash">FNV-1a, 64 bits, of the name with tag or digest.</param>
public readonly record struct ImageId(ulong Hash)
{
    /// <summary>The image of this name; without tag and digest it is the one tagged <c>latest</c>, as for the scheduler.</summary>
    public static ImageId Of(ReadOnlySpan<byte> utf8Name)
    {
        var hash = Hashed(14695981039346656037, utf8Name);
        return new ImageId(utf8Name.LastIndexOf((byte)':') <= utf8Name.LastIndexOf((byte)'/') ? Hashed(hash, ":latest"u8) : hash);
    }

    /// <summary>The image of this name.</summary>
    public static ImageId Of(string name) => Of(Encoding.UTF8.GetBytes(name));

    static ulong Hashed(ulong hash, ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes)
        {
            hash = unchecked((hash ^ b) * 1099511628211);
        }

        return hash;
    }
}
