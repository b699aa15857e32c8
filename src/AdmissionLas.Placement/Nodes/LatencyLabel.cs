using System.Buffers;
using System.Globalization;

namespace AdmissionLas.Placement;

/// <summary>
/// The node labels that carry latency: <c>&lt;Location&gt;: 0.8ms</c> (as in the LAS thesis, chapter 4) or
/// <c>latency.admissionlas.io/&lt;Location&gt;: "0.8"</c>, which wins.
/// </summary>
public static class LatencyLabel
{
    /// <summary>The prefix of the explicit form.</summary>
    public const string Prefix = "latency.admissionlas.io/";

    static readonly SearchValues<char> DigitsAndPoint = SearchValues.Create("0123456789.");

    /// <summary>
    /// Reads a latency: plain digits with an optional fraction, then nothing or <c>ms</c> (milliseconds), <c>us</c> or <c>s</c>.
    /// </summary>
    /// <returns><see langword="false"/> for anything else, negative numbers, NaN, infinity and exponents among it.</returns>
    public static bool TryParseMs(ReadOnlySpan<char> text, out double latencyMs)
    {
        latencyMs = 0;
        var (number, unitMs) = text switch
        {
            [.. var n, 'm', 's'] => (n.Length, 1.0),
            [.. var n, 'u', 's'] => (n.Length, 1e-3),
            [.. var n, 's'] => (n.Length, 1e3),
            _ => (text.Length, 1.0),
        };
        var digits = text[..number];
        if (digits.IsEmpty || !char.IsAsciiDigit(digits[0]) || !char.IsAsciiDigit(digits[^1]) || digits.ContainsAnyExcept(DigitsAndPoint) ||
            !double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
        {
            return false;
        }

        latencyMs = value * unitMs;
        return double.IsFinite(latencyMs);
    }
}
