using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace AdmissionLas.Kubernetes;

/// <summary>A resource that is followed whole.</summary>
/// <param name="Name">In the plural, as in paths and in rights.</param>
/// <param name="FieldSelector">Which of its objects; empty for all.</param>
public sealed record WatchedResource(string Name, string FieldSelector)
{
    /// <summary>Every node.</summary>
    public static WatchedResource Nodes { get; } = new("nodes", "");

    /// <summary>The pods that have not finished. One that finishes is told of as deleted.</summary>
    public static WatchedResource UnfinishedPods { get; } = new("pods", "status.phase!=Succeeded,status.phase!=Failed");
}

/// <summary>What a page of a list says beside its items.</summary>
/// <param name="ResourceVersion">The version of the whole list, from which a watch goes on.</param>
/// <param name="Continue">The token for the next page; <see langword="null"/> on the last.</param>
public sealed record ListPage(string ResourceVersion, string? Continue);

/// <summary>A line of a watch stream.</summary>
/// <param name="Type">ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.</param>
/// <param name="Object">The object, or the Status that an ERROR carries; good until the next line is asked for.</param>
public readonly record struct WatchLine(string Type, JsonElement Object);

/// <summary>
/// The API server's objects, over the client's own connection (credentials, token refresh, TLS, HTTP/2): single ones with the client's types,
/// lists and watches as they come.
/// </summary>
/// <remarks>
/// Not by the client's own operations: what they cost is said at <see cref="KubeJson"/>.
/// KubernetesClient.Aot has no watch, and the full client loses every watch event when compiled ahead of time; both read a stream of JSON
/// lines, and so do we. Node objects are tens of kilobytes, most of it images; they are kept as raw JSON until a reader
/// has taken what is needed.
/// </remarks>
public sealed class KubeApi(KubernetesClientConfiguration configuration, TimeProvider time) : IDisposable
{
    const string Json = "application/json";

    static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(15);

    /// <summary>For a page of 500 objects, some ten megabytes, over a slow line.</summary>
    static readonly TimeSpan PageTimeout = TimeSpan.FromMinutes(1);

    /// <summary>For a write, which may pass through the webhooks of others.</summary>
    static readonly TimeSpan WriteTimeout = TimeSpan.FromSeconds(40);

    readonly Connection connection = new(configuration);

    /// <summary>Where the API server is.</summary>
    public Uri Address => connection.BaseUri;

    /// <inheritdoc/>
    public void Dispose() => connection.Dispose();

    /// <summary>Lists one page, consistently with etcd.</summary>
    /// <param name="resource">What to list.</param>
    /// <param name="continueToken">The page before said so; <see langword="null"/> for the first.</param>
    /// <param name="listed">Is given each item as the API server sent it, good for that call alone.</param>
    /// <param name="page">
    /// Holds the page while it is read. It is megabytes; with one for all pages of a list, and items that are given back, a list of 150,000
    /// pods leaves nothing behind for the garbage collector but what is kept of them.
    /// </param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="HttpOperationException">The API server refused; 410 means that the token has expired.</exception>
    /// <exception cref="InvalidDataException">It is no list.</exception>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public async Task<ListPage> ListAsync(
        WatchedResource resource, string? continueToken, Action<JsonElement> listed, ArrayBufferWriter<byte> page, CancellationToken stop)
    {
        var url = $"{Path(resource)}limit=500" + (continueToken is null ? "" : $"&continue={Uri.EscapeDataString(continueToken)}");
        page.ResetWrittenCount();
        await WithinAsync(PageTimeout, ct => ReadAsync(url, page, ct), stop).ConfigureAwait(false);
        return ReadPage(page.WrittenSpan, listed);
    }

    /// <summary>Reads one object as it stands.</summary>
    /// <param name="path">Its path below the API server's address, such as <c>api/v1/nodes/a</c>; names in it are escaped already.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="HttpOperationException">The API server refused; 404 when there is none.</exception>
    public Task<JsonElement> ReadAsync(string path, CancellationToken stop) => ReadAsync(path, KubeJson.Default.JsonElement, stop);

    /// <summary>Reads one object.</summary>
    /// <exception cref="HttpOperationException">The API server refused; 404 when there is none.</exception>
    public Task<T> ReadAsync<T>(ObjectKind<T> kind, string? namespaceName, string name, CancellationToken stop) =>
        ReadAsync(kind.Path(namespaceName, name), kind.Json, stop);

    /// <summary>Reads one object; <see langword="null"/> when there is none.</summary>
    /// <exception cref="HttpOperationException">The API server refused.</exception>
    public async Task<T?> FindAsync<T>(ObjectKind<T> kind, string? namespaceName, string name, CancellationToken stop) where T : class
    {
        try
        {
            return await ReadAsync(kind, namespaceName, name, stop).ConfigureAwait(false);
        }
        catch (HttpOperationException refused) when (refused.Is(HttpStatusCode.NotFound))
        {
            return null;
        }
    }

    /// <summary>Reads those of a namespace, or of the cluster, that have labels.</summary>
    /// <exception cref="HttpOperationException">The API server refused.</exception>
    public Task<T> ReadListAsync<T>(ObjectKind<T> lists, string? namespaceName, string labelSelector, CancellationToken stop) =>
        ReadAsync($"{lists.Path(namespaceName)}?labelSelector={Uri.EscapeDataString(labelSelector)}", lists.Json, stop);

    /// <summary>Makes an object.</summary>
    /// <returns>It, as the API server stored it, or would have.</returns>
    /// <exception cref="HttpOperationException">The API server refused.</exception>
    public Task<T> CreateAsync<T>(ObjectKind<T> kind, string? namespaceName, T made, CancellationToken stop, bool isDryRun = false) =>
        WriteAsync(HttpMethod.Post, $"{kind.Path(namespaceName)}?{DryRun(isDryRun)}", JsonSerializer.Serialize(made, kind.Json), Json, kind.Json, stop);

    /// <summary>Replaces an object, if it is still of the version that is given back.</summary>
    /// <exception cref="HttpOperationException">The API server refused; 409 when it has another version.</exception>
    public Task<T> ReplaceAsync<T>(ObjectKind<T> kind, string? namespaceName, string name, T changed, CancellationToken stop) =>
        WriteAsync(HttpMethod.Put, kind.Path(namespaceName, name), JsonSerializer.Serialize(changed, kind.Json), Json, kind.Json, stop);

    /// <summary>Changes an object of the cluster.</summary>
    /// <exception cref="HttpOperationException">The API server refused.</exception>
    public Task<T> PatchAsync<T>(ObjectKind<T> kind, string name, ObjectPatch patch, string fieldManager, CancellationToken stop, bool isDryRun = false) =>
        WriteAsync(
            HttpMethod.Patch, $"{kind.Path(null, name)}?fieldManager={Uri.EscapeDataString(fieldManager)}&{(patch.IsForced ? "force=true&" : "")}{DryRun(isDryRun)}",
            patch.Content, patch.MediaType, kind.Json, stop);

    /// <summary>Deletes the very object of the cluster that has this uid.</summary>
    /// <exception cref="HttpOperationException">The API server refused; 404 when there is none, 409 when it has another uid.</exception>
    public Task DeleteAsync<T>(ObjectKind<T> kind, string name, string uid, CancellationToken stop)
    {
        var options = new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = uid } };
        return WriteAsync(HttpMethod.Delete, kind.Path(null, name), JsonSerializer.Serialize(options, KubeJson.Default.V1DeleteOptions), Json, KubeJson.Default.JsonElement, stop);
    }

    /// <summary>The API server's version, such as <c>v1.34.1</c>, and what time it has.</summary>
    /// <exception cref="HttpOperationException">The API server refused.</exception>
    public Task<(string GitVersion, DateTimeOffset? Time)> VersionAsync(CancellationToken stop) => WithinAsync(HeadersTimeout, async ct =>
    {
        using var response = await GetAsync("version", ct).ConfigureAwait(false);
        var version = await ContentAsync(response, KubeJson.Default.JsonElement, ct).ConfigureAwait(false);
        return (JsonElementFields.Text(JsonElementFields.Member(version, "gitVersion")) ?? "of an unknown version", response.Headers.Date);
    }, stop);

    /// <summary>Watches from a resource version until the server ends the stream.</summary>
    /// <param name="resource">What to watch.</param>
    /// <param name="resourceVersion">The last version seen.</param>
    /// <param name="timeoutSeconds">When the server is to end the stream.</param>
    /// <param name="stop">Ends the watch.</param>
    /// <exception cref="HttpOperationException">The API server refused; 410 means that the version has expired.</exception>
    /// <exception cref="JsonException">A line is no JSON, or was cut off.</exception>
    public async IAsyncEnumerable<WatchLine> WatchAsync(
        WatchedResource resource, string resourceVersion, int timeoutSeconds, [EnumeratorCancellation] CancellationToken stop)
    {
        var url = $"{Path(resource)}watch=true&allowWatchBookmarks=true&timeoutSeconds={timeoutSeconds}&resourceVersion={Uri.EscapeDataString(resourceVersion)}";
        using var response = await WithinAsync(HeadersTimeout, ct => GetAsync(url, ct), stop).ConfigureAwait(false);
        await using var body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        // Several lines of a large object fit, which are read where they lie.
        var reader = PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: 64 * 1024, minimumReadSize: 16 * 1024));
        try
        {
            ReadResult read;
            do
            {
                read = await reader.ReadAsync(stop).ConfigureAwait(false);
                var rest = read.Buffer;
                while (TakeLine(ref rest, read.IsCompleted) is { } json)
                {
                    using var line = JsonDocument.Parse(json);
                    yield return new WatchLine(JsonElementFields.Text(JsonElementFields.Member(line.RootElement, "type")) ?? "", JsonElementFields.Member(line.RootElement, "object"));
                }

                reader.AdvanceTo(rest.Start, rest.End);
            }
            while (!read.IsCompleted);
        }
        finally
        {
            await reader.CompleteAsync().ConfigureAwait(false);
        }
    }

    // The last line of a stream need not be ended. One that was cut off is told of as what it is: no JSON.
    static ReadOnlySequence<byte>? TakeLine(ref ReadOnlySequence<byte> rest, bool isLast)
    {
        while (rest.PositionOf((byte)'\n') is { } end)
        {
            var line = rest.Slice(0, end);
            rest = rest.Slice(rest.GetPosition(1, end));
            if (!line.IsEmpty)
            {
                return line;
            }
        }

        if (!isLast || rest.IsEmpty)
        {
            return null;
        }

        var last = rest;
        rest = rest.Slice(rest.End);
        return last;
    }

    /// <summary>Whether the API server says that the version or token it was given is too old to go on from.</summary>
    public static bool IsGone(HttpOperationException refused) => refused.Response.StatusCode == HttpStatusCode.Gone;

    static string Path(WatchedResource resource) =>
        $"api/v1/{resource.Name}?{(resource.FieldSelector.Length == 0 ? "" : $"fieldSelector={Uri.EscapeDataString(resource.FieldSelector)}&")}";

    static string DryRun(bool isDryRun) => isDryRun ? "dryRun=All" : "";

    Task<HttpResponseMessage> GetAsync(string url, CancellationToken stop) => connection.SendAsync(HttpMethod.Get, url, null, "", stop);

    Task<T> ReadAsync<T>(string url, JsonTypeInfo<T> shape, CancellationToken stop) => WithinAsync(HeadersTimeout, async ct =>
    {
        using var response = await GetAsync(url, ct).ConfigureAwait(false);
        return await ContentAsync(response, shape, ct).ConfigureAwait(false);
    }, stop);

    Task<T> WriteAsync<T>(HttpMethod method, string url, string content, string mediaType, JsonTypeInfo<T> shape, CancellationToken stop) => WithinAsync(WriteTimeout, async ct =>
    {
        using var response = await connection.SendAsync(method, url, content, mediaType, ct).ConfigureAwait(false);
        return await ContentAsync(response, shape, ct).ConfigureAwait(false);
    }, stop);

    static async Task<T> ContentAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> shape, CancellationToken stop)
    {
        await using var body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        return await JsonSerializer.DeserializeAsync(body, shape, stop).ConfigureAwait(false) ?? throw new InvalidDataException("the API server answered null");
    }

    async Task<int> ReadAsync(string url, ArrayBufferWriter<byte> into, CancellationToken stop)
    {
        using var response = await WithinAsync(HeadersTimeout, ct => GetAsync(url, ct), stop).ConfigureAwait(false);
        await using var body = await response.Content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        while (await body.ReadAsync(into.GetMemory(64 * 1024), stop).ConfigureAwait(false) is > 0 and var read)
        {
            into.Advance(read);
        }

        return into.WrittenCount;
    }

    static ListPage ReadPage(ReadOnlySpan<byte> page, Action<JsonElement> listed)
    {
        var reader = new Utf8JsonReader(page);
        string? version = null;
        string? next = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidDataException("the list is no JSON object");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isItems, isMetadata) = (reader.ValueTextEquals("items"u8), reader.ValueTextEquals("metadata"u8));
            reader.Read();
            if (isItems && reader.TokenType == JsonTokenType.StartArray)
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    using var item = JsonDocument.ParseValue(ref reader);
                    listed(item.RootElement);
                }
            }
            else if (isMetadata)
            {
                using var metadata = JsonDocument.ParseValue(ref reader);
                version = JsonElementFields.Text(JsonElementFields.Member(metadata.RootElement, "resourceVersion"));
                next = JsonElementFields.Text(JsonElementFields.Member(metadata.RootElement, "continue"));
            }
            else
            {
                reader.Skip();
            }
        }

        // Without one, a watch would begin anywhere and never tell of what was deleted before.
        return version is { Length: > 0 } ? new ListPage(version, string.IsNullOrEmpty(next) ? null : next) : throw new InvalidDataException("the list has no resourceVersion");
    }

    // The client waits forever for headers and for bodies, and a server that accepts and says nothing would hold the feed.
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
            // A refusal's exception carries what is given here, and the content may be a Secret.
            return await SendRequestRaw("", request, stop).ConfigureAwait(false);
        }
    }
}
