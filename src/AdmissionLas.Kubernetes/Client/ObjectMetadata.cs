using static AdmissionLas.Kubernetes.JsonElementFields;

namespace AdmissionLas.Kubernetes;

/// <summary>Reads an object's metadata; <see langword="null"/> where a field is missing.</summary>
public static class ObjectMetadata
{
    /// <summary>metadata.name.</summary>
    public static string? Name(JsonElement any) => Text(Member(Member(any, "metadata"), "name"));

    /// <summary>metadata.uid.</summary>
    public static string? Uid(JsonElement any) => Text(Member(Member(any, "metadata"), "uid"));

    /// <summary>metadata.resourceVersion, the only field of a bookmark.</summary>
    public static string? ResourceVersion(JsonElement any) => Text(Member(Member(any, "metadata"), "resourceVersion"));
}
