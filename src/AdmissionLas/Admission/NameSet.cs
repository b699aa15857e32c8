using System.Text;
using System.Text.Json;

namespace AdmissionLas.Admission;

/// <summary>A few names to look for among many members, compared as bytes; what is found is the one string that we already hold.</summary>
sealed class NameSet(IEnumerable<string> names)
{
    readonly (byte[] Utf8, string Text)[] names = [.. names.Distinct().Select(n => (Encoding.UTF8.GetBytes(n), n))];

    /// <summary>The name that the member or string has on which the reader stands, if it is one of ours.</summary>
    internal string? Find(ref Utf8JsonReader reader)
    {
        foreach (var (utf8, text) in names)
        {
            if (reader.ValueTextEquals(utf8))
            {
                return text;
            }
        }

        return null;
    }
}
