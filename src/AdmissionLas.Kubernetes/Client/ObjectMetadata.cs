using System.Globalization;

namespace AdmissionLas.Kubernetes;

/// <summary>Reads an object's metadata; <see langword="null"/> where a field is missing or holds text that is not valid Unicode.</summary>
public static class ObjectMetadata
{
    /// <summary>metadata.name.</summary>
    public static string? Name(JsonElement any) => Field(any, "name").ValidText();

    /// <summary>metadata.namespace.</summary>
    public static string? Namespace(JsonElement any) => Field(any, "namespace").ValidText();

    /// <summary>metadata.creationTimestamp.</summary>
    public static DateTimeOffset? CreatedAt(JsonElement any) =>
        DateTimeOffset.TryParse(Field(any, "creationTimestamp").ValidText(), CultureInfo.InvariantCulture, out var at) ? at : null;

    /// <summary>metadata.uid.</summary>
    public static string? Uid(JsonElement any) => Field(any, "uid").ValidText();

    /// <summary>metadata.labels, at most so many of them: the first, which the API server writes in the order of their keys.</summary>
    public static IReadOnlyDictionary<string, string> Labels(JsonElement any, int most)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var label in any.Member("metadata").Member("labels").Members().Take(most))
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
    public static string? ResourceVersion(JsonElement any) => Field(any, "resourceVersion").ValidText();

    static JsonElement Field(JsonElement any, string name) => any.ValidMember("metadata").ValidMember(name);

    static JsonElement AnnotationOf(JsonElement any, string key) => any.Member("metadata").Member("annotations").Member(key);
}
