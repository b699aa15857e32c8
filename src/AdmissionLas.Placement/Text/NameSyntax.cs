using System.Buffers;

namespace AdmissionLas.Placement;

/// <summary>
/// Kubernetes' rules for the names of objects. Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/.
/// </summary>
public static class NameSyntax
{
    /// <summary>The most characters of a name: a DNS subdomain (RFC 1123).</summary>
    public const int LongestName = 253;

    /// <summary>The most characters of a namespace's or a container's name: a DNS label (RFC 1123).</summary>
    public const int LongestLabel = 63;

    static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Whether an object, such as a pod, can have this name: labels of any length with dots between them, 1 to 253 characters in all.</summary>
    public static bool IsSubdomain(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > LongestName)
        {
            return false;
        }

        foreach (var part in text.Split('.'))
        {
            if (!IsPart(text[part]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a namespace can have this name: 1 to 63 characters of <c>[a-z0-9-]</c>, no hyphen at either end.</summary>
    public static bool IsLabel(ReadOnlySpan<char> text) => text.Length <= LongestLabel && IsPart(text);

    static bool IsPart(ReadOnlySpan<char> text) => !text.IsEmpty && text[0] != '-' && text[^1] != '-' && !text.ContainsAnyExcept(Allowed);
}
