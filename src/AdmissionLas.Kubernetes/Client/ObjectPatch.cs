namespace AdmissionLas.Kubernetes;

/// <summary>A patch of an object, in one of the formats that the API server takes.</summary>
/// <param name="Content">The patch.</param>
/// <param name="MediaType">Its format.</param>
/// <param name="IsForced">Whether it takes over fields of another field manager.</param>
/// <remarks>Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply.</remarks>
public sealed record ObjectPatch(string Content, string MediaType, bool IsForced)
{
    /// <summary>A JSON Patch (RFC 6902).</summary>
    public static ObjectPatch Operations(string content) => new(content, "application/json-patch+json", false);

    /// <summary>A JSON Merge Patch (RFC 7396).</summary>
    public static ObjectPatch Merge(string content) => new(content, "application/merge-patch+json", false);

    /// <summary>Server-side apply: these fields are ours from now on, and a missing object is created.</summary>
    public static ObjectPatch Apply(string content) => new(content, "application/apply-patch+yaml", true);
}
