using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>Keeps a <see cref="ClusterState"/> up to date with the API server's nodes. The last view stays in force when the API server fails.</summary>
public sealed partial class NodeInformer : IResourceEventHandler
{
    /// <summary>The changes of this time make one view: a view costs a ranking, a change does not.</summary>
    static readonly TimeSpan PublishInterval = TimeSpan.FromMilliseconds(200);

    readonly Reflector reflector;
    readonly ClusterState state;
    readonly LatencyLabels latencies;
    readonly TimeProvider time;
    readonly ILogger<NodeInformer> log;
    readonly ResourceNames? names;
    // One signal waits at most: a second would publish the same view again.
    readonly Channel<bool> changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    // In the view's order, so that a view needs no sorting.
    SortedList<string, NodeFacts> nodes = NoNodes();
    readonly Lock nodesGate = new();
    SortedList<string, NodeFacts> listed = NoNodes();
    ClusterView last = ClusterView.Empty;

    /// <summary>Sets up the informer; <see cref="RunAsync"/> starts it.</summary>
    /// <param name="api">The API server.</param>
    /// <param name="state">Where the nodes are published.</param>
    /// <param name="latencies">The labels with latencies that count.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Gets a line for each interruption.</param>
    /// <param name="names">Learns the nodes' resources, before the nodes are published.</param>
    public NodeInformer(KubeApi api, ClusterState state, LatencyLabels latencies, TimeProvider time, ILogger<NodeInformer> log, ResourceNames? names = null)
    {
        (this.state, this.latencies, this.time, this.log, this.names) = (state, latencies, time, log, names);
        reflector = new Reflector(api, WatchedResource.Nodes, this, time, log);
    }

    /// <summary>How often the watch was opened again, for any reason.</summary>
    public long Restarts => reflector.Restarts;

    /// <summary>How many objects were too large to be read.</summary>
    public long Skipped => reflector.Skipped;

    /// <summary>Runs until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(reflector.RunAsync(stop), PublishAsync(stop));

    int IResourceEventHandler.Count => nodes.Count;

    void IResourceEventHandler.OnListStarted() => listed = NoNodes();

    void IResourceEventHandler.OnListed(JsonElement item)
    {
        if (Read(item) is { } node)
        {
            // Keeps the known object: an unchanged node costs the next view nothing.
            listed[node.Name] = nodes.TryGetValue(node.Name, out var known) && known.Equals(node) ? known : node;
        }
    }

    void IResourceEventHandler.OnSkipped(JsonElement head)
    {
        if (ObjectMetadata.Name(head) is { } name && nodes.TryGetValue(name, out var known))
        {
            listed[name] = known;
        }
    }

    void IResourceEventHandler.OnListCompleted() => Change(() => nodes = listed);

    void IResourceEventHandler.OnContact() => state.NoteContact();

    void IResourceEventHandler.OnAddOrUpdate(JsonElement item)
    {
        if (Read(item) is { } node && !(nodes.TryGetValue(node.Name, out var known) && known.Equals(node)))
        {
            Change(() => nodes[node.Name] = node);
        }
    }

    void IResourceEventHandler.OnDelete(JsonElement item)
    {
        if (ObjectMetadata.Name(item) is { } name && nodes.ContainsKey(name))
        {
            Change(() => nodes.Remove(name));
        }
    }

    NodeFacts? Read(JsonElement item)
    {
        var node = NodeReader.Read(item, latencies);
        if (node is not null)
        {
            names?.Add(node);
        }

        return node;
    }

    static SortedList<string, NodeFacts> NoNodes() => new(StringComparer.Ordinal);

    // Only the reflector changes the nodes, so it reads them without the lock.
    void Change(Action change)
    {
        lock (nodesGate)
        {
            change();
        }

        changed.Writer.TryWrite(true);
    }

    async Task PublishAsync(CancellationToken stop)
    {
        using var stopping = stop.Register(() => changed.Writer.TryComplete());
        await foreach (var _ in changed.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            Publish();
            await Task.Delay(PublishInterval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    void Publish()
    {
        NodeFacts[] now;
        lock (nodesGate)
        {
            now = [.. nodes.Values];
        }

        try
        {
            last = last.With(now);
            state.Publish(last);
        }
        // A subscriber may fail, and without this no view would be published any more, and nothing would be logged.
        catch (Exception fault)
        {
            PublishFailed(fault, fault.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A subscriber of the node views failed: {Reason}")]
    partial void PublishFailed(Exception fault, string reason);
}
