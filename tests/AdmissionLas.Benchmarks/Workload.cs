using System.Globalization;
using System.Text.Json.Nodes;

namespace AdmissionLas.Benchmarks;

/// <summary>What every benchmark measures with: nodes with twenty locations, and the review of a real KFP v2 pod of 10 KB.</summary>
static class Workload
{
    const int Locations = 20;

    /// <summary>Nodes, a tenth of them big ones in the cloud.</summary>
    internal static IEnumerable<NodeFacts> Nodes(int count) => Enumerable.Range(0, count).Select(i => new NodeFacts
    {
        Name = NameOf(i),
        Labels = LabelsOf(i).ToDictionary(),
        IsReady = true,
        Allocatable = IsCloud(i) ? new Resources(32_000, 128L << 30) : new Resources(4_000, 16L << 30),
        AllocatablePods = 110,
    }.WithLatenciesOf(LatencyLabels.All));

    /// <summary>The same nodes as a snapshot that the server reads.</summary>
    internal static JsonObject NodeList(int count) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "List",
        ["items"] = new JsonArray([.. Enumerable.Range(0, count).Select(i => new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Node",
            ["metadata"] = new JsonObject { ["name"] = NameOf(i), ["labels"] = new JsonObject(LabelsOf(i).Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value))) },
            ["status"] = new JsonObject
            {
                ["allocatable"] = new JsonObject { ["cpu"] = IsCloud(i) ? "32" : "4", ["memory"] = IsCloud(i) ? "128Gi" : "16Gi", ["pods"] = "110" },
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
            },
        })]),
    };

    /// <summary>A review of the pod.</summary>
    /// <param name="type">Its step type.</param>
    /// <param name="location">Its location, or none.</param>
    internal static byte[] Review(string type, string? location)
    {
        using var text = File.OpenText(Path.Combine(AppContext.BaseDirectory, "Corpus", "kfp-v2-big", "pod.yaml"));
        var pod = JsonObject.Create(YamlJson.ReadObjects(text)[0])!;
        var labels = pod["metadata"]!["labels"]!.AsObject();
        labels["typeOfComponent"] = type;
        labels.Remove("OurLocation");
        if (location is not null)
        {
            labels["OurLocation"] = location;
        }

        var review = SampleReview.Of(pod, "2f6e8a4c-5b1d-4e0a-9d5e-0c7b3a9f1d22");
        // A review of a dry run decides as any other and counts nothing, so that the thousandth one meets the same cluster as the first.
        review["request"]!["dryRun"] = true;
        return Encoding.UTF8.GetBytes(review.ToJsonString());
    }

    static bool IsCloud(int i) => i % 10 == 0;

    static string NameOf(int i) => string.Create(CultureInfo.InvariantCulture, $"node-{i:0000}");

    static IEnumerable<KeyValuePair<string, string>> LabelsOf(int i) => Enumerable.Range(0, Locations)
        .Select(l => KeyValuePair.Create(
            string.Create(CultureInfo.InvariantCulture, $"LOCATION-{l}"),
            string.Create(CultureInfo.InvariantCulture, $"{0.1 + ((i * 7919 + l * 104729) % 100_000 / 1000.0)}ms")))
        .Append(new(NodeSelectorTerm.HostnameKey, NameOf(i)))
        .Append(new("admissionlas.io/tier", IsCloud(i) ? "cloud" : "edge"));
}
