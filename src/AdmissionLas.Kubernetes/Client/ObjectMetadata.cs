using System.Globalization;

namespace AdmissionLas.Kubernetes;

/// <summary>Reads an object's metadata; <see langword="null"/> where a field is missing.</summary>
public static class ObjectMetadata
{
    /// <summary>metadata.name.</summary>
    public static string? Name(JsonElement any) => any.Member("metadata").Member("name").Text();

    /// <summary>metadata.namespace.</summary>
    public static string? Namespace(JsonElement any) => any.Member("metadata").Member("namespace").Text();

    /// <summary>metadata.creationTimestamp.</summary>
    public static DateTimeOffset? CreatedAt(JsonElement any) =>
        DateTimeOffset.TryParse(any.Member("metadata").Member("creationTimestamp").Text(), CultureInfo.InvariantCulture, out var at) ? at : null;

    /// <summary>metadata.uid.</summary>
    public static string? Uid(JsonElement any) => any.Member("metadata").Member("uid").Text();

    /// <summary>metadata.labels.</summary>
    public static IReadOnlyDictionary<string, string> Labels(JsonElement any)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in any.Member("metadata").Member("labels").Members())
        {
            if (label.Value.Text() is { } value)
            {
                labels[label.Name] = value;
            }
        }

        return labels;
    }

    /// <summary>Whether there is an annotation of this key; its value is not read.</summary>
    public static bool HasAnnotation(JsonElement any, string key) => AnnotationOf(any, key).ValueKind != JsonValueKind.Undefined;

    /// <summary>The value of an annotation.</summary>
    public static string? Annotation(JsonElement any, string key) => AnnotationOf(any, key).Text();

    /// <summary>metadata.resourceVersion, the only field of a bookmark.</summary>
    public static string? ResourceVersion(JsonElement any) => any.Member("metadata").Member("resourceVersion").Text();

    static JsonElement AnnotationOf(JsonElement any, string key) => any.Member("metadata").Member("annotations").Member(key);
}
