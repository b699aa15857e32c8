using System.Globalization;

namespace AdmissionLas.BrowserTests.Support;

/// <summary>Clusters to look at.</summary>
static class Clusters
{
    const long Gi = 1024 * 1024 * 1024;

    internal static readonly string[] Cities = ["ATHENS", "BERLIN", "DUBLIN", "HELSINKI", "LISBON", "MADRID", "MILAN", "OSLO", "PARIS", "SOFIA", "VIENNA", "WARSAW"];

    /// <summary>
    /// Many nodes at twelve places: some latencies not measured, one label that cannot be read, nodes that take no pods. Always the same.
    /// </summary>
    internal static IReadOnlyList<NodeFacts> OfSize(int count)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            var home = i % Cities.Length;
            var labels = new Dictionary<string, string> { ["kubernetes.io/hostname"] = Name(i) };
            for (var place = 0; place < Cities.Length; place++)
            {
                var away = Math.Min(Math.Abs(home - place), Cities.Length - Math.Abs(home - place));
                var latencyMs = 0.2 + random.NextDouble() + away * (8 + 14 * random.NextDouble());
                if (random.Next(25) > 0)
                {
                    labels[LatencyLabels.Prefix + Cities[place]] = i == 3 && place == 4 ? "fast" : latencyMs.ToString("0.###", CultureInfo.InvariantCulture);
                }
            }

            return new NodeFacts
            {
                Name = Name(i),
                Labels = labels,
                IsReady = i % 97 != 5,
                IsCordoned = i % 61 == 8,
                Taints = i % 40 == 11 ? [new Taint("dedicated", "gpu", TaintEffect.NoSchedule)] : [],
                Allocatable = new Resources(i % 3 == 0 ? 64_000 : 8_000, (i % 3 == 0 ? 256 : 32) * Gi, i % 40 == 11 ? [new ResourceAmount("nvidia.com/gpu", 4)] : null),
                AllocatablePods = 110,
            }.WithLatenciesOf(LatencyLabels.All);
        })];

        static string Name(int i) => string.Create(CultureInfo.InvariantCulture, $"{Cities[i % Cities.Length].ToLowerInvariant()}-{i:000}");
    }

    /// <summary>Pods on a share of these nodes, from none to more than fits.</summary>
    internal static (string, long, long, int)[] PodsOn(IReadOnlyList<NodeFacts> nodes) =>
        [.. nodes.Select((n, i) => (n.Name, n.Allocatable.CpuMilliOrZero * (i % 11) / 100, n.Allocatable.MemoryBytesOrZero * (i % 7) / 100, i % 13))];
}
