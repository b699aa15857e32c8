using AdmissionLas.Snapshots;
using DiffPlex.Renderer;

namespace AdmissionLas.Explain;

/// <summary>
/// What the webhook changes in a pod, as a unified diff of its YAML. Both sides leave out what placement does not read, such as command lines and
/// environment: it is long, and may be secret.
/// </summary>
static class PodDiff
{
    static readonly string[] Metadata = ["name", "generateName", "namespace", "labels", "annotations"];
    static readonly string[] Spec = ["affinity", "topologySpreadConstraints", "nodeSelector", "nodeName", "tolerations", "containers", "initContainers", "resources", "overhead", "schedulerName", "priorityClassName"];
    static readonly string[] Container = ["name", "image", "resources", "restartPolicy"];

    /// <summary>The lines of the diff; none when nothing changes.</summary>
    internal static IReadOnlyList<string> Of(JsonObject before, JsonObject after)
    {
        var (old, changed) = (Yaml(Digest(before)), Yaml(Digest(after)));
        return old == changed ? [] : UnidiffRenderer
            .GenerateUnidiff(old, changed, "pod as its author wrote it", "pod as the webhook leaves it", ignoreWhitespace: false)
            .Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>The pod with only what placement reads.</summary>
    internal static JsonObject Digest(JsonObject pod)
    {
        var spec = pod.Object("spec").Only(Spec);
        foreach (var list in (string[])["containers", "initContainers"])
        {
            if (spec[list] is JsonArray containers)
            {
                spec[list] = new JsonArray([.. containers.Select(c => c is JsonObject one ? one.Only(Container) : null)]);
            }
        }

        return new JsonObject { ["metadata"] = pod.Object("metadata").Only(Metadata), ["spec"] = spec };
    }

    static string Yaml(JsonObject value)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        YamlJson.Write(value, text);
        // The writer ends a document with three dots.
        return text.ToString().Replace("\n...\n", "\n", StringComparison.Ordinal).TrimEnd('\n');
    }
}
