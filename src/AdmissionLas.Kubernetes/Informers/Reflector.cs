using Microsoft.Extensions.Logging;

namespace AdmissionLas.Kubernetes;

/// <summary>Handles what a <see cref="Reflector"/> learns of the objects of a resource. Elements are valid during the call only.</summary>
interface IResourceEventHandler
{
    /// <summary>How many objects are known, for the log.</summary>
    int Count { get; }

    /// <summary>A list starts. An earlier list that has not completed never will.</summary>
    void OnListStarted();

    /// <summary>An object is on the list.</summary>
    void OnListed(JsonElement item) => OnAddOrUpdate(item);

    /// <summary>
    /// An object is on the list and too large to be read. What is known of it stays: its size does not say that it is gone, or that it uses less.
    /// </summary>
    /// <param name="head">The object with no more than its metadata.</param>
    void OnSkipped(JsonElement head);

    /// <summary>The list is complete: objects that were not on it do not exist.</summary>
    void OnListCompleted();

    /// <summary>An object was added after the list: the watch shows it for the first time.</summary>
    void OnAdded(JsonElement item) => OnAddOrUpdate(item);

    /// <summary>An object was added or changed.</summary>
    void OnAddOrUpdate(JsonElement item);

    /// <summary>An object was deleted, or the field selector matches it no longer.</summary>
    void OnDelete(JsonElement item);

    /// <summary>The API server has answered.</summary>
    void OnContact();

    /// <summary>A request has failed; changes are missed until the next contact.</summary>
    void OnInterrupted() { }

    /// <summary>The API server forbids to list or watch the resource.</summary>
    void OnForbidden() { }
}

/// <summary>
/// Lists and watches a resource: it lists, watches from the list's version, resumes from the last version seen, lists again when that one has
/// expired (410), and backs off with jitter after failures. Meanwhile the handler keeps what it knows.
/// Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
/// </summary>
sealed partial class Reflector(KubeApi api, WatchedResource resource, IResourceEventHandler handler, TimeProvider time, ILogger log)
{
    static readonly TimeSpan MinDelay = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(30);

    /// <summary>
    /// While no server answers: retries cost an API server nothing then, and once it is back it may send us pods before we have seen what we missed.
    /// </summary>
    static readonly TimeSpan MaxDelayUnanswered = TimeSpan.FromSeconds(3);

    /// <summary>A watch that ends sooner without an event was refused in some other way; one that lasts longer has reached its timeout.</summary>
    static readonly TimeSpan MinWatch = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After so many failures in a row the version is dropped. The version itself may be the cause (the server was restored from a backup, or
    /// a later event cannot be read), and only a list helps then.
    /// </summary>
    const int FailuresBeforeList = 5;

    /// <summary>An API server that has just started forbids everything until it has loaded its own rules.</summary>
    const int RefusalsBeforeForbidden = 5;

    string? resourceVersion;
    string verb = "list";
    string? lastFault;
    long watches;
    long skipped;
    long skippedAndLogged;
    int failuresInARow;
    int expiriesInARow;
    int refusalsInARow;

    /// <summary>How often the watch was opened again, for any reason.</summary>
    internal long Restarts => Math.Max(0, Interlocked.Read(ref watches) - 1);

    /// <summary>How many objects were too large to be read.</summary>
    internal long Skipped => Interlocked.Read(ref skipped);

    /// <summary>Runs until stopped.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var maxDelay = MaxDelay;
            try
            {
                verb = "list";
                resourceVersion ??= await ListAsync(stop).ConfigureAwait(false);
                verb = "watch";
                Interlocked.Increment(ref watches);
                await WatchAsync(resourceVersion, stop).ConfigureAwait(false);
            }
            // While we stop, every failure of a request is expected.
            catch (Exception) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (HttpOperationException refused) when (refused is { Response.StatusCode: HttpStatusCode.Gone })
            {
                Expired();
            }
            // No fault of the API server or of its answers ends the loop.
            catch (Exception fault)
            {
                if (fault is HttpOperationException { Response.StatusCode: HttpStatusCode.Forbidden })
                {
                    if (++refusalsInARow >= RefusalsBeforeForbidden)
                    {
                        handler.OnForbidden();
                    }

                    // Once it is allowed again, a list has to make up for what was missed.
                    resourceVersion = null;
                }

                maxDelay = fault is HttpRequestException or IOException or TimeoutException ? MaxDelayUnanswered : MaxDelay;
                Failed();
                var reason = Reason(fault);
                // A failure that repeats, above all a missing right, is logged once.
                if (reason != lastFault)
                {
                    lastFault = reason;
                    HasFailed(resource.Name, reason, handler.Count);
                }
            }

            LogSkipped();
            if (failuresInARow > 0)
            {
                await Task.Delay(Backoff(failuresInARow, maxDelay), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    async Task<string> ListAsync(CancellationToken stop)
    {
        handler.OnListStarted();
        var version = await api.ListAllAsync(resource, handler.OnListed, stop, Skip).ConfigureAwait(false);
        LogSkipped();
        handler.OnListCompleted();
        handler.OnContact();
        refusalsInARow = 0;
        HasListed(handler.Count, resource.Name, version);
        return version;
    }

    async Task WatchAsync(string version, CancellationToken stop)
    {
        // Random, so that replicas do not all reconnect at once. A stream that is still open after its timeout is dead.
        var timeoutSeconds = Random.Shared.Next(300, 600);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(timeoutSeconds + 30), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
        var openedAt = time.GetTimestamp();
        var hasEvents = false;
        await foreach (var line in api.WatchAsync(resource, version, timeoutSeconds, either.Token).ConfigureAwait(false))
        {
            if (line.Type == "ERROR")
            {
                // The same 410 that opening a watch can meet. Reasons vary between versions, the code does not.
                if (line.Object.Member("code").Text() == "410")
                {
                    Expired();
                    return;
                }

                throw new InvalidDataException($"the watch ended with {line.Object.Member("message").Text() ?? "an error without a message"}");
            }

            // An unknown type, as when a proxy drops the query and answers with a list: no contact with the API server.
            if (line.Type is not ("ADDED" or "MODIFIED" or "DELETED" or "BOOKMARK"))
            {
                continue;
            }

            hasEvents = true;
            failuresInARow = 0;
            refusalsInARow = 0;
            lastFault = null;
            expiriesInARow = time.GetElapsedTime(openedAt) < MinWatch ? expiriesInARow : 0;
            handler.OnContact();
            switch (line.Type)
            {
                // That it is gone does not need its whole.
                case "ADDED" or "MODIFIED" when line.IsTooLarge: Interlocked.Increment(ref skipped); break;
                case "DELETED": handler.OnDelete(line.Object); break;
                case "ADDED": handler.OnAdded(line.Object); break;
                case "MODIFIED": handler.OnAddOrUpdate(line.Object); break;
            }

            // A watch from an empty version would start anywhere.
            resourceVersion = ObjectMetadata.ResourceVersion(line.Object) is { Length: > 0 } seen ? seen : resourceVersion;
        }

        // The server ended the stream.
        if (!hasEvents && time.GetElapsedTime(openedAt) < MinWatch)
        {
            Failed();
            return;
        }

        // Usually it has reached its timeout. A server that ends streams after the first event must not be hammered either.
        failuresInARow = 1;
        // Bookmarks come once a minute. A server that sent none does not know our version and would stay silent forever.
        resourceVersion = hasEvents ? resourceVersion : null;
    }

    void Skip(JsonElement head)
    {
        Interlocked.Increment(ref skipped);
        handler.OnSkipped(head);
    }

    // Once for a list or a watch.
    void LogSkipped()
    {
        if (Skipped - skippedAndLogged is > 0 and var count)
        {
            skippedAndLogged += count;
            HasSkipped(resource.Name, verb, count, JsonValueStream.MaxBytes >> 20);
        }
    }

    void Failed()
    {
        handler.OnInterrupted();
        if (++failuresInARow % FailuresBeforeList == 0)
        {
            resourceVersion = null;
        }
    }

    void Expired()
    {
        resourceVersion = null;
        // Each one costs the API server a whole list, so events before it expires do not shorten the delay again.
        expiriesInARow++;
        failuresInARow = Math.Max(failuresInARow + 1, expiriesInARow);
        HasExpired(resource.Name);
    }

    // The client's exception messages contain whole response bodies; the status is enough.
    string Reason(Exception fault) => fault switch
    {
        HttpOperationException { Response.StatusCode: HttpStatusCode.Forbidden } =>
            $"the API server forbids to {verb} {resource.Name}; give our account the verbs list and watch on {resource.Name}, as manifests/base/rbac.yaml does",
        HttpOperationException refused => $"the API server answered {(int)refused.Response.StatusCode} {refused.Response.StatusCode}",
        OperationCanceledException => "the watch was silent for too long",
        _ => fault.InnerException is null ? fault.Message : $"{fault.Message} {fault.InnerException.Message}",
    };

    // Exponential with full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    static TimeSpan Backoff(int failures, TimeSpan longest)
    {
        var ceiling = Math.Min(longest.TotalMilliseconds, MinDelay.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 16)));
        return TimeSpan.FromMilliseconds(MinDelay.TotalMilliseconds + (Random.Shared.NextDouble() * (ceiling - MinDelay.TotalMilliseconds)));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Listed {Count} {Resource} at resource version {ResourceVersion}")]
    partial void HasListed(int count, string resource, string resourceVersion);

    [LoggerMessage(Level = LogLevel.Information, Message = "The resource version of the watch on {Resource} has expired; listing again")]
    partial void HasExpired(string resource);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The {Verb} of {Resource} had {Count} objects of more than {Megabytes} MiB, which are not read; what was known of them stays")]
    partial void HasSkipped(string resource, string verb, long count, int megabytes);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The watch on {Resource} is interrupted: {Reason}; decisions use the {Count} known until it is back")]
    partial void HasFailed(string resource, string reason, int count);
}
