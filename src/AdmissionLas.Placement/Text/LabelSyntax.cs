using System.Buffers;

namespace AdmissionLas.Placement;

/// <summary>
/// Kubernetes' rules for the name part of a label key and for a label value.
/// Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set.
/// </summary>
public static class LabelSyntax
{
    /// <summary>The most characters a name or a value may have.</summary>
    public const int MaxLength = 63;

    /// <summary>The domain of labels that a kubelet may not write.</summary>
    public const string NodeRestriction = "node-restriction.kubernetes.io";

    static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <summary>
    /// Whether the text can be the name part of a label key: 1 to 63 characters of <c>[A-Za-z0-9-_.]</c>, alphanumeric at both ends.
    /// A location that fails this test can stand on no node.
    /// </summary>
    public static bool IsName(ReadOnlySpan<char> text) =>
        text is { Length: > 0 and <= MaxLength } && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1]) &&
        !text.ContainsAnyExcept(Allowed);

    /// <summary>
    /// Whether the API server keeps kubelets from writing the label: the key's prefix is <c>node-restriction.kubernetes.io</c> or ends in it.
    /// Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction, which has to be on.
    /// </summary>
    public static bool IsNodeRestricted(string key) =>
        key.StartsWith($"{NodeRestriction}/", StringComparison.Ordinal) ||
        key.IndexOf('/', StringComparison.Ordinal) is > 0 and var end && key.AsSpan(0, end).EndsWith($".{NodeRestriction}", StringComparison.Ordinal);
}
