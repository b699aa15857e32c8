using System.Text.Json;
using static AdmissionLas.Kubernetes.JsonElementFields;

namespace AdmissionLas.Kubernetes;

/// <summary>What every object of the API server's has; <see langword="null"/> where it is missing.</summary>
public static class ObjectMetadata
{
    /// <summary>metadata.name.</summary>
    public static string? Name(JsonElement any) => Text(Member(Member(any, "metadata"), "name"));

    /// <summary>metadata.uid.</summary>
    public static string? Uid(JsonElement any) => Text(Member(Member(any, "metadata"), "uid"));

    /// <summary>metadata.resourceVersion; a bookmark has nothing else.</summary>
    public static string? ResourceVersion(JsonElement any) => Text(Member(Member(any, "metadata"), "resourceVersion"));
}
