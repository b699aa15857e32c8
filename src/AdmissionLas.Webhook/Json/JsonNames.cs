using System.Text;

namespace AdmissionLas.Webhook;

/// <summary>Values under names that are looked up by their UTF-8 bytes.</summary>
sealed class JsonNames<TValue> where TValue : class
{
    const uint Places = 64;

    // At the place that their length, first and last byte give, or behind it. Most members of a pod are not among the names: they find an empty place.
    readonly byte[]?[] names;
    readonly TValue?[] values;

    /// <summary>These names and values, to which more can be added.</summary>
    internal JsonNames(params IEnumerable<(string Name, TValue Value)> names)
    {
        (this.names, values) = (new byte[Places][], new TValue[Places]);
        foreach (var (name, value) in names)
        {
            this[name] = value;
        }
    }

    /// <summary>The same names and values, to which more can be added.</summary>
    internal JsonNames(JsonNames<TValue> others) => (names, values) = ([.. others.names], [.. others.values]);

    /// <summary>Adds a name; there can be a few dozen.</summary>
    internal TValue this[string name]
    {
        set
        {
            var utf8 = Encoding.UTF8.GetBytes(name);
            var place = PlaceOf(utf8);
            while (names[place] is not null)
            {
                place = (place + 1) % Places;
            }

            (names[place], values[place]) = (utf8, value);
        }
    }

    /// <summary>The value under a name, if there is one.</summary>
    internal TValue? Find(ReadOnlySpan<byte> name)
    {
        for (var place = PlaceOf(name); names[place] is { } known; place = (place + 1) % Places)
        {
            if (name.SequenceEqual(known))
            {
                return values[place];
            }
        }

        return null;
    }

    static uint PlaceOf(ReadOnlySpan<byte> name) => name.IsEmpty ? 0 : (uint)(name.Length + (5 * name[0]) + (11 * name[^1])) % Places;
}
