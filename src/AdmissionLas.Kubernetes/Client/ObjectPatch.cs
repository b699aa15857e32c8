namespace AdmissionLas.Kubernetes;

/// <summary>A change to an object.</summary>
/// <param name="Content">What it says.</param>
/// <param name="MediaType">How to read it.</param>
/// <param name="IsForced">Whether fields are taken that another field manager holds.</param>
/// <remarks>Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply.</remarks>
public sealed record ObjectPatch(string Content, string MediaType, bool IsForced)
{
    /// <summary>Operations one after the other (RFC 6902).</summary>
    public static ObjectPatch Operations(string content) => new(content, "application/json-patch+json", false);

    /// <summary>Some fields' new values (RFC 7396).</summary>
    public static ObjectPatch Merge(string content) => new(content, "application/merge-patch+json", false);

    /// <summary>The fields that are ours from now on (server-side apply); the object is made where there is none.</summary>
    public static ObjectPatch Apply(string content) => new(content, "application/apply-patch+yaml", true);
}
