// This folder exists for speed alone. With dictionaries in its place a review allocates about 0.4 KB more, and the bound is 3 KB a review.
using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace AdmissionLas.Webhook;

/// <summary>
/// The few labels or annotations of a pod that anybody asks for. Of two or three a list is searched faster than a hash is made, and takes a
/// third of a dictionary's memory; how many there can be is bounded by the keys that rules and hints name.
/// </summary>
sealed class SmallStringMap : IReadOnlyDictionary<string, string>
{
    KeyValuePair<string, string>[] texts = new KeyValuePair<string, string>[2];

    public int Count { get; private set; }

    public string this[string key] => TryGetValue(key, out var text) ? text : throw new KeyNotFoundException(key);

    public IEnumerable<string> Keys => this.Select(t => t.Key);

    public IEnumerable<string> Values => this.Select(t => t.Value);

    /// <summary>Adds a text, or replaces the one under the same key.</summary>
    internal void Set(string key, string text)
    {
        var at = IndexOf(key);
        if (at < 0)
        {
            at = Count++;
            if (at == texts.Length)
            {
                Array.Resize(ref texts, 2 * at);
            }
        }

        texts[at] = new(key, text);
    }

    public bool ContainsKey(string key) => IndexOf(key) >= 0;

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        var at = IndexOf(key);
        value = at < 0 ? null : texts[at].Value;
        return at >= 0;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => texts.Take(Count).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    int IndexOf(string key)
    {
        for (var i = 0; i < Count; i++)
        {
            if (texts[i].Key == key)
            {
                return i;
            }
        }

        return -1;
    }
}
