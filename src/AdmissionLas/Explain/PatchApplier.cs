using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>
/// Applies a patch of the webhook to a copy of the pod. Such patches add, copy and remove, so this supports no other operation; a test compares it with a library.
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
            var value = operation.Text("op") == "copy" ? Find(patched, Parts(operation, "from")) : operation["value"];
            var path = operation.Text("op") is "add" or "copy" or "remove" ? Parts(operation, "path") : throw new InvalidOperationException("no such operation is known");
            var at = Find(patched, path[..^1]);
            switch (at)
            {
                case JsonObject members when isRemoval && members.Remove(Unescape(path[^1])): break;
                case JsonArray list when isRemoval: list.RemoveAt(int.Parse(path[^1], CultureInfo.InvariantCulture)); break;
                case JsonObject members when !isRemoval: members[Unescape(path[^1])] = value?.DeepClone(); break;
                case JsonArray list when path[^1] == "-": list.Add(value?.DeepClone()); break;
                default: throw new InvalidOperationException($"there is nothing at {operation.Text("path")} for it");
            }
        }

        return patched;
    }

    static string[] Parts(JsonObject operation, string member) => operation.Text(member)?.Split('/')[1..] ?? [];

    static JsonNode? Find(JsonNode? at, IEnumerable<string> path)
    {
        foreach (var part in path)
        {
            at = at is JsonArray list ? list[int.Parse(part, CultureInfo.InvariantCulture)] : at?[Unescape(part)];
        }

        return at;
    }

    static string Unescape(string part) => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
}
