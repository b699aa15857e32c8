using System.Text;

namespace AdmissionLas.Webhook;

/// <summary>
/// Values under names that are looked up by their UTF-8 bytes. Most members of a pod are not among them, and most of those differ in length
/// already.
/// </summary>
sealed class JsonNames<TValue> where TValue : class
{
    (byte[] Name, TValue Value)[][] byLength = [];

    /// <summary>These names and values, to which more can be added.</summary>
    internal JsonNames(params IEnumerable<(string Name, TValue Value)> names)
    {
        foreach (var (name, value) in names)
        {
            this[name] = value;
        }
    }

    /// <summary>The same names and values, to which more can be added.</summary>
    internal JsonNames(JsonNames<TValue> others) => byLength = [.. others.byLength];

    /// <summary>Adds a name.</summary>
    internal TValue this[string name]
    {
        set
        {
            var utf8 = Encoding.UTF8.GetBytes(name);
            while (byLength.Length <= utf8.Length)
            {
                byLength = [.. byLength, []];
            }

            byLength[utf8.Length] = [.. byLength[utf8.Length], (utf8, value)];
        }
    }

    /// <summary>The value under a name, if there is one.</summary>
    internal TValue? Find(ReadOnlySpan<byte> name)
    {
        if (name.Length < byLength.Length)
        {
            foreach (var (known, value) in byLength[name.Length])
            {
                if (name.SequenceEqual(known))
                {
                    return value;
                }
            }
        }

        return null;
    }
}
