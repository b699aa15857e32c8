using System.Text.Json;
using Microsoft.AspNetCore.JsonPatch.SystemTextJson;

namespace AdmissionLas.Tests.Support;

/// <summary>
/// Applies a JSON Patch with a library that we did not write. The one place that names the library: JsonPatch.Net is a change of these
/// few lines.
/// </summary>
static class PatchApplication
{
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    /// <summary>The pod after the patch; the pod that came in stays as it is.</summary>
    internal static JsonObject Apply(JsonObject pod, string patch)
    {
        var patched = pod.DeepClone().AsObject();
        JsonSerializer.Deserialize<JsonPatchDocument>(patch, Options)!.ApplyTo(patched);
        return patched;
    }
}
