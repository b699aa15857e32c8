using System.Text.Json;
using System.Threading.Channels;
using AdmissionLas.Placement;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>Keeps a <see cref="ClusterState"/> up to date with the API server's nodes. The last view stays in force whatever happens.</summary>
public sealed partial class NodeInformer : IResourceEventHandler
{
    /// <summary>Changes that come within this time of one another make one view: a view costs a ranking, a change does not.</summary>
    static readonly TimeSpan PublishInterval = TimeSpan.FromMilliseconds(200);

    readonly Reflector following;
    readonly ClusterState state;
    readonly TimeProvider time;
    readonly ILogger<NodeInformer> log;
    // One signal waits at most: a second would publish the same view again.
    readonly Channel<bool> changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    // In the view's own order, so that a view has nothing to sort.
    SortedList<string, NodeFacts> nodes = NoNodes();
    readonly Lock nodesGate = new();
    SortedList<string, NodeFacts> listed = NoNodes();
    ClusterView last = ClusterView.Empty;

    /// <summary>Sets up the feed; <see cref="RunAsync"/> starts it.</summary>
    public NodeInformer(KubeApi api, ClusterState state, TimeProvider time, ILogger<NodeInformer> log)
    {
        (this.state, this.time, this.log) = (state, time, log);
        following = new Reflector(api, WatchedResource.Nodes, this, time, log);
    }

    /// <summary>How often the watch was opened again, for whatever reason.</summary>
    public long Restarts => following.Restarts;

    /// <summary>Runs until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(following.RunAsync(stop), PublishAsync(stop));

    int IResourceEventHandler.Count => nodes.Count;

    void IResourceEventHandler.BeginList() => listed = NoNodes();

    void IResourceEventHandler.Listed(JsonElement item)
    {
        if (NodeReader.Read(item) is { } node)
        {
            // The very object that is known: what is unchanged costs the next view nothing.
            listed[node.Name] = nodes.TryGetValue(node.Name, out var known) && known.Equals(node) ? known : node;
        }
    }

    void IResourceEventHandler.EndList() => Change(() => nodes = listed);

    void IResourceEventHandler.Heard() => state.Heard();

    // The age of the state tells of it.
    void IResourceEventHandler.Interrupted()
    {
    }

    void IResourceEventHandler.Set(JsonElement item)
    {
        if (NodeReader.Read(item) is { } node && !(nodes.TryGetValue(node.Name, out var known) && known.Equals(node)))
        {
            Change(() => nodes[node.Name] = node);
        }
    }

    void IResourceEventHandler.Deleted(JsonElement item)
    {
        if (ObjectMetadata.Name(item) is { } name && nodes.ContainsKey(name))
        {
            Change(() => nodes.Remove(name));
        }
    }

    // The last view is all there is to go by.
    void IResourceEventHandler.Refused()
    {
    }

    static SortedList<string, NodeFacts> NoNodes() => new(StringComparer.Ordinal);

    // Only the following changes them, and needs no lock to look into them.
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
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await changed.Reader.ReadAsync(stop).ConfigureAwait(false);
                Publish();
                await Task.Delay(PublishInterval, time, stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    void Publish()
    {
        try
        {
            last = last.With(Now());
            state.Publish(last);
        }
        // Whoever follows the views may fail; without this, one failure would be the end of all views, with nothing to show for it.
        catch (Exception fault)
        {
            PublishFailed(fault, fault.Message);
        }
    }

    NodeFacts[] Now()
    {
        lock (nodesGate)
        {
            return [.. nodes.Values];
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "A view of the nodes was not heard by all who follow: {Reason}")]
    partial void PublishFailed(Exception fault, string reason);
}
