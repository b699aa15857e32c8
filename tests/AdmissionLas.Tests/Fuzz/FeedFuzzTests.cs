using System.Diagnostics;
using System.Text.Json;
using AdmissionLas.Server;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit.Abstractions;

namespace AdmissionLas.Tests.Fuzz;

/// <summary>
/// Whatever a list or a watch sends, in whatever pieces, it is read or refused as no list or no JSON; and it takes memory as its size does. Runs for
/// FUZZ_SECONDS (default 5) from FUZZ_SEED (default: a new one, printed on failure).
/// </summary>
public sealed class FeedFuzzTests(ITestOutputHelper output) : IDisposable
{
    static readonly string Corpus = Path.Combine(AppContext.BaseDirectory, "Corpus");
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(ReviewFuzzTests.Setting("FUZZ_SECONDS") ?? 5);

    readonly KubeApi api = new(new() { Host = "http://127.0.0.1:1" }, TimeProvider.System);

    public void Dispose() => api.Dispose();

    [Fact]
    public void Every_list_and_watch_is_read_or_refused_and_nothing_else()
    {
        var seed = ReviewFuzzTests.Setting("FUZZ_SEED") ?? Environment.TickCount;
        var random = new Random(seed);
        var handlers = Handlers();
        var (lists, lines) = Feeds();
        var (read, skipped, refused) = (0, 0, 0);

        var startedAt = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(startedAt) < Bound)
        {
            var isWatch = random.Next(2) == 0;
            byte[] feed = isWatch
                ? [.. Enumerable.Range(0, random.Next(1, 5)).SelectMany(_ => ReviewFuzzTests.Mutate(random, lines).Append((byte)'\n'))]
                : ReviewFuzzTests.Mutate(random, lists);
            var handler = handlers[random.Next(handlers.Length)];
            var maxBytes = random.Next(3) == 0 ? random.Next(1, 20_000) : JsonValueStream.MaxBytes;
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var values = new JsonValueStream(Pieces(feed, random.Next(1, 5_000)), maxBytes);
                var tooLarge = isWatch ? Watch(values, handler) : List(values, handler);
                read++;
                skipped += tooLarge > 0 ? 1 : 0;
            }
            // What a reflector takes for a failure of the API server.
            catch (Exception fault) when (fault is JsonException or InvalidDataException)
            {
                refused++;
            }
            catch (Exception fault)
            {
                throw new InvalidOperationException($"FUZZ_SEED={seed}: {fault.Message}; base64: {Convert.ToBase64String(feed)[..Math.Min(4000, Convert.ToBase64String(feed).Length)]}", fault);
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000 + (100L * feed.Length));
        }

        output.WriteLine($"seed {seed}: {read} read, of these {skipped} with objects that are too large, {refused} refused");
        // Something of everything, or the run has tested nothing.
        Assert.True(read > 100 && skipped > 20 && refused > 100, $"seed {seed}: {read} read, {skipped} skipped, {refused} refused");
    }

    // As a reflector does.
    static int List(JsonValueStream values, IResourceEventHandler handler)
    {
        var skipped = 0;
        handler.OnListStarted();
        KubeApi.ReadPageAsync(values, handler.OnListed, head =>
        {
            skipped++;
            handler.OnSkipped(head);
        }).GetAwaiter().GetResult();
        handler.OnListCompleted();
        handler.OnContact();
        return skipped;
    }

    static int Watch(JsonValueStream values, IResourceEventHandler handler)
    {
        var skipped = 0;
        var lines = KubeApi.ReadLinesAsync(values).GetAsyncEnumerator();
        while (lines.MoveNextAsync().AsTask().GetAwaiter().GetResult())
        {
            handler.OnContact();
            skipped += lines.Current.IsTooLarge ? 1 : 0;
            switch (lines.Current)
            {
                case { Type: "DELETED", Object: var gone }: handler.OnDelete(gone); break;
                case { IsTooLarge: true }: break;
                case { Type: "ADDED", Object: var added }: handler.OnAdded(added); break;
                case { Object: var changed }: handler.OnAddOrUpdate(changed); break;
            }

            _ = ObjectMetadata.ResourceVersion(lines.Current.Object);
        }

        return skipped;
    }

    static Func<Memory<byte>, ValueTask<int>> Pieces(byte[] feed, int most)
    {
        var at = 0;
        return memory =>
        {
            var count = Math.Min(Math.Min(most, memory.Length), feed.Length - at);
            feed.AsMemory(at, count).CopyTo(memory);
            at += count;
            return ValueTask.FromResult(count);
        };
    }

    IResourceEventHandler[] Handlers()
    {
        var state = new ClusterState(TimeProvider.System);
        state.Publish(Testbed.View);
        var names = new ResourceNames();
        var usageCache = Usages.UsageCache();
        var namespaces = new NamespaceInformer(api, "", TimeProvider.System, NullLogger<NamespaceInformer>.Instance, usageCache);
        var trust = new ReservationTrust(namespaces, state, new Settings(CompiledSettings.Default));
        return
        [
            new NodeInformer(api, state, LatencyLabels.All, TimeProvider.System, NullLogger<NodeInformer>.Instance, names),
            new PodInformer(api, usageCache, trust.Trusts, TimeProvider.System, NullLogger<PodInformer>.Instance, names: names),
            namespaces,
        ];
    }

    // Lists and watches of the same objects: the testbed's nodes, and pods as they wait and as they run.
    static (byte[][] Lists, byte[][] Lines) Feeds()
    {
        var pods = Directory.GetFiles(Corpus, "pod.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal).SelectMany((file, i) =>
        {
            using var text = File.OpenText(file);
            var waiting = JsonObject.Create(YamlJson.ReadObjects(text)[0])!;
            waiting["metadata"]!["uid"] = $"pod-{i}";
            waiting["metadata"]!["namespace"] = "kubeflow";
            waiting["metadata"]!["creationTimestamp"] = "2026-01-01T00:00:00Z";
            var running = waiting.DeepClone().AsObject();
            running["spec"]!["nodeName"] = "home-edge-node";
            return (JsonObject[])[waiting, running];
        });
        using var nodes = File.OpenText(Path.Combine(AppContext.BaseDirectory, "testbed", "nodes.yaml"));
        JsonObject[] objects = [.. pods, .. YamlJson.ReadObjects(nodes).Select(n => JsonObject.Create(n)!)];
        string[] types = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"];
        return (
            [
                .. objects.Chunk(4).Select(some => Encoding.UTF8.GetBytes(new JsonObject
                {
                    ["metadata"] = new JsonObject { ["resourceVersion"] = "1" },
                    ["items"] = new JsonArray([.. some.Select(o => o.DeepClone())]),
                }.ToJsonString())),
            ],
            [.. objects.Select((o, i) => Encoding.UTF8.GetBytes(FakeApiServer.Line(types[i % 4], o.DeepClone().AsObject())))]);
    }
}
