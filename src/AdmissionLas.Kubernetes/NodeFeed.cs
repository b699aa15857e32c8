using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using AdmissionLas.Placement;
using k8s.Autorest;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>
/// Keeps a <see cref="ClusterState"/> up to date with the API server: list, watch from the list's version, resume from the last version
/// seen, list again when that one has expired (410), back off with jitter on faults. The last view stays in force all the while.
/// Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
/// </summary>
public sealed partial class NodeFeed(KubeApi api, ClusterState state, TimeProvider time, ILogger<NodeFeed> log)
{
    /// <summary>Changes that come within this time of one another make one view: a view costs a ranking, a change does not.</summary>
    static readonly TimeSpan PublishInterval = TimeSpan.FromMilliseconds(200);

    static readonly TimeSpan ShortestDelay = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    // One signal waits at most: a second would publish the same view again.
    readonly Channel<bool> changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    ImmutableDictionary<string, NodeFacts> nodes = ImmutableDictionary<string, NodeFacts>.Empty;
    string? resourceVersion;
    long restarts;
    int failuresInARow;

    /// <summary>How often the watch was opened again, for whatever reason.</summary>
    public long Restarts => Interlocked.Read(ref restarts);

    /// <summary>Runs until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(FollowAsync(stop), PublishAsync(stop));

    async Task FollowAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                resourceVersion ??= await ListAsync(stop).ConfigureAwait(false);
                await WatchAsync(resourceVersion, stop).ConfigureAwait(false);
            }
            catch (HttpOperationException refused) when (KubeApi.IsGone(refused))
            {
                Expired();
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            // The feed outlives every fault of the API server and of what it sends; only the process's end stops it.
            catch (Exception fault)
            {
                failuresInARow++;
                FeedFailed(Reason(fault), state.Current?.Nodes.Count ?? 0);
            }

            Interlocked.Increment(ref restarts);
            if (failuresInARow > 0)
            {
                await Task.Delay(Backoff(failuresInARow), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    async Task<string> ListAsync(CancellationToken stop)
    {
        var listed = ImmutableDictionary.CreateBuilder<string, NodeFacts>();
        NodePage page;
        string? next = null;
        do
        {
            page = await api.ListNodesAsync(next, stop).ConfigureAwait(false);
            foreach (var item in page.Nodes)
            {
                if (NodeReader.Read(item) is { } node)
                {
                    listed[node.Name] = node;
                }
            }

            next = page.Continue;
        }
        while (next is not null);

        Volatile.Write(ref nodes, listed.ToImmutable());
        state.Heard();
        changed.Writer.TryWrite(true);
        Listed(listed.Count, page.ResourceVersion);
        return page.ResourceVersion;
    }

    async Task WatchAsync(string version, CancellationToken stop)
    {
        // Random, so that replicas do not all come back at once; a stream that is silent for longer than it may last is dead.
        var timeoutSeconds = Random.Shared.Next(300, 600);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(TimeSpan.FromSeconds(timeoutSeconds + 30));
        await foreach (var line in api.WatchNodesAsync(version, timeoutSeconds, patience.Token).ConfigureAwait(false))
        {
            if (line.Type == "ERROR")
            {
                if (!IsGone(line.Object))
                {
                    throw new InvalidDataException($"the watch ended with {Message(line.Object)}");
                }

                Expired();
                return;
            }

            failuresInARow = 0;
            state.Heard();
            Apply(line);
            resourceVersion = NodeReader.ResourceVersion(line.Object) ?? resourceVersion;
        }

        // The server ended the stream. Usually its time was up; one that ends streams as soon as they open must not be hammered.
        failuresInARow = stop.IsCancellationRequested ? 0 : Math.Max(1, failuresInARow);
    }

    void Apply(WatchLine line)
    {
        var before = nodes;
        var after = line.Type switch
        {
            "DELETED" when NodeReader.Name(line.Object) is { } name => before.Remove(name),
            "ADDED" or "MODIFIED" when NodeReader.Read(line.Object) is { } node =>
                before.TryGetValue(node.Name, out var known) && known.Equals(node) ? before : before.SetItem(node.Name, node),
            _ => before,
        };
        if (!ReferenceEquals(before, after))
        {
            Volatile.Write(ref nodes, after);
            changed.Writer.TryWrite(true);
        }
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
            state.Publish(new ClusterView(Volatile.Read(ref nodes).Values));
        }
        // Whoever follows the views may fail; without this, one failure would be the end of all views, with nothing to show for it.
        catch (Exception fault)
        {
            PublishFailed(fault, fault.Message);
        }
    }

    void Expired()
    {
        resourceVersion = null;
        failuresInARow++;
        VersionExpired();
    }

    // The same 410 that opening a watch can meet, told inside the stream. Reasons vary between versions, the code does not.
    static bool IsGone(JsonElement status) =>
        status.ValueKind == JsonValueKind.Object && status.TryGetProperty("code", out var code) && code.TryGetInt32(out var number) && number == (int)HttpStatusCode.Gone;

    static string Message(JsonElement status) =>
        status.ValueKind == JsonValueKind.Object && status.TryGetProperty("message", out var message) ? message.ToString() : "an error without a message";

    // The client puts whole response bodies into its messages; the status says enough.
    static string Reason(Exception fault) => fault switch
    {
        HttpOperationException refused => $"the API server answered {(int)refused.Response.StatusCode} {refused.Response.StatusCode}",
        OperationCanceledException => "the watch was silent for too long",
        _ => fault.InnerException is null ? fault.Message : $"{fault.Message} {fault.InnerException.Message}",
    };

    // Exponential with full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    static TimeSpan Backoff(int failures)
    {
        var ceiling = Math.Min(LongestDelay.TotalMilliseconds, ShortestDelay.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 16)));
        return TimeSpan.FromMilliseconds(ShortestDelay.TotalMilliseconds + (Random.Shared.NextDouble() * (ceiling - ShortestDelay.TotalMilliseconds)));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Listed {NodeCount} nodes at resource version {ResourceVersion}")]
    partial void Listed(int nodeCount, string resourceVersion);

    [LoggerMessage(Level = LogLevel.Information, Message = "The node watch's resource version has expired; listing again")]
    partial void VersionExpired();

    [LoggerMessage(Level = LogLevel.Error, Message = "A view of the nodes was not heard by all who follow: {Reason}")]
    partial void PublishFailed(Exception fault, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node feed interrupted: {Reason}; still answering from the last view of {NodeCount} nodes")]
    partial void FeedFailed(string reason, int nodeCount);
}
