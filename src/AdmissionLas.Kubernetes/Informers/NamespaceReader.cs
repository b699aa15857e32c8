using System.Runtime.InteropServices;

namespace AdmissionLas.Kubernetes;

/// <summary>Reads from a Namespace what the anti-affinity of pods can ask for.</summary>
public static class NamespaceReader
{
    /// <summary>Honest namespaces have fewer labels, and they are kept for each namespace.</summary>
    const int MaxBytes = 4096;

    /// <summary>Its labels.</summary>
    /// <returns><see langword="null"/> when they are too many, or not all there: the API server gives each namespace a label with its name.</returns>
    public static IReadOnlyDictionary<string, string>? Labels(JsonElement item)
    {
        var labels = item.ValidMember("metadata").ValidMember("labels");
        return labels.ValidMember(AntiAffinityTerm.NamespaceNameKey).ValueKind == JsonValueKind.String && JsonMarshal.GetRawUtf8Value(labels).Length <= MaxBytes
            ? item.ReadValid(static n => ObjectMetadata.Labels(n, int.MaxValue))
            : null;
    }
}
