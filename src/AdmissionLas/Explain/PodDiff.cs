using System.Globalization;
using System.Text.Json.Nodes;
using AdmissionLas.Kubernetes;

namespace AdmissionLas.Explain;

/// <summary>
/// What the webhook changes in a pod, as a unified diff of its YAML. Command lines, environment and whatever else placement does not look at
/// are left out of both sides: they are long, and may be secret.
/// </summary>
static class PodDiff
{
    const int Context = 3;

    /// <summary>Longer middles are told line by line without looking for the best match; no pod is so long.</summary>
    const long MaxCells = 4_000_000;

    static readonly string[] Metadata = ["name", "generateName", "namespace", "labels", "annotations"];
    static readonly string[] Spec = ["affinity", "nodeSelector", "nodeName", "tolerations", "containers", "initContainers", "resources", "overhead", "schedulerName", "priorityClassName"];
    static readonly string[] Container = ["name", "image", "resources", "restartPolicy"];

    /// <summary>The lines; none when nothing changes.</summary>
    internal static IReadOnlyList<string> Of(JsonObject before, JsonObject after)
    {
        var (old, now) = (Lines(Digest(before)), Lines(Digest(after)));
        if (old.SequenceEqual(now))
        {
            return [];
        }

        var changes = Changes(old, now);
        return ["--- pod as its author wrote it", "+++ pod as the webhook leaves it", .. Hunks(changes)];
    }

    /// <summary>The pod without what placement does not look at.</summary>
    internal static JsonObject Digest(JsonObject pod)
    {
        var spec = Only(pod.Object("spec"), Spec);
        foreach (var list in (string[])["containers", "initContainers"])
        {
            if (spec[list] is JsonArray containers)
            {
                spec[list] = new JsonArray([.. containers.Select(c => c is JsonObject one ? Only(one, Container) : null)]);
            }
        }

        return new JsonObject { ["metadata"] = Only(pod.Object("metadata"), Metadata), ["spec"] = spec };
    }

    static JsonObject Only(JsonObject? from, string[] members)
    {
        var kept = new JsonObject();
        foreach (var member in members)
        {
            kept.With(from, member);
        }

        return kept;
    }

    static string[] Lines(JsonObject value)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        YamlJson.Write(value, text);
        // The writer ends a document with three dots.
        return [.. text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l != "..." && l != "---")];
    }

    /// <summary>Every line of both with its sign, in order: the longest common subsequence stays.</summary>
    static List<(char Sign, string Line)> Changes(string[] old, string[] now)
    {
        var start = old.Zip(now).TakeWhile(l => l.First == l.Second).Count();
        var end = old[start..].Reverse().Zip(now[start..].Reverse()).TakeWhile(l => l.First == l.Second).Count();
        var (a, b) = (old[start..^end], now[start..^end]);
        List<(char, string)> changes = [.. old[..start].Select(l => (' ', l))];
        if ((long)a.Length * b.Length > MaxCells)
        {
            changes.AddRange([.. a.Select(l => ('-', l)), .. b.Select(l => ('+', l))]);
        }
        else
        {
            changes.AddRange(Middle(a, b));
        }

        changes.AddRange(old[^end..].Select(l => (' ', l)));
        return changes;
    }

    static IEnumerable<(char, string)> Middle(string[] a, string[] b)
    {
        var common = new int[a.Length + 1, b.Length + 1];
        for (var i = a.Length - 1; i >= 0; i--)
        {
            for (var j = b.Length - 1; j >= 0; j--)
            {
                common[i, j] = a[i] == b[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        var (x, y) = (0, 0);
        while (x < a.Length || y < b.Length)
        {
            if (x < a.Length && y < b.Length && a[x] == b[y])
            {
                yield return (' ', a[x]);
                (x, y) = (x + 1, y + 1);
            }
            else if (x < a.Length && (y == b.Length || common[x + 1, y] >= common[x, y + 1]))
            {
                yield return ('-', a[x++]);
            }
            else
            {
                yield return ('+', b[y++]);
            }
        }
    }

    static IEnumerable<string> Hunks(List<(char Sign, string Line)> changes)
    {
        var (oldLine, newLine) = (1, 1);
        for (var i = 0; i < changes.Count;)
        {
            var first = changes.FindIndex(i, c => c.Sign != ' ');
            if (first < 0)
            {
                yield break;
            }

            var from = Math.Max(i, first - Context);
            (oldLine, newLine) = (oldLine + from - i, newLine + from - i);
            // To the end of the last change with no more than two contexts between it and the one before, and a context more.
            var last = first;
            for (var next = first; next < changes.Count && next - last <= 2 * Context + 1; next++)
            {
                last = changes[next].Sign == ' ' ? last : next;
            }

            var to = Math.Min(changes.Count, last + 1 + Context);
            var hunk = changes[from..to];
            var (olds, news) = (hunk.Count(c => c.Sign != '+'), hunk.Count(c => c.Sign != '-'));
            yield return string.Create(CultureInfo.InvariantCulture, $"@@ -{oldLine},{olds} +{newLine},{news} @@");
            foreach (var (sign, line) in hunk)
            {
                yield return sign + line;
            }

            (oldLine, newLine, i) = (oldLine + olds, newLine + news, to);
        }
    }
}
