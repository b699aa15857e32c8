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

    /// <summary>Whether an API server can create the pod as it is named: the pod itself, its namespace and its containers.</summary>
    /// <param name="name">metadata.name, or metadata.generateName.</param>
    /// <param name="isPrefix">It is metadata.generateName.</param>
    /// <param name="pod">The pod.</param>
    public static bool CanBeCreated(string name, bool isPrefix, PodFacts pod) =>
        (isPrefix ? IsPrefix(name) : IsSubdomain(name)) && IsLabel(pod.Namespace) && pod.Containers.Length > 0 && AllNamed(pod.Containers.AsSpan()) &&
        AllNamed(pod.InitContainers.AsSpan());

    // A dash at its end is followed by the letters that the API server adds
    // (maskTrailingDash in https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/api/validation/generic.go).
    static bool IsPrefix(ReadOnlySpan<char> text)
    {
        if (text is not [.., _, '-'] || text.Length > LongestName)
        {
            return IsSubdomain(text);
        }

        Span<char> masked = stackalloc char[text.Length - 1];
        text[..^1].CopyTo(masked);
        masked[^1] = 'a';
        return IsSubdomain(masked);
    }

    static bool IsPart(ReadOnlySpan<char> text) => !text.IsEmpty && text[0] != '-' && text[^1] != '-' && !text.ContainsAnyExcept(Allowed);

    static bool AllNamed(ReadOnlySpan<ContainerFacts> containers)
    {
        foreach (ref readonly var container in containers)
        {
            if (container.Name.Length == 0)
            {
                return false;
            }
        }

        return true;
    }
}
