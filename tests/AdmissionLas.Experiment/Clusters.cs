namespace AdmissionLas.Experiment;

/// <summary>A made-up cluster.</summary>
/// <param name="Nodes">Its nodes.</param>
/// <param name="Locations">Where requests come from.</param>
/// <param name="EdgeNames">The small nodes near them.</param>
/// <param name="CpuMilli">What all nodes have together.</param>
sealed record Cluster(JsonObject[] Nodes, string[] Locations, string[] EdgeNames, int CpuMilli)
{
    /// <summary>A location; the first ones are asked for more often, so that their nodes fill up.</summary>
    internal string AnyLocation(Random random) => Locations[Math.Min(random.Next(Locations.Length), random.Next(Locations.Length))];
}

/// <summary>
/// Makes clusters on a map of 100 by 100: each location has small edge nodes around it, and the large cloud nodes stand in a few places. The
/// latency is what the distance makes, plus up to a twentieth.
/// </summary>
static class Clusters
{
    internal static Cluster Make(Random random, int nodes, int locations)
    {
        var places = Enumerable.Range(0, locations).Select(_ => (X: random.NextDouble() * 100, Y: random.NextDouble() * 100)).ToArray();
        string[] names = [.. Enumerable.Range(1, locations).Select(i => $"SITE-{i:00}")];
        var clouds = Math.Max(1, nodes / 5);
        var made = new List<JsonObject>();
        var edges = new List<string>();
        var cpuMilli = 0;
        for (var i = 0; i < nodes; i++)
        {
            var isCloud = i < clouds;
            var near = places[i % locations];
            var (x, y) = isCloud ? (i % 2 * 100, 50 + (i % 3)) : (near.X + random.NextDouble() * 4, near.Y + random.NextDouble() * 4);
            var cores = isCloud ? 16 : 2 * random.Next(1, 3);
            var name = isCloud ? $"cloud-{i:000}" : $"edge-{i:000}";
            cpuMilli += cores * 1000;
            if (!isCloud)
            {
                edges.Add(name);
            }

            made.Add(Objects.Node(name, $"{cores}", $"{cores * (isCloud ? 4 : 2)}Gi", isCloud ? "cloud" : "edge", names.Select((location, at) =>
            {
                var distance = Math.Sqrt(Math.Pow(places[at].X - x, 2) + Math.Pow(places[at].Y - y, 2));
                return (location, (0.3 + (distance * 0.5)) * (1 + (random.NextDouble() / 20)));
            })));
        }

        return new Cluster([.. made], names, [.. edges], cpuMilli);
    }
}
