using System.Buffers;

namespace AdmissionLas.Placement;

/// <summary>
/// The node labels that carry latency: <c>&lt;Location&gt;: 0.8ms</c> (as in the LAS thesis, chapter 4),
/// <c>latency.admissionlas.io/&lt;Location&gt;: "0.8"</c>, which wins over it, and
/// <c>latency.admissionlas.io.node-restriction.kubernetes.io/&lt;Location&gt;</c>, which wins over both and which no kubelet can write
/// (<see cref="LabelSyntax.IsNodeRestricted"/>).
/// </summary>
public sealed class LatencyLabels : ILatencySource
{
    /// <summary>The prefix of the explicit form, which a kubelet may write on its own node.</summary>
    public const string Prefix = "latency.admissionlas.io/";

    /// <summary>The prefix of the form that no kubelet may write.</summary>
    public const string RestrictedPrefix = $"latency.admissionlas.io.{LabelSyntax.NodeRestriction}/";

    /// <summary>The most locations that are read of a node, and the most of its labels that are kept as unreadable.</summary>
    public const int MaxOfNode = 256;

    /// <summary>Reads all forms.</summary>
    public static LatencyLabels All { get; } = new(Prefix, RestrictedPrefix, Prefix, "");

    /// <summary>Reads only what no kubelet can write.</summary>
    public static LatencyLabels Restricted { get; } = new(RestrictedPrefix, RestrictedPrefix);

    readonly string[] prefixes;

    // The first that a key starts with is its form; a location that has it hides those after it.
    LatencyLabels(string advised, params string[] prefixes) => (Advised, this.prefixes) = (advised, prefixes);

    /// <summary>The prefix that a message tells an admin to write.</summary>
    public string Advised { get; }

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
    /// Reads the labels. Where a location has several forms, the most trusted one counts, even when it cannot be read: an older value under another
    /// key would be a guess. Of more than <see cref="MaxOfNode"/> the most trusted forms are kept, each in ordinal order.
    /// </summary>
    public NodeLatencies Read(IReadOnlyDictionary<string, string> labels)
    {
        List<(int Form, string Location, string Value)>? found = null;
        foreach (var (key, value) in labels)
        {
            var form = Array.FindIndex(prefixes, prefix => key.StartsWith(prefix, StringComparison.Ordinal));
            if (form >= 0 && LabelSyntax.IsName(key.AsSpan(prefixes[form].Length)))
            {
                var location = key[prefixes[form].Length..];
                if (!prefixes.Take(form).Any(prefix => labels.ContainsKey(prefix + location)))
                {
                    (found ??= []).Add((form, location, value));
                }
            }
        }

        if (found is null)
        {
            return NodeLatencies.None;
        }

        List<Latency> known = [];
        List<UnreadableLabel> unreadable = [];
        var ignored = 0;
        found.Sort(static (a, b) => a.Form != b.Form ? a.Form - b.Form : string.CompareOrdinal(a.Location, b.Location));
        foreach (var (form, location, value) in found)
        {
            if (!TryParseMs(value, out var latencyMs))
            {
                ignored += TryAdd(unreadable, new UnreadableLabel(location, value, IsExplicit: prefixes[form].Length > 0));
            }
            else
            {
                ignored += TryAdd(known, new Latency(location, latencyMs));
            }
        }

        // In one order, so that the same labels are the same latencies.
        known.Sort(static (a, b) => string.CompareOrdinal(a.Location, b.Location));
        unreadable.Sort(static (a, b) => string.CompareOrdinal(a.Location, b.Location));
        return new NodeLatencies(known, unreadable, ignored);

        static int TryAdd<T>(List<T> list, T item)
        {
            if (list.Count == MaxOfNode)
            {
                return 1;
            }

            list.Add(item);
            return 0;
        }
    }

    /// <inheritdoc/>
    public NodeLatencies Of(NodeFacts node) => Read(node.Labels);
}
