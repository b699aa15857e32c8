using System.Buffers;

namespace AdmissionLas.Placement;

/// <summary>
/// The node labels that carry latency: <c>&lt;Location&gt;: 0.8ms</c> (as in the LAS thesis, chapter 4) or
/// <c>latency.admissionlas.io/&lt;Location&gt;: "0.8"</c>, which wins.
/// </summary>
public sealed class LatencyLabels : ILatencySource
{
    /// <summary>The prefix of the explicit form.</summary>
    public const string Prefix = "latency.admissionlas.io/";

    /// <summary>The only one: it keeps nothing.</summary>
    public static LatencyLabels Instance { get; } = new();

    static readonly SearchValues<char> DigitsAndPoint = SearchValues.Create("0123456789.");

    /// <summary>
    /// Reads a latency: plain digits with an optional fraction, then nothing or <c>ms</c> (milliseconds), <c>us</c> or <c>s</c>.
    /// </summary>
    /// <returns><see langword="false"/> for anything else, negative numbers, NaN, infinity and exponents among it.</returns>
    public static bool TryParseMs(ReadOnlySpan<char> text, out double latencyMs)
    {
        latencyMs = 0;
        var (number, exponent) = text switch
        {
            [.. var n, 'm', 's'] => (n.Length, "e0"),
            [.. var n, 'u', 's'] => (n.Length, "e-3"),
            [.. var n, 's'] => (n.Length, "e3"),
            _ => (text.Length, "e0"),
        };
        var digits = text[..number];
        // The unit goes into the text and not into a product, which would be rounded once more: 9us and 0.009ms must be the same number,
        // because nodes at the same latency share a weight.
        return !digits.IsEmpty && char.IsAsciiDigit(digits[0]) && char.IsAsciiDigit(digits[^1]) && !digits.ContainsAnyExcept(DigitsAndPoint) &&
            double.TryParse(
                string.Concat(digits, exponent), NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out latencyMs) &&
            double.IsFinite(latencyMs);
    }

    /// <summary>
    /// Reads both forms. Where a location has both, the prefixed one counts, even when it cannot be read: an older value under the bare key would
    /// be a guess.
    /// </summary>
    public static NodeLatencies Read(IReadOnlyDictionary<string, string> labels)
    {
        List<Latency>? known = null;
        List<UnreadableLabel>? unreadable = null;
        foreach (var (key, value) in labels)
        {
            var isExplicit = key.StartsWith(Prefix, StringComparison.Ordinal);
            var location = isExplicit ? key[Prefix.Length..] : key;
            if (!LabelSyntax.IsName(location) || (!isExplicit && labels.ContainsKey(Prefix + location)))
            {
                continue;
            }

            if (TryParseMs(value, out var latencyMs))
            {
                (known ??= []).Add(new Latency(location, latencyMs));
            }
            else
            {
                (unreadable ??= []).Add(new UnreadableLabel(location, value, isExplicit));
            }
        }

        // In one order, so that the same labels are the same latencies.
        known?.Sort(static (a, b) => string.CompareOrdinal(a.Location, b.Location));
        unreadable?.Sort(static (a, b) => string.CompareOrdinal(a.Location, b.Location));
        return known is null && unreadable is null ? NodeLatencies.None : new NodeLatencies(known ?? [], unreadable ?? []);
    }

    /// <inheritdoc/>
    public NodeLatencies Of(NodeFacts node) => Read(node.Labels);
}
