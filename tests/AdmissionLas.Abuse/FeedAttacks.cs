using Microsoft.AspNetCore.Http;

namespace AdmissionLas.Abuse;

/// <summary>
/// What a tenant or a node can do by objects that the API server stores: every replica lists and watches them. The API server is one of ours, which has
/// so many of them at once, and changes them again and again.
/// </summary>
static class FeedAttacks
{
    internal const string Tenant = "a tenant", Node = "a node";

    /// <summary>Large objects as fast as an API server may store them: etcd writes each to disk.</summary>
    const double BytesPerSecond = 20e6;

    /// <summary>A stored object that hurts, and how many of it there are.</summary>
    internal sealed record Feed(string Name, string Who, string Resource, Func<int, JsonObject> Make, int Count);

    internal static IReadOnlyList<Feed> All { get; } =
    [
        new("pods with an argument of 1.3 MB", Tenant, "pods", i => Pod(i, new JsonObject { ["args"] = new JsonArray(new string('a', 13 * Bodies.Megabyte / 10)) }), 160),
        new("pods with 26,000 resource names", Tenant, "pods", i => Pod(i, Requests(Enumerable.Range(0, 26_000).Select(n => $"example.com/r{i}-{n}"))), 12),
        new("pods with 20,000 containers", Tenant, "pods", i => Pod(i, more: 20_000), 12),
        new("pods with 1.4 MB of anti-affinity", Tenant, "pods", i =>
        {
            var pod = Pod(i);
            pod["spec"]!["affinity"] = new JsonObject
            {
                ["podAntiAffinity"] = new JsonObject
                {
                    ["requiredDuringSchedulingIgnoredDuringExecution"] = new JsonArray([.. Enumerable.Range(0, 14_000).Select(t => new JsonObject
                    {
                        ["topologyKey"] = "k",
                        ["labelSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { [$"a{i}"] = $"b{t}" } },
                    })]),
                },
            };
            return pod;
        }, 20),
        new("waiting pods with a forged annotation", Tenant, "pods", i =>
        {
            var pod = Pod(i);
            pod["spec"]!.AsObject().Remove("nodeName");
            pod["metadata"]!["annotations"] = new JsonObject { ["admissionlas.io/assumed"] = $"home-edge-node/{new string('r', 250_000)}", ["admissionlas.io/record"] = new string('{', 1000) };
            return pod;
        }, 500),
        new("a node with 20,000 locations", Node, "nodes", i => NodeWith(i, new JsonObject([.. Enumerable.Range(0, 20_000).Select(l => KeyValuePair.Create<string, JsonNode?>($"latency.admissionlas.io/L{l}", "0.0001"))]), 0), 1),
        new("nodes with 26,000 resources", Node, "nodes", i => NodeWith(i, [], 26_000), 4),
    ];

    /// <summary>Serves what the testbed has and, while the attack lasts, what hurts beside it, each object changed again and again.</summary>
    internal static Task<LoopbackServer> ServeAsync(Feed feed, double strength, CancellationToken begun, CancellationToken over)
    {
        var hurting = new Lazy<string[]>(() => [.. Enumerable.Range(0, feed.Count == 1 ? 1 : Attack.Scaled(feed.Count, strength)).Select(i => feed.Make(i).ToJsonString())]);
        return LoopbackServer.StartAsync(async http =>
        {
            var resource = http.Request.Path.Value!.Split('/')[^1];
            http.Response.ContentType = "application/json";
            if (!http.Request.Query.ContainsKey("watch"))
            {
                var items = resource switch
                {
                    "nodes" => [.. Testbed()],
                    "namespaces" => [new JsonObject { ["metadata"] = new JsonObject { ["name"] = "kubeflow" } }],
                    _ => (JsonNode[])[],
                };
                await http.Response.WriteAsync(new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = "1" }, ["items"] = new JsonArray(items) }.ToJsonString());
                return;
            }

            await http.Response.StartAsync();
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, begun).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (resource == feed.Resource)
            {
                for (var verb = "ADDED"; !over.IsCancellationRequested; verb = "MODIFIED")
                {
                    await SayAsync(verb);
                }

                await SayAsync("DELETED");
            }

            await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            async Task SayAsync(string verb)
            {
                foreach (var text in hurting.Value)
                {
                    await http.Response.WriteAsync($$"""{"type":"{{verb}}","object":{{text}}}""" + "\n", http.RequestAborted);
                    await Task.Delay(TimeSpan.FromSeconds(text.Length / BytesPerSecond), http.RequestAborted);
                }
            }
        });
    }

    /// <summary>The kubeconfig of such a server.</summary>
    internal static string Kubeconfig(LoopbackServer server) => $$"""
        { "apiVersion": "v1", "kind": "Config", "current-context": "a", "contexts": [ { "name": "a", "context": { "cluster": "a", "user": "a" } } ],
          "clusters": [ { "name": "a", "cluster": { "server": "{{server.Address}}" } } ], "users": [ { "name": "a", "user": { "token": "any" } } ] }
        """;

    static IEnumerable<JsonNode> Testbed()
    {
        using var text = File.OpenText(Checkout.PathOf("manifests/testbed/nodes.yaml"));
        return [.. AdmissionLas.Kubernetes.YamlJson.ReadObjects(text).Select(n => (JsonNode)JsonObject.Create(n)!)];
    }

    static JsonObject Pod(int i, JsonObject? container = null, int more = 0)
    {
        container ??= [];
        container["name"] = "main";
        return new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = $"p{i}", ["namespace"] = "team-x", ["uid"] = $"uid-{i}", ["resourceVersion"] = "2", ["creationTimestamp"] = "2026-01-01T00:00:00Z" },
            ["spec"] = new JsonObject
            {
                ["nodeName"] = "home-edge-node",
                ["containers"] = new JsonArray([container, .. Enumerable.Range(0, more).Select(c => new JsonObject { ["name"] = $"c{c}", ["resources"] = new JsonObject { ["requests"] = new JsonObject { ["cpu"] = "0" } } })]),
            },
        };
    }

    static JsonObject Requests(IEnumerable<string> names) =>
        new() { ["resources"] = new JsonObject { ["requests"] = new JsonObject(names.Select(n => KeyValuePair.Create(n, (JsonNode?)"1"))) } };

    static JsonObject NodeWith(int i, JsonObject labels, int resources) => new()
    {
        ["metadata"] = new JsonObject { ["name"] = $"hostile-{i}", ["resourceVersion"] = "2", ["labels"] = labels },
        ["status"] = new JsonObject
        {
            ["allocatable"] = new JsonObject([new("cpu", "1"), new("memory", "1Gi"), new("pods", "110"), .. Enumerable.Range(0, resources).Select(r => KeyValuePair.Create<string, JsonNode?>($"example.com/r{r}", "1"))]),
            ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = "True" }),
        },
    };
}
