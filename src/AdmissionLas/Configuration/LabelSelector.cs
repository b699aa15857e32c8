using System.Text.RegularExpressions;

namespace AdmissionLas.Configuration;

/// <summary>
/// Parses label selectors in the syntax of kubectl: <c>tier=cloud</c>, <c>tier!=edge</c>, <c>tier in (cloud, core)</c>, <c>tier notin (edge)</c>,
/// <c>tier</c>, <c>!tier</c>, joined by commas.
/// Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors.
/// </summary>
static partial class LabelSelector
{
    /// <summary>Reads a selector into a node selector term.</summary>
    /// <returns><see langword="false"/> when the text is not a selector; the empty text is not.</returns>
    internal static bool TryParse(string text, out NodeSelectorTerm term)
    {
        var requirements = new List<NodeSelectorRequirement>();
        term = new NodeSelectorTerm(requirements, []);
        var position = 0;
        while (true)
        {
            var match = Requirement().Match(text, position);
            if (!match.Success)
            {
                return false;
            }

            requirements.Add(ToRequirement(match));
            position += match.Length;
            if (position == text.Length)
            {
                return true;
            }

            if (text[position++] != ',')
            {
                return false;
            }
        }
    }

    /// <summary>Writes a term that was read.</summary>
    internal static string Write(NodeSelectorTerm term) => string.Join(',', term.MatchExpressions.Select(on => on switch
    {
        { Operator: SelectorOperator.Exists } => on.Key,
        { Operator: SelectorOperator.DoesNotExist } => $"!{on.Key}",
        { Operator: SelectorOperator.In, Values: [var value] } => $"{on.Key}={value}",
        { Operator: SelectorOperator.NotIn, Values: [var value] } => $"{on.Key}!={value}",
        { Operator: SelectorOperator.In } => $"{on.Key} in ({string.Join(", ", on.Values)})",
        _ => $"{on.Key} notin ({string.Join(", ", on.Values)})",
    }));

    static NodeSelectorRequirement ToRequirement(Match match)
    {
        var key = match.Groups["key"].Value;
        string[] values = match.Groups["set"].Success
            ? match.Groups["set"].Value.Split(',', StringSplitOptions.TrimEntries)
            : [match.Groups["value"].Value];
        return match.Groups["not"].Success ? new(key, SelectorOperator.DoesNotExist, [])
            : match.Groups["is"].Value is "=" or "==" || match.Groups["in"].Value == "in" ? new(key, SelectorOperator.In, values)
            : match.Groups["is"].Value is "!=" || match.Groups["in"].Value == "notin" ? new(key, SelectorOperator.NotIn, values)
            : new(key, SelectorOperator.Exists, []);
    }

    [GeneratedRegex("""
        \G\s*(?:
            (?<not>!)\s*(?<key>[\w./-]+)
          | (?<key>[\w./-]+)\s*(?<is>==?|!=)\s*(?<value>[\w.-]*)
          | (?<key>[\w./-]+)\s+(?<in>in|notin)\s*\((?<set>[\w.,\s-]*)\)
          | (?<key>[\w./-]+)
        )\s*
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Requirement();
}
