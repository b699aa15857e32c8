using System.Globalization;
using System.Runtime.CompilerServices;

namespace AdmissionLas.Placement;

/// <summary>How decisions are put into words.</summary>
static class Words
{
    const int LongestEcho = LabelSyntax.MaxLength;

    /// <summary>User input as far as it is worth repeating.</summary>
    internal static string Shorten(string text) => text.Length <= LongestEcho ? text : $"{Cut(text, LongestEcho)}… ({text.Length} characters)";

    /// <summary>The beginning of a text, at most this many characters; never half a surrogate pair, which is no text.</summary>
    internal static ReadOnlySpan<char> Cut(string text, int length) =>
        text.Length <= length ? text : text.AsSpan(0, char.IsHighSurrogate(text[length - 1]) ? length - 1 : length);

    /// <summary>A latency to the microsecond: <c>9.8 ms</c>.</summary>
    internal static string Ms(double latencyMs)
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[32]);
        AppendMs(ref text, latencyMs);
        return text.ToStringAndClear();
    }

    /// <inheritdoc cref="Ms"/>
    internal static void AppendMs(ref DefaultInterpolatedStringHandler text, double latencyMs)
    {
        // The format "0.###" costs more than all the rest of an explanation.
        var thousandths = Math.Round(latencyMs * 1000, MidpointRounding.AwayFromZero);
        if (thousandths is >= 0 and < 1e15)
        {
            var (whole, part) = Math.DivRem((long)thousandths, 1000L);
            text.AppendFormatted(whole);
            for (var (rest, unit) = (part, 100L); rest > 0; (rest, unit) = (rest % unit, unit / 10))
            {
                text.AppendLiteral(unit == 100 ? "." : "");
                text.AppendFormatted(rest / unit);
            }
        }
        else
        {
            text.AppendFormatted(latencyMs, "0.###");
        }

        text.AppendLiteral(" ms");
    }

    /// <summary>CPUs as people count them: <c>6.5</c>.</summary>
    internal static string Cpus(long cpuMilli) => string.Create(CultureInfo.InvariantCulture, $"{cpuMilli / 1000.0:0.###}");

    internal static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : string.Create(CultureInfo.InvariantCulture, $"{count} {noun}s");

    internal static string Of(PlacementMode mode) => mode switch
    {
        PlacementMode.Adaptive => "adaptive",
        PlacementMode.Preferred => "preferred",
        PlacementMode.Required => "required",
        _ => "off",
    };

    internal static string Of(FilterResult verdict) => verdict switch
    {
        FilterResult.CanRun => "can run it",
        FilterResult.NotReady => "not ready",
        FilterResult.Cordoned => "cordoned",
        FilterResult.Tainted => "tainted",
        FilterResult.NodeSelector => "excluded by the pod's nodeSelector",
        FilterResult.NodeAffinity => "excluded by the pod's node affinity",
        FilterResult.Cpu => "too little cpu",
        FilterResult.Memory => "too little memory",
        FilterResult.OtherResource => "too little of another resource",
        _ => "full of pods",
    };

    /// <summary>How many machines are meant of which none will do.</summary>
    internal static string None(int count) => count switch
    {
        0 => "no machine",
        1 => "not one machine",
        _ => string.Create(CultureInfo.InvariantCulture, $"none of the {count} machines"),
    };

    /// <summary>Why machines cannot run a step, for its author: the most frequent reasons first.</summary>
    internal static string Plainly(IEnumerable<FilterResult> verdicts)
    {
        const int most = 3;
        return string.Join(", ", verdicts.GroupBy(Plainly).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal)
            .Take(most).Select(g => string.Create(CultureInfo.InvariantCulture, $"{g.Count()} {g.Key}")));
    }

    static string Plainly(FilterResult verdict) => verdict switch
    {
        FilterResult.CanRun => "can",
        FilterResult.NotReady => "down",
        FilterResult.Cordoned => "closed for maintenance",
        FilterResult.Tainted => "reserved for other work",
        FilterResult.NodeSelector or FilterResult.NodeAffinity => "ruled out by the step itself",
        FilterResult.Cpu => "with too few CPUs",
        FilterResult.Memory => "with too little memory",
        FilterResult.OtherResource => "without the device it needs",
        _ => "full",
    };

    /// <summary>Selector terms in kubectl's notation: <c>tier in (cloud)</c>.</summary>
    internal static string Of(NodeSelectorTerm term) => string.Join(", ", term.MatchExpressions.Concat(term.MatchFields).Select(Of));

    static string Of(NodeSelectorRequirement requirement) => requirement.Operator switch
    {
        SelectorOperator.Exists => requirement.Key,
        SelectorOperator.DoesNotExist => $"!{requirement.Key}",
        SelectorOperator.In => $"{requirement.Key} in ({string.Join(", ", requirement.Values)})",
        SelectorOperator.NotIn => $"{requirement.Key} notin ({string.Join(", ", requirement.Values)})",
        _ => $"{requirement.Key} {requirement.Operator} {string.Join(", ", requirement.Values)}",
    };

    /// <summary>Who said what the step is.</summary>
    internal static string Rules(Step step)
    {
        var text = new DefaultInterpolatedStringHandler(0, 0, CultureInfo.InvariantCulture, stackalloc char[128]);
        AppendRules(ref text, step);
        return text.ToStringAndClear();
    }

    /// <inheritdoc cref="Rules"/>
    internal static void AppendRules(ref DefaultInterpolatedStringHandler text, Step step)
    {
        text.AppendLiteral("by ");
        text.AppendLiteral(step.TypeRule);
        if (step.LocationRule is { } rule && rule != step.TypeRule)
        {
            text.AppendLiteral(", ");
            text.AppendLiteral(rule);
        }
    }
}
