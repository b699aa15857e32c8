using System.Text.RegularExpressions;

namespace AdmissionLas.Experiment;

/// <summary>What the scheduler itself says of its points, in its log at level 10.</summary>
/// <param name="file">The log, which the scheduler goes on writing.</param>
sealed partial class SchedulerLog(string file)
{
    /// <summary>Where the log ends now.</summary>
    internal long Length => new FileInfo(file).Length;

    /// <summary>The points that some pods were given, after the scheduler's weights; of several attempts those of the last.</summary>
    /// <param name="from">Where in the log to begin.</param>
    /// <param name="namespaceName">The pods' namespace.</param>
    /// <param name="pods">Their names.</param>
    /// <returns>By pod and node, the points by plugin. Where one node alone was left the scheduler counts none.</returns>
    internal async Task<IReadOnlyDictionary<(string Pod, string Node), SortedDictionary<string, long>>> ReadAsync(long from, string namespaceName, IReadOnlySet<string> pods)
    {
        var points = new Dictionary<(string, string), SortedDictionary<string, long>>();
        await using var log = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        log.Position = from;
        using var lines = new StreamReader(log);
        while (await lines.ReadLineAsync() is { } line)
        {
            if (!line.Contains(" scores on ", StringComparison.Ordinal) && !line.Contains("Plugin scored node for pod", StringComparison.Ordinal))
            {
                continue;
            }

            if (OnePluginAllNodes().Match(line) is { Success: true } all)
            {
                if (all.Groups["ns"].Value == namespaceName && pods.Contains(all.Groups["pod"].Value))
                {
                    foreach (Match one in OneNode().Matches(all.Groups["nodes"].Value))
                    {
                        Add(all.Groups["pod"].Value, one, all.Groups["plugin"].Value);
                    }
                }
            }
            else if (OnePluginOneNode().Match(line) is { Success: true } one && one.Groups["ns"].Value == namespaceName && pods.Contains(one.Groups["pod"].Value))
            {
                Add(one.Groups["pod"].Value, one, one.Groups["plugin"].Value);
            }
        }

        return points;

        void Add(string pod, Match match, string plugin)
        {
            var key = (pod, match.Groups["node"].Value);
            if (!points.TryGetValue(key, out var known))
            {
                points[key] = known = new SortedDictionary<string, long>(StringComparer.Ordinal);
            }

            known[plugin] = long.Parse(match.Groups["score"].Value, CultureInfo.InvariantCulture);
        }
    }

    // Before 1.22, and since.
    [GeneratedRegex(@"Plugin (?<plugin>\S+) scores on (?<ns>[^/]+)/(?<pod>\S+) => \[(?<nodes>.*)\]")]
    private static partial Regex OnePluginAllNodes();

    [GeneratedRegex(@"\{(?<node>\S+) (?<score>-?\d+)\}")]
    private static partial Regex OneNode();

    [GeneratedRegex("""Plugin scored node for pod" pod="(?<ns>[^/]+)/(?<pod>[^"]+)" plugin="(?<plugin>[^"]+)" node="(?<node>[^"]+)" score=(?<score>-?\d+)""")]
    private static partial Regex OnePluginOneNode();
}
