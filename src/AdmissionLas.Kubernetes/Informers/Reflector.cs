using System.Buffers;
using System.Net;
using System.Text.Json;
using k8s.Autorest;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>Hears of every object of a resource.</summary>
interface IResourceEventHandler
{
    /// <summary>How many objects are known, for the log.</summary>
    int Count { get; }

    /// <summary>A list begins; one that began before and has not ended never will.</summary>
    void BeginList();

    /// <summary>An object on the list, good for this call alone.</summary>
    void Listed(JsonElement item);

    /// <summary>The list has ended: what was not on it does not exist.</summary>
    void EndList();

    /// <summary>A sign of life from the API server.</summary>
    void Heard();

    /// <summary>A request has failed; until the next sign of life nothing is heard.</summary>
    void Interrupted();

    /// <summary>An object has appeared or changed.</summary>
    void Set(JsonElement item);

    /// <summary>An object is gone, or is no longer of those that were asked for.</summary>
    void Deleted(JsonElement item);

    /// <summary>The API server forbids to follow the resource.</summary>
    void Refused();
}

/// <summary>
/// Follows a resource: list, watch from the list's version, resume from the last version seen, list again when that one has expired (410),
/// back off with jitter on faults. What is known stays in force all the while.
/// Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
/// </summary>
sealed partial class Reflector(KubeApi api, WatchedResource resource, IResourceEventHandler follower, TimeProvider time, ILogger log)
{
    static readonly TimeSpan ShortestDelay = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Where nobody answers: that costs an API server nothing, and once it is back it may ask us about pods before we have seen what happened meanwhile.
    /// </summary>
    static readonly TimeSpan LongestDelayUnanswered = TimeSpan.FromSeconds(3);

    /// <summary>A watch that ends sooner with nothing said was refused in another way; one that lives longer ended because its time was up.</summary>
    static readonly TimeSpan ShortestWatch = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After so many failures in a row the version is given up: it may be the version itself that the server cannot go on from (it came
    /// back from a backup, or an event after it cannot be read), and only a list leads out of that.
    /// </summary>
    const int FailuresBeforeList = 5;

    /// <summary>An API server that has just started forbids everything until it knows its own rules.</summary>
    const int RefusalsBeforeBelieved = 5;

    string? resourceVersion;
    string verb = "list";
    string? lastFault;
    long watches;
    int failuresInARow;
    int expiriesInARow;
    int refusalsInARow;

    /// <summary>How often the watch was opened again, for whatever reason.</summary>
    internal long Restarts => Math.Max(0, Interlocked.Read(ref watches) - 1);

    /// <summary>Runs until stopped.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var longestDelay = LongestDelay;
            try
            {
                verb = "list";
                resourceVersion ??= await ListAsync(stop).ConfigureAwait(false);
                verb = "watch";
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
                if (fault is HttpOperationException refused && refused.Is(HttpStatusCode.Forbidden))
                {
                    if (++refusalsInARow >= RefusalsBeforeBelieved)
                    {
                        follower.Refused();
                    }

                    // Once it is allowed again, what was missed has to be made good.
                    resourceVersion = null;
                }

                longestDelay = fault is HttpRequestException or IOException or TimeoutException ? LongestDelayUnanswered : LongestDelay;
                Failed();
                Tell(Reason(fault));
            }

            if (failuresInARow > 0)
            {
                await Task.Delay(Backoff(failuresInARow, longestDelay), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    async Task<string> ListAsync(CancellationToken stop)
    {
        follower.BeginList();
        string? version = null;
        string? next = null;
        var buffer = new ArrayBufferWriter<byte>();
        do
        {
            var page = await api.ListAsync(resource, next, follower.Listed, buffer, stop).ConfigureAwait(false);
            // All pages tell of one version. Should they not, the watch has to repeat what changed after the first.
            version ??= page.ResourceVersion;
            next = page.Continue;
        }
        while (next is not null);

        follower.EndList();
        follower.Heard();
        refusalsInARow = 0;
        HasListed(follower.Count, resource.Name, version);
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
        await foreach (var line in api.WatchAsync(resource, version, timeoutSeconds, patience.Token).ConfigureAwait(false))
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
            refusalsInARow = 0;
            lastFault = null;
            expiriesInARow = time.GetElapsedTime(openedAt) < ShortestWatch ? expiriesInARow : 0;
            follower.Heard();
            Apply(line);
            // An empty version is none: a watch from it would begin anywhere.
            resourceVersion = ObjectMetadata.ResourceVersion(line.Object) is { Length: > 0 } seen ? seen : resourceVersion;
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
        switch (line.Type)
        {
            case "DELETED": follower.Deleted(line.Object); break;
            case "ADDED" or "MODIFIED": follower.Set(line.Object); break;
        }
    }

    void Failed()
    {
        follower.Interrupted();
        failuresInARow++;
        if (failuresInARow % FailuresBeforeList == 0)
        {
            resourceVersion = null;
        }
    }

    void Expired()
    {
        resourceVersion = null;
        // Each costs the API server a whole list, so that a stream which says something before it expires is no reason to be quick again.
        expiriesInARow++;
        failuresInARow = Math.Max(failuresInARow + 1, expiriesInARow);
        HasExpired(resource.Name);
    }

    // What goes on and on, a right that is missing above all, is told once.
    void Tell(string reason)
    {
        if (reason != lastFault)
        {
            lastFault = reason;
            HasFailed(resource.Name, reason, follower.Count);
        }
    }

    // The same 410 that opening a watch can meet, told inside the stream. Reasons vary between versions, the code does not.
    static bool IsGone(JsonElement status) =>
        status.ValueKind == JsonValueKind.Object && status.TryGetProperty("code", out var code) &&
        code.ValueKind == JsonValueKind.Number && code.TryGetInt32(out var number) && number == (int)HttpStatusCode.Gone;

    static string Message(JsonElement status) =>
        status.ValueKind == JsonValueKind.Object && status.TryGetProperty("message", out var message) ? message.ToString() : "an error without a message";

    // The client puts whole response bodies into its messages; the status says enough.
    string Reason(Exception fault) => fault switch
    {
        HttpOperationException refused when refused.Is(HttpStatusCode.Forbidden) =>
            $"the API server forbids to {verb} {resource.Name}; give our account the verbs list and watch on {resource.Name}, as manifests/base/rbac.yaml does",
        HttpOperationException refused => $"the API server answered {(int)refused.Response.StatusCode} {refused.Response.StatusCode}",
        OperationCanceledException => "the watch was silent for too long",
        _ => fault.InnerException is null ? fault.Message : $"{fault.Message} {fault.InnerException.Message}",
    };

    // Exponential with full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    static TimeSpan Backoff(int failures, TimeSpan longest)
    {
        var ceiling = Math.Min(longest.TotalMilliseconds, ShortestDelay.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 16)));
        return TimeSpan.FromMilliseconds(ShortestDelay.TotalMilliseconds + (Random.Shared.NextDouble() * (ceiling - ShortestDelay.TotalMilliseconds)));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Listed {Count} {Resource} at resource version {ResourceVersion}")]
    partial void HasListed(int count, string resource, string resourceVersion);

    [LoggerMessage(Level = LogLevel.Information, Message = "The resource version up to which {Resource} were watched has expired; listing again")]
    partial void HasExpired(string resource);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Following {Resource} is interrupted: {Reason}; still answering from what is known of {Count}")]
    partial void HasFailed(string resource, string reason, int count);
}
