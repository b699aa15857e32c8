using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace AdmissionLas.Placement;

/// <summary>
/// Kubernetes' resource quantities (<c>500m</c>, <c>1.5</c>, <c>4Gi</c>, <c>1e3</c>), read and written.
/// Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/.
/// </summary>
public static class Quantity
{
    static readonly SearchValues<byte> NumberBytes = SearchValues.Create("+0123456789."u8);

    const long Ki = 1L << 10;
    const long Mi = 1L << 20;
    const long Gi = 1L << 30;

    /// <summary>Reads a CPU quantity into thousandths of a core, rounded up as Kubernetes does.</summary>
    /// <returns><see langword="false"/> when the text is no quantity or is negative.</returns>
    public static bool TryParseMilli(ReadOnlySpan<byte> text, out long milli) => TryParse(text, 1000, out milli);

    /// <summary>Reads a quantity into whole units (bytes, devices), rounded up as Kubernetes does.</summary>
    /// <returns><see langword="false"/> when the text is no quantity or is negative.</returns>
    public static bool TryParseUnits(ReadOnlySpan<byte> text, out long units) => TryParse(text, 1, out units);

    /// <inheritdoc cref="TryParseMilli(ReadOnlySpan{byte}, out long)"/>
    public static bool TryParseMilli(string text, out long milli) => TryParseMilli(Encoding.UTF8.GetBytes(text), out milli);

    /// <inheritdoc cref="TryParseUnits(ReadOnlySpan{byte}, out long)"/>
    public static bool TryParseUnits(string text, out long units) => TryParseUnits(Encoding.UTF8.GetBytes(text), out units);

    /// <summary>Writes thousandths of a core the way people write CPU: <c>2</c>, <c>1500m</c>.</summary>
    public static string FormatCpu(long milli) => milli % 1000 == 0
        ? (milli / 1000).ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{milli}m");

    /// <summary>Writes bytes with the largest binary suffix that loses nothing: <c>4Gi</c>, <c>4000000000</c>.</summary>
    public static string FormatBytes(long bytes) => bytes switch
    {
        > 0 when bytes % Gi == 0 => string.Create(CultureInfo.InvariantCulture, $"{bytes / Gi}Gi"),
        > 0 when bytes % Mi == 0 => string.Create(CultureInfo.InvariantCulture, $"{bytes / Mi}Mi"),
        > 0 when bytes % Ki == 0 => string.Create(CultureInfo.InvariantCulture, $"{bytes / Ki}Ki"),
        _ => bytes.ToString(CultureInfo.InvariantCulture),
    };

    static bool TryParse(ReadOnlySpan<byte> text, long scale, out long amount) => TryParseCommon(text, scale, out amount) || TryParseAny(text, scale, out amount);

    // Whole numbers of what pods and nodes ask for and have: "2", "500m", "128Mi". Decimal arithmetic is exact, and slow.
    static bool TryParseCommon(ReadOnlySpan<byte> text, long scale, out long amount)
    {
        const int mostDigits = 6;
        amount = 0;
        var digits = 0;
        for (; digits < text.Length && char.IsAsciiDigit((char)text[digits]); digits++)
        {
            if (digits == mostDigits)
            {
                return false;
            }

            amount = 10 * amount + (text[digits] - '0');
        }

        var multiplier = text[digits..] switch
        {
            [] => scale,
            [(byte)'m'] when scale == 1000 => 1,
            [(byte)'K', (byte)'i'] => Ki * scale,
            [(byte)'M', (byte)'i'] => Mi * scale,
            [(byte)'G', (byte)'i'] => Gi * scale,
            _ => 0,
        };
        amount *= multiplier;
        return digits > 0 && multiplier > 0;
    }

    static bool TryParseAny(ReadOnlySpan<byte> text, long scale, out long amount)
    {
        amount = 0;
        var digits = text.IndexOfAnyExcept(NumberBytes);
        var number = digits < 0 ? text : text[..digits];
        var suffix = digits < 0 ? default : text[digits..];
        // The last byte: a lone "5." is a quantity for Kubernetes, a lone "." is not; Utf8Parser agrees on both.
        if (!Utf8Parser.TryParse(number, out decimal value, out var used) || used != number.Length || !TryMultiplier(suffix, out var multiplier))
        {
            return false;
        }

        try
        {
            var scaled = decimal.Ceiling(value * multiplier * scale);
            amount = scaled >= long.MaxValue ? long.MaxValue : (long)scaled;
        }
        catch (OverflowException)
        {
            amount = long.MaxValue;
        }

        return true;
    }

    static bool TryMultiplier(ReadOnlySpan<byte> suffix, out decimal multiplier)
    {
        multiplier = suffix switch
        {
            [] => 1m,
            [(byte)'n'] => 1e-9m,
            [(byte)'u'] => 1e-6m,
            [(byte)'m'] => 1e-3m,
            [(byte)'k'] => 1e3m,
            [(byte)'M'] => 1e6m,
            [(byte)'G'] => 1e9m,
            [(byte)'T'] => 1e12m,
            [(byte)'P'] => 1e15m,
            [(byte)'E'] => 1e18m,
            [(byte)'K', (byte)'i'] => Ki,
            [(byte)'M', (byte)'i'] => Mi,
            [(byte)'G', (byte)'i'] => Gi,
            [(byte)'T', (byte)'i'] => 1L << 40,
            [(byte)'P', (byte)'i'] => 1L << 50,
            [(byte)'E', (byte)'i'] => 1L << 60,
            _ => 0m,
        };
        return multiplier != 0m || TryExponent(suffix, out multiplier);
    }

    static bool TryExponent(ReadOnlySpan<byte> suffix, out decimal multiplier)
    {
        multiplier = 0m;
        if (suffix is not [(byte)'e' or (byte)'E', ..] ||
            !Utf8Parser.TryParse(suffix[1..], out int exponent, out var used) || used != suffix.Length - 1 ||
            exponent is < -28 or > 28)
        {
            return false;
        }

        multiplier = 1m;
        for (var i = 0; i < Math.Abs(exponent); i++)
        {
            multiplier = exponent > 0 ? multiplier * 10m : multiplier / 10m;
        }

        return true;
    }
}
