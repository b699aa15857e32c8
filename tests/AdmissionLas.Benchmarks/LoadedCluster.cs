using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace AdmissionLas.Benchmarks;

/// <summary>Many nodes on a real API server, each as large as a kubelet reports it, and their kubelets' and labellers' updates.</summary>
sealed class LoadedCluster : IDisposable
{
    internal const int Locations = 20;

    readonly HttpClient http;

    internal LoadedCluster(string kubeconfig)
    {
        http = ApiServer.Connect(kubeconfig);
        http.DefaultRequestVersion = HttpVersion.Version20;
        http.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
    }

    internal async Task CreateNodesAsync(int count) =>
        await Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            var allocatable = new JsonObject { ["cpu"] = "32", ["memory"] = "128Gi", ["pods"] = "110" };
            await SendAsync(HttpMethod.Post, "/api/v1/nodes", new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = Name(i),
                    ["labels"] = new JsonObject(Enumerable.Range(0, Locations).Select(l => Latency(l, i * 7919 + l * 104729))
                        .Append(new("kubernetes.io/hostname", Name(i)))
                        .Append(new("admissionlas.io/tier", i % 10 == 0 ? "cloud" : "edge"))),
                },
                ["status"] = new JsonObject
                {
                    ["capacity"] = allocatable,
                    ["allocatable"] = allocatable.DeepClone(),
                    ["conditions"] = Conditions(0),
                    // A kubelet reports up to fifty, and they are most of a Node.
                    ["images"] = new JsonArray([.. Enumerable.Range(0, 50).Select(m => new JsonObject
                    {
                        ["names"] = new JsonArray($"registry.example.com/team-{m % 7}/component-{m}@sha256:{new string((char)('a' + (m % 6)), 64)}", $"registry.example.com/team-{m % 7}/component-{m}:v1.{m}"),
                        ["sizeBytes"] = 100_000_000 + m,
                    })]),
                },
            });
        });

    /// <summary>A kubelet's heartbeat: nothing that a placement depends on.</summary>
    internal Task HeartbeatAsync(int node, int second) => SendAsync(
        HttpMethod.Patch, $"/api/v1/nodes/{Name(node)}/status", new JsonObject { ["status"] = new JsonObject { ["conditions"] = Conditions(second) } });

    /// <summary>A new measurement: all of a node's latencies change.</summary>
    internal Task MeasuredAsync(int node, int seed) => SendAsync(HttpMethod.Patch, $"/api/v1/nodes/{Name(node)}", new JsonObject
    {
        ["metadata"] = new JsonObject { ["labels"] = new JsonObject(Latencies(seed)) },
    });

    /// <summary>A node's latency labels after a measurement.</summary>
    internal static IEnumerable<KeyValuePair<string, JsonNode?>> Latencies(int seed) => Enumerable.Range(0, Locations).Select(l => Latency(l, seed + l));

    internal Task DryRunAsync(string @namespace, JsonObject pod) => SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{@namespace}/pods?dryRun=All", pod);

    internal async Task<string> GetAsync(string path)
    {
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative));
        answer.EnsureSuccessStatusCode();
        return await answer.Content.ReadAsStringAsync();
    }

    public void Dispose() => http.Dispose();

    async Task SendAsync(HttpMethod method, string path, JsonObject? value)
    {
        using var request = new HttpRequestMessage(method, path) { Version = HttpVersion.Version20 };
        if (value is not null)
        {
            request.Content = new StringContent(value.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue(method == HttpMethod.Patch ? "application/merge-patch+json" : "application/json"));
        }

        using var answer = await http.SendAsync(request);
        if (!answer.IsSuccessStatusCode && answer.StatusCode != HttpStatusCode.Conflict)
        {
            throw new HttpRequestException($"{method} {path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
    }

    /// <summary>A node's conditions after a heartbeat.</summary>
    internal static JsonArray Conditions(int second) =>
    [
        .. ((string[])["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]).Select(type => new JsonObject
        {
            ["type"] = type,
            ["status"] = type == "Ready" ? "True" : "False",
            ["reason"] = "Reported",
            ["message"] = "as the kubelet says",
            ["lastHeartbeatTime"] = DateTime.UnixEpoch.AddYears(50).AddSeconds(second).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
        })
    ];

    static KeyValuePair<string, JsonNode?> Latency(int location, int seed) => KeyValuePair.Create(
        string.Create(CultureInfo.InvariantCulture, $"latency.admissionlas.io/LOCATION-{location}"),
        (JsonNode?)string.Create(CultureInfo.InvariantCulture, $"{0.1 + ((uint)seed * 2654435761u % 100_000 / 1000.0)}"));

    static string Name(int i) => string.Create(CultureInfo.InvariantCulture, $"node-{i:0000}");
}
