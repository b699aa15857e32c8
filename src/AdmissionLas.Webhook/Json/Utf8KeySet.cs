using System.Text;

namespace AdmissionLas.Webhook;

/// <summary>A few names to look for among many members, compared as bytes; what is found is the one string that we already hold.</summary>
sealed class Utf8KeySet(IEnumerable<string> names)
{
    const int Longest = 63;

    readonly (byte[] Utf8, string Text)[] names = [.. names.Distinct().Select(n => (Encoding.UTF8.GetBytes(n), n))];

    // One bit for each length that a name has: most members are none of ours, and most of those have another length than any.
    readonly ulong lengths = names.Aggregate(0UL, (bits, name) => bits | (1UL << Math.Min(Longest, Encoding.UTF8.GetByteCount(name))));

    /// <summary>The name or string that was read last, if it is one of ours.</summary>
    internal string? Find(in JsonCursor json)
    {
        if (!json.IsEscaped && ((lengths >> Math.Min(Longest, json.Raw.Length)) & 1) == 0)
        {
            return null;
        }

        foreach (var (utf8, text) in names)
        {
            if (json.TextIs(utf8))
            {
                return text;
            }
        }

        return null;
    }
}
