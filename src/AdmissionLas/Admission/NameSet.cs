using System.Text;

namespace AdmissionLas.Admission;

/// <summary>A few names to look for among many members, compared as bytes; what is found is the one string that we already hold.</summary>
sealed class NameSet(IEnumerable<string> names)
{
    readonly (byte[] Utf8, string Text)[] names = [.. names.Distinct().Select(n => (Encoding.UTF8.GetBytes(n), n))];

    /// <summary>The name or string that was read last, if it is one of ours.</summary>
    internal string? Find(in JsonCursor json)
    {
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
