using System.Collections.Concurrent;
using Xunit.Abstractions;

namespace AdmissionLas.ClusterTests;

/// <summary>
/// Many pods at once while the way to the API server fails: every create that was answered is there and was given a place, no pod waits
/// that a node could run, and afterwards the webhook's own figures are what a fresh list says, to the last byte.
/// </summary>
/// <remarks><c>ADMISSION_LAS_STORM_PODS</c> and <c>ADMISSION_LAS_OUTAGE_SECONDS</c> make them larger; see <c>scripts/test.sh --help</c>.</remarks>
[Collection(ControlPlaneCollection.Name)]
public sealed class StormTests(ControlPlane cluster, ITestOutputHelper output)
{
    static readonly int Storm = Number("ADMISSION_LAS_STORM_PODS", 500);
    static readonly TimeSpan Outage = TimeSpan.FromSeconds(Number("ADMISSION_LAS_OUTAGE_SECONDS", 3));

    [Fact]
    public async Task With_every_stream_cut_every_second()
    {
        await using var nodes = await NodesAsync();
        await using var proxy = new Forwarder(() => IPEndPoint.Parse(cluster.Api.Address.Authority));
        await using var detour = await cluster.FollowThroughAsync(proxy.Address);
        await using var replica = await RunningWebhook.FollowAsync(cluster.KubeconfigFor(proxy.Address));
        await using var ns = await cluster.CreateNamespaceAsync();

        var burst = await DuringAsync(ns, nodes, Storm, stop => EverySecondAsync(proxy.Cut, stop));

        Assert.True(proxy.Cuts > 0);
        output.WriteLine($"{proxy.Cuts} connections cut");
        await AllIsKnownAsync(burst, ns, nodes, replica);
    }

    [Fact]
    public async Task With_every_version_expired_again_and_again()
    {
        await using var nodes = await NodesAsync();
        await using var proxy = await FaultyProxy.StartAsync(cluster);
        await using var detour = await cluster.FollowThroughAsync(proxy.Address);
        await using var replica = await RunningWebhook.FollowAsync(cluster.KubeconfigFor(proxy.Address));
        await using var ns = await cluster.CreateNamespaceAsync();

        proxy.Expires = true;
        var burst = await DuringAsync(ns, nodes, Storm, async stop => await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing));
        proxy.Expires = false;

        Assert.True(proxy.Expired > 4);
        output.WriteLine($"410 answered {proxy.Expired} times");
        await AllIsKnownAsync(burst, ns, nodes, replica);
    }

    [Fact]
    public async Task With_lists_of_many_pages_that_change_while_they_are_read_and_expire_between_pages()
    {
        await using var nodes = await NodesAsync();
        await using var ns = await cluster.CreateNamespaceAsync();
        await using var proxy = await FaultyProxy.StartAsync(cluster);
        var burst = new Burst(cluster, ns);
        await burst.CreateAsync(20, _ => Steps.Predict(nodes.Location, "20m", "20Mi"));
        var asked = new ConcurrentDictionary<string, int>();
        proxy.PageSize = 2;
        proxy.HasExpiredBeforeFurtherPage = async path =>
        {
            // Before, between and behind what was read: a pod comes, one goes, a node changes.
            await burst.CreateAsync(2, _ => Steps.Predict(nodes.Location, "20m", "20Mi"), deleteEvery: 2);
            await LabelAsync(nodes.Names[0], $"{asked.Values.Sum()}");
            // The lists of pods, nodes and namespaces expire twice each: in the middle, and the next one after its first page.
            return asked.AddOrUpdate(path, 1, (_, before) => before + 1) is 2 or 3;
        };

        await using var replica = await RunningWebhook.FollowAsync(cluster.KubeconfigFor(proxy.Address));

        Assert.True(proxy.FurtherPages > 10, $"{proxy.FurtherPages} pages after the first");
        Assert.Equal(6, proxy.Expired);
        output.WriteLine($"{proxy.FurtherPages} further pages");
        await AllIsKnownAsync(burst, ns, nodes, replica);
    }

    [Fact]
    public async Task More_nodes_than_a_page_holds_are_all_known()
    {
        const int count = 520;
        await using var crowd = await OwnNodes.CreateAsync(cluster, [.. Enumerable.Repeat(("4", "4000Mi", 110), count)]);
        await using var proxy = await FaultyProxy.StartAsync(cluster);

        await using var replica = await RunningWebhook.FollowAsync(cluster.KubeconfigFor(proxy.Address));

        Assert.Equal(1, proxy.FurtherPages);
        Assert.Equal(count, replica.State.Current!.NearestTo(crowd.Location).Count);
        await FreshLists.AreKnownAsync(cluster.Api, cluster.Webhook, "the webhook, which saw them come one by one,");
        await FreshLists.AreKnownAsync(cluster.Api, replica, "the replica, which saw a list of two pages,");
    }

    [Fact]
    public async Task With_the_api_server_killed_in_the_middle()
    {
        await using var nodes = await NodesAsync();
        await using var detour = await cluster.FollowThroughAsync(cluster.Api.Address);
        await using var ns = await cluster.CreateNamespaceAsync();
        var burst = new Burst(cluster, ns);
        await burst.CreateAsync(Storm / 4, Pod(nodes), deleteEvery: 5);
        var rest = burst.CreateAsync(Storm / 4, Pod(nodes), deleteEvery: 5, insist: true);

        await cluster.KillApiServerAsync();
        await Task.Delay(Outage);
        await cluster.StartApiServerAsync();
        await rest;

        output.WriteLine($"away for {Outage.TotalSeconds:0} s; {burst.Refused} creates were tried again");
        Assert.True(burst.Refused > 0);
        await AllIsKnownAsync(burst, ns, nodes, null);
    }

    /// <summary>One small node that fills up, and two with room for everything.</summary>
    Task<OwnNodes> NodesAsync() => OwnNodes.CreateAsync(cluster, ("4", "4000Mi", 1000), ("400", "400000Mi", 10_000), ("400", "400000Mi", 10_000));

    /// <summary>Some are pinned to the near nodes: no other pod could free them.</summary>
    static Func<int, JsonObject> Pod(OwnNodes nodes) => i => Steps.Predict(nodes.Location, "20m", "20Mi").With(p =>
        p["metadata"]!["annotations"] = i % 4 == 0 ? new JsonObject { ["admissionlas.io/placement"] = "required" } : []);

    async Task<Burst> DuringAsync(TestNamespace ns, OwnNodes nodes, int pods, Func<CancellationToken, Task> fault)
    {
        using var stop = new CancellationTokenSource();
        var failing = fault(stop.Token);
        var changing = ChangeNodesAsync(nodes, stop.Token);
        var burst = new Burst(cluster, ns);
        await burst.CreateAsync(pods, Pod(nodes), deleteEvery: 5);
        var created = burst.Took;
        await burst.AllBoundAsync();
        output.WriteLine($"{pods} creates with {pods / 5} deletes in {created.TotalSeconds:0.0} s, all bound after {burst.Took.TotalSeconds:0.0} s");
        await stop.CancelAsync();
        await Task.WhenAll(failing, changing);
        return burst;
    }

    async Task AllIsKnownAsync(Burst burst, TestNamespace ns, OwnNodes nodes, RunningWebhook? replica)
    {
        Assert.All(await burst.AllBoundAsync(), p => Assert.Contains(p["spec"]!["nodeName"]!.GetValue<string>(), nodes.Names));
        await FreshLists.AreKnownAsync(cluster.Api, cluster.Webhook, "the webhook");
        if (replica is not null)
        {
            await FreshLists.AreKnownAsync(cluster.Api, replica, "the replica");
        }

        // And it goes on: what comes now is seen as it comes.
        var last = await ns.CreateAsync(Steps.Predict(nodes.Location, "20m", "20Mi"));
        Assert.NotNull(TestNamespace.DecisionOf(last));
        await ns.NodeOfAsync(last);
        await FreshLists.AreKnownAsync(cluster.Api, cluster.Webhook, "the webhook");
    }

    static async Task EverySecondAsync(Action action, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            action();
            await Task.Delay(TimeSpan.FromSeconds(1), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task ChangeNodesAsync(OwnNodes nodes, CancellationToken stop)
    {
        for (var i = 1; !stop.IsCancellationRequested; i++)
        {
            await LabelAsync(nodes.Names[i % nodes.Names.Count], $"{i}");
            await Task.Delay(TimeSpan.FromMilliseconds(100), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    Task LabelAsync(string node, string value) => cluster.Api.MergePatchAsync(
        $"/api/v1/nodes/{node}", new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["latency.admissionlas.io/STORM"] = value } } });

    static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
