using Spectre.Console;

namespace AdmissionLas.Explain;

/// <summary>The latencies that the nodes' labels state: a row for each node, a column for each location.</summary>
static class LatencyMatrix
{
    // From dark blue to bright yellow, dark to light for colour-blind readers too; near nodes stand out.
    static readonly (Color Background, Color Text)[] Scale =
    [
        (Color.Khaki1, Color.Black), (Color.DarkSeaGreen3, Color.Black), (Color.CadetBlue, Color.Black), (Color.SteelBlue, Color.White), (Color.NavyBlue, Color.White),
    ];

    /// <summary>Writes it for people, as several tables when one is too wide.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="view">The nodes.</param>
    /// <param name="prefix">What latency labels start with, for an admin who has none yet.</param>
    internal static void Write(Terminal terminal, ClusterView view, string prefix)
    {
        string[] locations = [.. view.Locations];
        if (locations.Length == 0)
        {
            terminal.Line($"none of the {view.Nodes.Count} nodes has a latency; label them: kubectl label node <node> {prefix}<location>=<milliseconds>", Terminal.Bad);
        }

        var all = view.Nodes.SelectMany(n => n.Latencies.Known).Select(m => m.LatencyMs).DefaultIfEmpty(0).ToArray();
        foreach (var part in Parts(terminal, view, locations))
        {
            var table = terminal.Table(["Node (ms)", .. part]);
            foreach (var node in view.Nodes)
            {
                table.AddRow([Terminal.Text(node.Name), .. part.Select(l => Cell(terminal, node, l, all.Min(), all.Max()))]);
            }

            terminal.Write(table);
        }

        foreach (var (node, location, value) in view.UnreadableLatencies)
        {
            terminal.Line($"{node}: the latency to {location} cannot be read: \"{value}\"; write it as 9.8, 9.8ms or 800us", Terminal.Bad);
        }

        foreach (var (node, ignored) in view.CrowdedNodes)
        {
            terminal.Line($"{node}: {ignored} latency labels are ignored: a node has at most {LatencyLabels.MaxOfNode}", Terminal.Bad);
        }
    }

    /// <summary>Writes it as JSON: an object with <c>locations</c>, <c>nodes</c> (milliseconds by location, null where there is none) and <c>unreadable</c>.</summary>
    internal static void Write(Utf8JsonWriter json, ClusterView view)
    {
        string[] locations = [.. view.Locations];
        var matrix = new JsonObject
        {
            ["locations"] = new JsonArray([.. locations]),
            ["nodes"] = new JsonArray([.. view.Nodes.Select(node => new JsonObject
            {
                ["name"] = node.Name,
                ["latencyMs"] = new JsonObject(locations.Select(l => KeyValuePair.Create(l, (JsonNode?)LatencyOf(node, l)))),
            })]),
            ["unreadable"] = new JsonArray([.. view.UnreadableLatencies.Select(u => new JsonObject
            {
                ["node"] = u.NodeName,
                ["location"] = u.Location,
                ["value"] = u.Value,
            })]),
        };
        matrix.WriteTo(json);
    }

    static Text Cell(Terminal terminal, NodeFacts node, string location, double least, double most)
    {
        if (LatencyOf(node, location) is not { } ms)
        {
            var isUnreadable = node.Latencies.Unreadable.Any(u => u.Location == location);
            return Terminal.Text(isUnreadable ? "?" : "-", isUnreadable ? Terminal.Bad : Terminal.Faint);
        }

        var text = ms.ToString("0.###", CultureInfo.InvariantCulture);
        if (!terminal.HasColour)
        {
            return Terminal.Text(text);
        }

        // The scale is logarithmic, because latencies span magnitudes.
        var share = most <= least ? 0 : Math.Log((ms + 0.001) / (least + 0.001)) / Math.Log((most + 0.001) / (least + 0.001));
        var (background, colour) = Scale[Math.Clamp((int)(share * Scale.Length), 0, Scale.Length - 1)];
        return Terminal.Text($" {text} ", new Style(colour, background));
    }

    static IEnumerable<string[]> Parts(Terminal terminal, ClusterView view, string[] locations)
    {
        const int frame = 3;
        var first = Math.Min(view.Nodes.Max(n => (int?)n.Name.Length) ?? 0, terminal.Width / 2) + frame + 1;
        List<string> part = [];
        var width = first;
        foreach (var location in locations)
        {
            var column = Math.Max(location.Length, 8) + frame;
            if (part.Count > 0 && width + column > terminal.Width)
            {
                yield return [.. part];
                part.Clear();
                width = first;
            }

            part.Add(location);
            width += column;
        }

        if (part.Count > 0 || locations.Length == 0)
        {
            yield return [.. part];
        }
    }

    static double? LatencyOf(NodeFacts node, string location) =>
        node.Latencies.Known.Where(l => l.Location == location).Select(l => (double?)l.LatencyMs).FirstOrDefault();
}
