using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>
/// Applies a patch of the webhook to a copy of the pod. Such patches add and remove, so this supports no other operation; a test compares it with a library.
/// </summary>
static class PatchApplier
{
    /// <summary>A copy of the pod with the patch applied.</summary>
    /// <exception cref="InvalidOperationException">The patch has another operation, or a path that does not exist.</exception>
    internal static JsonObject Apply(JsonObject pod, JsonArray patch)
    {
        var patched = pod.DeepClone().AsObject();
        foreach (var operation in patch.OfType<JsonObject>())
        {
            var isRemoval = operation.Text("op") == "remove";
            var path = operation.Text("path") is { } pointer && (isRemoval || operation.Text("op") == "add")
                ? pointer.Split('/')[1..]
                : throw new InvalidOperationException("only additions and removals are known");
            JsonNode? at = patched;
            foreach (var part in path[..^1])
            {
                at = at is JsonArray list ? list[int.Parse(part, CultureInfo.InvariantCulture)] : at?[Unescape(part)];
            }

            switch (at)
            {
                case JsonObject members when isRemoval && members.Remove(Unescape(path[^1])): break;
                case JsonArray list when isRemoval: list.RemoveAt(int.Parse(path[^1], CultureInfo.InvariantCulture)); break;
                case JsonObject members when !isRemoval: members[Unescape(path[^1])] = operation["value"]?.DeepClone(); break;
                case JsonArray list when path[^1] == "-": list.Add(operation["value"]?.DeepClone()); break;
                default: throw new InvalidOperationException($"there is nothing at {operation.Text("path")} for it");
            }
        }

        return patched;
    }

    static string Unescape(string part) => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
}
