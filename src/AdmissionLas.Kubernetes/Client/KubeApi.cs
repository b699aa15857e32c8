using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Serialization.Metadata;
using k8s;

namespace AdmissionLas.Kubernetes;

/// <summary>A resource that is listed and watched in the whole cluster.</summary>
/// <param name="Name">The resource's plural name, as in paths and in RBAC rules.</param>
/// <param name="FieldSelector">Selects some of its objects; empty for all.</param>
/// <param name="LabelSelector">The same by labels.</param>
public sealed record WatchedResource(string Name, string FieldSelector = "", string LabelSelector = "")
{
    /// <summary>Every node.</summary>
    public static WatchedResource Nodes { get; } = new("nodes");

    /// <summary>Every pod, also those that have finished.</summary>
    public static WatchedResource Pods { get; } = new("pods");

    /// <summary>The pods that have not finished. A watch reports a pod that finishes as deleted.</summary>
    public static WatchedResource UnfinishedPods { get; } = new("pods", "status.phase!=Succeeded,status.phase!=Failed");
}

/// <summary>One event of a watch.</summary>
/// <param name="Type">ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.</param>
/// <param name="Object">The object, or the Status of an ERROR; valid until the next event is read.</param>
/// <param name="IsTooLarge">The object was not read; of its metadata there is what its first bytes have.</param>
public readonly record struct WatchLine(string Type, JsonElement Object, bool IsTooLarge = false);

/// <summary>
/// Reads, writes, lists and watches objects of the API server over the client's own connection (credentials, token refresh, TLS, HTTP/2).
/// Every method throws <see cref="HttpOperationException"/> when the API server refuses.
/// </summary>
/// <remarks>
/// The client's own operations are not used; <see cref="KubeJson"/> says what they cost. KubernetesClient.Aot has no watch, and the full client loses
/// every watch event when compiled ahead of time. A Node object is tens of kilobytes, mostly images, and stays raw JSON until a reader has taken
/// what is needed.
/// </remarks>
public sealed class KubeApi(KubernetesClientConfiguration configuration, TimeProvider time) : IDisposable
{
    const string Json = "application/json";

    static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(15);

    /// <summary>How long a list may send nothing. A page may take longer as a whole: it may be large, and the line slow.</summary>
    static readonly TimeSpan SilenceTimeout = TimeSpan.FromSeconds(30);

    /// <summary>The most objects that one page is asked for.</summary>
    const int MaxPageObjects = 500;

    /// <summary>How large a page should be, which the API server makes as a whole. One of 500 usual pods is smaller.</summary>
    const long PageBytes = 16 << 20;

    /// <summary>For a write, which may pass through other admission webhooks.</summary>
    static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(40);

    readonly Connection connection = new(configuration);

    /// <summary>The API server's address.</summary>
    public Uri Address => connection.BaseUri;

    /// <inheritdoc/>
    public void Dispose() => connection.Dispose();

    /// <summary>
    /// Lists every object of a resource, page by page, consistently with etcd. It takes the memory of one object, not of a page: users who create pods can
    /// make each of them more than a megabyte.
    /// </summary>
    /// <param name="resource">What to list.</param>
    /// <param name="listed">Gets each item as the API server sent it, valid during the call only.</param>
    /// <param name="stop">Cancels it.</param>
    /// <param name="skipped">Gets the metadata of each item that is too large to be read.</param>
    /// <returns>The list's resource version, from which a watch goes on.</returns>
    /// <exception cref="HttpOperationException">The API server refused; 410 when the list expired between two pages.</exception>
    /// <exception cref="InvalidDataException">The answer is not a list.</exception>
    /// <exception cref="JsonException">The answer is not JSON.</exception>
    /// <exception cref="TimeoutException">The API server did not answer, or sent nothing for 30 seconds.</exception>
    public async Task<string> ListAllAsync(WatchedResource resource, Action<JsonElement> listed, CancellationToken stop, Action<JsonElement>? skipped = null)
    {
        using var silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop, silence.Token);
        var body = Stream.Null;
        // For all pages: a list of 150,000 pods leaves the garbage collector only what is kept of them.
        var values = new JsonValueStream(memory =>
        {
            silence.CancelAfter(SilenceTimeout);
            return body.ReadAsync(memory, patience.Token);
        });
        var limit = MaxPageObjects;
        string? version = null;
        string? next = null;
        do
        {
            var url = $"{Path(resource)}limit={limit}" + (next is null ? "" : $"&continue={Uri.EscapeDataString(next)}");
            using var response = await WithinAsync(HeadersTimeout, ct => GetAsync(url, ct), stop).ConfigureAwait(false);
            await using var page = body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
            var before = values.BytesRead;
            try
            {
                (var pageVersion, next) = await ReadPageAsync(values, listed, skipped).ConfigureAwait(false);
                // All pages have one version. If they differ, the watch has to repeat what changed after the first page.
                version ??= pageVersion;
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                throw new TimeoutException($"the API server sent nothing for {SilenceTimeout.TotalSeconds:0} s");
            }

            limit = NextLimit(limit, values.BytesRead - before);
        }
        while (next is not null);

        return version;
    }

    /// <summary>How many objects to ask for after a page of so many bytes: fewer where they are large, and slowly more again.</summary>
    internal static int NextLimit(int limit, long bytes) => (int)Math.Clamp(limit * PageBytes / Math.Max(1, bytes), 1, Math.Min(MaxPageObjects, 2 * limit));

    /// <summary>Reads one object as JSON.</summary>
    /// <param name="path">Its path below the API server's address, such as <c>api/v1/nodes/a</c>, with escaped names.</param>
    /// <param name="stop">Cancels it.</param>
    public Task<JsonElement> ReadAsync(string path, CancellationToken stop) => ReadAsync(path, KubeJson.Default.JsonElement, stop);

    /// <summary>Reads one object.</summary>
    public Task<T> ReadAsync<T>(ObjectKind<T> kind, string? namespaceName, string name, CancellationToken stop) =>
        ReadAsync(kind.Path(namespaceName, name), kind.Json, stop);

    /// <summary>Reads one object; <see langword="null"/> when it does not exist.</summary>
    public async Task<T?> FindAsync<T>(ObjectKind<T> kind, string? namespaceName, string name, CancellationToken stop) where T : class
    {
        try
        {
            return await ReadAsync(kind, namespaceName, name, stop).ConfigureAwait(false);
        }
        catch (HttpOperationException refused) when (refused is { Response.StatusCode: HttpStatusCode.NotFound })
        {
            return null;
        }
    }

    /// <summary>Lists the objects of a namespace, or of the cluster, that a label selector matches.</summary>
    public Task<T> ReadListAsync<T>(ObjectKind<T> lists, string? namespaceName, string labelSelector, CancellationToken stop) =>
        ReadAsync($"{lists.Path(namespaceName)}?labelSelector={Uri.EscapeDataString(labelSelector)}", lists.Json, stop);

    /// <summary>Creates an object.</summary>
    /// <returns>The object as the API server stored it, or would store it in a dry run.</returns>
    public Task<T> CreateAsync<T>(ObjectKind<T> kind, string? namespaceName, T made, CancellationToken stop, bool isDryRun = false) =>
        WriteAsync(HttpMethod.Post, $"{kind.Path(namespaceName)}?{DryRun(isDryRun)}", JsonSerializer.Serialize(made, kind.Json), Json, kind.Json, stop);

    /// <summary>Replaces an object; the API server refuses with 409 when its version has changed.</summary>
    public Task<T> ReplaceAsync<T>(ObjectKind<T> kind, string? namespaceName, string name, T changed, CancellationToken stop) =>
        WriteAsync(HttpMethod.Put, kind.Path(namespaceName, name), JsonSerializer.Serialize(changed, kind.Json), Json, kind.Json, stop);

    /// <summary>Patches a cluster-scoped object.</summary>
    public Task<T> PatchAsync<T>(ObjectKind<T> kind, string name, ObjectPatch patch, string fieldManager, CancellationToken stop, bool isDryRun = false) =>
        WriteAsync(
            HttpMethod.Patch, $"{kind.Path(null, name)}?fieldManager={Uri.EscapeDataString(fieldManager)}&{(patch.IsForced ? "force=true&" : "")}{DryRun(isDryRun)}",
            patch.Content, patch.MediaType, kind.Json, stop);

    /// <summary>Deletes a cluster-scoped object; the API server refuses with 409 when its uid is another one.</summary>
    public Task DeleteAsync<T>(ObjectKind<T> kind, string name, string uid, CancellationToken stop)
    {
        var options = new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = uid } };
        return WriteAsync(HttpMethod.Delete, kind.Path(null, name), JsonSerializer.Serialize(options, KubeJson.Default.V1DeleteOptions), Json, KubeJson.Default.JsonElement, stop);
    }

    /// <summary>The API server's version, such as <c>v1.34.1</c>, and its time.</summary>
    public async Task<(string GitVersion, DateTimeOffset? Time)> VersionAsync(CancellationToken stop)
    {
        var (version, time) = await ExchangeAsync(HeadersTimeout, ct => GetAsync("version", ct), KubeJson.Default.JsonElement, stop).ConfigureAwait(false);
        return (version.Member("gitVersion").Text() ?? "of an unknown version", time);
    }

    /// <summary>The versions of an API group, such as <c>v1</c>; <see langword="null"/> when the API server has no such group.</summary>
    public async Task<IReadOnlyList<string>?> VersionsOfAsync(string group, CancellationToken stop)
    {
        try
        {
            var found = await ReadAsync($"apis/{Uri.EscapeDataString(group)}", stop).ConfigureAwait(false);
            return [.. found.Member("versions").Items().Select(v => v.Member("version").Text()).OfType<string>()];
        }
        catch (HttpOperationException refused) when (refused is { Response.StatusCode: HttpStatusCode.NotFound })
        {
            return null;
        }
    }

    /// <summary>Watches from a resource version until the server ends the stream.</summary>
    /// <param name="resource">What to watch.</param>
    /// <param name="resourceVersion">The last version seen.</param>
    /// <param name="timeoutSeconds">After how long the server ends the stream.</param>
    /// <param name="stop">Ends the watch.</param>
    /// <exception cref="HttpOperationException">The API server refused; 410 means that the version has expired.</exception>
    /// <exception cref="JsonException">An event is not JSON, or was cut off.</exception>
    public async IAsyncEnumerable<WatchLine> WatchAsync(
        WatchedResource resource, string resourceVersion, int timeoutSeconds, [EnumeratorCancellation] CancellationToken stop)
    {
        var url = $"{Path(resource)}watch=true&allowWatchBookmarks=true&timeoutSeconds={timeoutSeconds}&resourceVersion={Uri.EscapeDataString(resourceVersion)}";
        using var response = await WithinAsync(HeadersTimeout, ct => GetAsync(url, ct), stop).ConfigureAwait(false);
        await using var body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        await foreach (var line in ReadLinesAsync(new JsonValueStream(memory => body.ReadAsync(memory, stop))).ConfigureAwait(false))
        {
            yield return line;
        }
    }

    /// <summary>Reads the lines of a watch.</summary>
    /// <exception cref="JsonException">A line is not JSON, or was cut off.</exception>
    internal static async IAsyncEnumerable<WatchLine> ReadLinesAsync(JsonValueStream values)
    {
        while (await values.HasMoreAsync().ConfigureAwait(false))
        {
            var (line, head) = await values.ReadValueAsync().ConfigureAwait(false);
            using (line)
            {
                yield return line is null ? ObjectHead.OfLine(head) : new WatchLine(line.RootElement.ValidMember("type").ValidText() ?? "", line.RootElement.ValidMember("object"));
            }

            values.Rest();
        }
    }

    static string Path(WatchedResource resource) =>
        $"api/v1/{resource.Name}?{Selector("fieldSelector", resource.FieldSelector)}{Selector("labelSelector", resource.LabelSelector)}";

    static string Selector(string parameter, string selector) => selector.Length == 0 ? "" : $"{parameter}={Uri.EscapeDataString(selector)}&";

    static string DryRun(bool isDryRun) => isDryRun ? "dryRun=All" : "";

    Task<HttpResponseMessage> GetAsync(string url, CancellationToken stop) => connection.SendAsync(HttpMethod.Get, url, null, "", stop);

    async Task<T> ReadAsync<T>(string url, JsonTypeInfo<T> shape, CancellationToken stop) =>
        (await ExchangeAsync(HeadersTimeout, ct => GetAsync(url, ct), shape, stop).ConfigureAwait(false)).Content;

    async Task<T> WriteAsync<T>(HttpMethod method, string url, string content, string mediaType, JsonTypeInfo<T> shape, CancellationToken stop) =>
        (await ExchangeAsync(WriteTimeout, ct => connection.SendAsync(method, url, content, mediaType, ct), shape, stop).ConfigureAwait(false)).Content;

    Task<(T Content, DateTimeOffset? Time)> ExchangeAsync<T>(
        TimeSpan limit, Func<CancellationToken, Task<HttpResponseMessage>> send, JsonTypeInfo<T> shape, CancellationToken stop) =>
        WithinAsync(limit, async ct =>
        {
            using var response = await send(ct).ConfigureAwait(false);
            await using var body = await response.Content.ReadAsStreamAsync(ct).ConfigureAwait(false);
            var content = await JsonSerializer.DeserializeAsync(body, shape, ct).ConfigureAwait(false);
            return (content ?? throw new InvalidDataException("the API server answered null"), response.Headers.Date);
        }, stop);

    /// <summary>Reads a page of a list.</summary>
    /// <exception cref="InvalidDataException">It is not a list.</exception>
    /// <exception cref="JsonException">It is not JSON, or was cut off.</exception>
    internal static async Task<(string Version, string? Continue)> ReadPageAsync(JsonValueStream page, Action<JsonElement> listed, Action<JsonElement>? skipped)
    {
        if (!await page.TryTakeAsync('{').ConfigureAwait(false))
        {
            throw new InvalidDataException("the list is no JSON object");
        }

        string? version = null;
        string? next = null;
        for (var isFirst = true; await page.NextEntryAsync('}', isFirst).ConfigureAwait(false); isFirst = false)
        {
            var name = await page.ReadValueAsync().ConfigureAwait(false);
            var member = MemberName(name.Value);
            name.Value?.Dispose();
            await page.TakeAsync(':').ConfigureAwait(false);
            if (member == "items" && await page.TryTakeAsync('[').ConfigureAwait(false))
            {
                await ReadItemsAsync(page, listed, skipped).ConfigureAwait(false);
                continue;
            }

            using var value = (await page.ReadValueAsync().ConfigureAwait(false)).Value;
            if (member == "metadata" && value is not null)
            {
                version = value.RootElement.ValidMember("resourceVersion").ValidText();
                next = value.RootElement.ValidMember("continue").ValidText();
            }
        }

        if (await page.HasMoreAsync().ConfigureAwait(false))
        {
            throw new JsonException("there is more after the list");
        }

        // Without a version, a watch would start anywhere and never report what was deleted before.
        return version is { Length: > 0 } ? (version, string.IsNullOrEmpty(next) ? null : next) : throw new InvalidDataException("the list has no resourceVersion");
    }

    static async Task ReadItemsAsync(JsonValueStream page, Action<JsonElement> listed, Action<JsonElement>? skipped)
    {
        for (var isFirst = true; await page.NextEntryAsync(']', isFirst).ConfigureAwait(false); isFirst = false)
        {
            var (item, head) = await page.ReadValueAsync().ConfigureAwait(false);
            using (item)
            {
                if (item is not null)
                {
                    listed(item.RootElement);
                }
                else
                {
                    skipped?.Invoke(ObjectHead.OfItem(head));
                }
            }
        }
    }

    // The two names that matter have no escapes. A name that is too large is another one.
    static string? MemberName(JsonDocument? name) =>
        name is null ? null
        : name.RootElement.ValueKind != JsonValueKind.String ? throw new JsonException("a name is no text")
        : JsonMarshal.GetRawUtf8Value(name.RootElement).SequenceEqual("\"items\""u8) ? "items"
        : JsonMarshal.GetRawUtf8Value(name.RootElement).SequenceEqual("\"metadata\""u8) ? "metadata"
        : null;

    // The client waits forever for headers and bodies: a server that accepts a connection and stays silent would block the informer.
    async Task<T> WithinAsync<T>(TimeSpan limit, Func<CancellationToken, Task<T>> action, CancellationToken stop)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
        try
        {
            return await action(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new TimeoutException($"the API server did not answer within {limit.TotalSeconds:0} s");
        }
    }

    /// <summary>The client without its operations.</summary>
    sealed class Connection(KubernetesClientConfiguration configuration) : k8s.Kubernetes(configuration)
    {
        readonly Version version = configuration.DisableHttp2 ? HttpVersion.Version11 : HttpVersion.Version20;

        internal async Task<HttpResponseMessage> SendAsync(HttpMethod method, string url, string? content, string mediaType, CancellationToken stop)
        {
            using var request = new HttpRequestMessage(method, new Uri(BaseUri, url))
            {
                Version = version,
                Content = content is null ? null : new StringContent(content, Encoding.UTF8, mediaType),
            };
            // The exception of a refusal carries the first argument, and the content may be a Secret.
            return await SendRequestRaw("", request, stop).ConfigureAwait(false);
        }
    }
}
