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

    /// <summary>A watch that ends sooner with nothing said was refused in another way; one that lives longer ended because its time was up.</summary>
    static readonly TimeSpan ShortestWatch = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After so many failures in a row the version is given up: it may be the version itself that the server cannot go on from (it came
    /// back from a backup, or an event after it cannot be read), and only a list leads out of that.
    /// </summary>
    const int FailuresBeforeList = 5;

    // One signal waits at most: a second would publish the same view again.
    readonly Channel<bool> changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    ImmutableDictionary<string, NodeFacts> nodes = ImmutableDictionary<string, NodeFacts>.Empty;
    string? resourceVersion;
    long watches;
    int failuresInARow;

    /// <summary>How often the watch was opened again, for whatever reason.</summary>
    public long Restarts => Math.Max(0, Interlocked.Read(ref watches) - 1);

    /// <summary>Runs until stopped.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(FollowAsync(stop), PublishAsync(stop));

    async Task FollowAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                resourceVersion ??= await ListAsync(stop).ConfigureAwait(false);
                Interlocked.Increment(ref watches);
                await WatchAsync(resourceVersion, stop).ConfigureAwait(false);
            }
            // Whatever ends a request while we stop, a fault of its connection among it, is no news.
            catch (Exception) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (HttpOperationException refused) when (KubeApi.IsGone(refused))
            {
                Expired();
            }
            // The feed outlives every fault of the API server and of what it sends; only the process's end stops it.
            catch (Exception fault)
            {
                Failed();
                FeedFailed(Reason(fault), state.Current?.Nodes.Count ?? 0);
            }

            if (failuresInARow > 0)
            {
                await Task.Delay(Backoff(failuresInARow), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    async Task<string> ListAsync(CancellationToken stop)
    {
        var listed = ImmutableDictionary.CreateBuilder<string, NodeFacts>();
        string? version = null;
        string? next = null;
        do
        {
            var page = await api.ListNodesAsync(next, stop).ConfigureAwait(false);
            foreach (var item in page.Nodes)
            {
                if (NodeReader.Read(item) is { } node)
                {
                    listed[node.Name] = node;
                }
            }

            // All pages tell of one version. Should they not, the watch has to repeat what changed after the first.
            version ??= page.ResourceVersion;
            next = page.Continue;
        }
        while (next is not null);

        Volatile.Write(ref nodes, listed.ToImmutable());
        state.Heard();
        changed.Writer.TryWrite(true);
        Listed(listed.Count, version);
        return version;
    }

    async Task WatchAsync(string version, CancellationToken stop)
    {
        // Random, so that replicas do not all come back at once; a stream that is silent for longer than it may last is dead.
        var timeoutSeconds = Random.Shared.Next(300, 600);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(timeoutSeconds + 30), time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
        var openedAt = time.GetTimestamp();
        var heard = false;
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

            // Of a kind that we do not know, as when a proxy drops the query and answers with a list: no sign of life.
            if (line.Type is not ("ADDED" or "MODIFIED" or "DELETED" or "BOOKMARK"))
            {
                continue;
            }

            heard = true;
            failuresInARow = 0;
            state.Heard();
            Apply(line);
            // An empty version is none: a watch from it would begin anywhere.
            resourceVersion = NodeReader.ResourceVersion(line.Object) is { Length: > 0 } seen ? seen : resourceVersion;
        }

        // The server ended the stream.
        if (heard)
        {
            // Usually its time was up. A server that ends streams as soon as it has said something must not be hammered either.
            failuresInARow = 1;
        }
        else if (time.GetElapsedTime(openedAt) < ShortestWatch)
        {
            Failed();
        }
        else
        {
            // Bookmarks come once a minute. A server that had none to give does not know our version, and would be silent for ever.
            resourceVersion = null;
            failuresInARow = 1;
        }
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

    void Failed()
    {
        failuresInARow++;
        if (failuresInARow % FailuresBeforeList == 0)
        {
            resourceVersion = null;
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
        status.ValueKind == JsonValueKind.Object && status.TryGetProperty("code", out var code) &&
        code.ValueKind == JsonValueKind.Number && code.TryGetInt32(out var number) && number == (int)HttpStatusCode.Gone;

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
