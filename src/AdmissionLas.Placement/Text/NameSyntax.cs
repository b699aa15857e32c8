using System.Buffers;

namespace AdmissionLas.Placement;

/// <summary>
/// Kubernetes' rules for the names of objects. Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/.
/// </summary>
public static class NameSyntax
{
    const int MaxSubdomainLength = 253;
    const int MaxLabelLength = 63;

    static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");

    /// <summary>Whether an API server can create the pod as it is named: the pod itself, its namespace and its containers.</summary>
    /// <param name="name">metadata.name, or metadata.generateName.</param>
    /// <param name="isPrefix">It is metadata.generateName.</param>
    /// <param name="pod">The pod.</param>
    public static bool CanBeCreated(string name, bool isPrefix, PodFacts pod) =>
        (isPrefix ? IsPrefix(name) : IsSubdomain(name)) && IsLabel(pod.Namespace) && pod.Containers.Length > 0 && AllNamed(pod.Containers.AsSpan()) &&
        AllNamed(pod.InitContainers.AsSpan());

    static bool IsLabel(ReadOnlySpan<char> text) => text.Length <= MaxLabelLength && IsPart(text);

    static bool IsSubdomain(ReadOnlySpan<char> text)
    {
        foreach (var part in text.Split('.'))
        {
            if (!IsPart(text[part]))
            {
                return false;
            }
        }

        return text.Length <= MaxSubdomainLength;
    }

    // A dash at its end is followed by the letters that the API server adds
    // (maskTrailingDash in https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apimachinery/pkg/api/validation/generic.go).
    static bool IsPrefix(ReadOnlySpan<char> text)
    {
        if (text is not [.., _, '-'] || text.Length > MaxSubdomainLength)
        {
            return IsSubdomain(text);
        }

        Span<char> masked = stackalloc char[text.Length - 1];
        text[..^1].CopyTo(masked);
        masked[^1] = 'a';
        return IsSubdomain(masked);
    }

    static bool IsPart(ReadOnlySpan<char> text) =>
        text.Length > 0 && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1]) && !text.ContainsAnyExcept(Allowed);

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
