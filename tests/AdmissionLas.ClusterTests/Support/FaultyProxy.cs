using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>
/// Passes lists and watches on to the API server with the cluster admin's rights, and lets a test step in between: for what a real API
/// server does only on bad days. What it does not touch, versions and page tokens among it, is the API server's own.
/// </summary>
sealed class FaultyProxy : IAsyncDisposable
{
    const string Gone = """{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410,"message":"too old resource version"}""";

    /// <summary>How long a watch lives while everything expires.</summary>
    static readonly TimeSpan ShortLife = TimeSpan.FromMilliseconds(300);

    readonly ApiServer api;
    LoopbackServer? server;
    long watches;
    long expired;
    long pages;
    volatile bool expires;

    FaultyProxy(ApiServer api) => this.api = api;

    internal Uri Address => new(server!.Address);

    /// <summary>
    /// While set, no version is good for long: of two watches one is answered 410 at once, and one gets it in its stream soon after.
    /// </summary>
    internal bool Expires
    {
        get => expires;
        set => expires = value;
    }

    /// <summary>How often the proxy itself answered 410.</summary>
    internal long Expired => Interlocked.Read(ref expired);

    /// <summary>How many pages were passed on that were not the first of their list.</summary>
    internal long FurtherPages => Interlocked.Read(ref pages);

    /// <summary>Asked for instead of the client's own number of objects a page.</summary>
    internal int? PageSize { get; set; }

    /// <summary>
    /// Happens before a page is asked for that is not the first of its list, with the path of the list; when it returns <see langword="true"/>,
    /// the page is answered 410. A recent API server reads pages from its cache, and never answers so in a test's time.
    /// </summary>
    internal Func<string, Task<bool>>? HasExpiredBeforeFurtherPage { get; set; }

    internal static async Task<FaultyProxy> StartAsync(ControlPlane cluster)
    {
        var proxy = new FaultyProxy(cluster.Api);
        proxy.server = await LoopbackServer.StartAsync(proxy.PassAsync);
        return proxy;
    }

    public ValueTask DisposeAsync() => server!.DisposeAsync();

    async Task PassAsync(HttpContext http)
    {
        var query = http.Request.Query.ToDictionary(q => q.Key, q => q.Value.ToString());
        var isWatch = query.ContainsKey("watch");
        var isFurtherPage = query.ContainsKey("continue");
        http.Response.ContentType = "application/json";
        if ((isWatch && Expires && Interlocked.Increment(ref watches) % 2 == 0)
            || (isFurtherPage && HasExpiredBeforeFurtherPage is { } hasExpired && await hasExpired(http.Request.Path.Value!)))
        {
            Interlocked.Increment(ref expired);
            http.Response.StatusCode = StatusCodes.Status410Gone;
            await http.Response.WriteAsync(Gone);
            return;
        }

        if (PageSize is { } size && query.ContainsKey("limit"))
        {
            query["limit"] = $"{size}";
        }

        if (isFurtherPage)
        {
            Interlocked.Increment(ref pages);
        }

        try
        {
            using var answer = await api.OpenAsync(QueryHelpers.AddQueryString(http.Request.Path.Value!, query!), http.RequestAborted);
            http.Response.StatusCode = (int)answer.StatusCode;
            await using var body = await answer.Content.ReadAsStreamAsync(http.RequestAborted);
            await http.Response.StartAsync();
            await http.Response.Body.FlushAsync();
            await (isWatch ? PassLinesAsync(body, http) : body.CopyToAsync(http.Response.Body, http.RequestAborted));
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or OperationCanceledException)
        {
            http.Abort();
        }
    }

    async Task PassLinesAsync(Stream body, HttpContext http)
    {
        using var reader = new StreamReader(body, Encoding.UTF8);
        var end = DateTime.UtcNow + ShortLife;
        var line = reader.ReadLineAsync(http.RequestAborted).AsTask();
        while (true)
        {
            if (await Task.WhenAny(line, Task.Delay(50, http.RequestAborted)) == line)
            {
                if (await line is not { } text)
                {
                    return;
                }

                await http.Response.WriteAsync($"{text}\n", http.RequestAborted);
                line = reader.ReadLineAsync(http.RequestAborted).AsTask();
            }

            http.RequestAborted.ThrowIfCancellationRequested();
            if (Expires && DateTime.UtcNow > end)
            {
                Interlocked.Increment(ref expired);
                await http.Response.WriteAsync($$"""{"type":"ERROR","object":{{Gone}}}""" + "\n", http.RequestAborted);
                return;
            }
        }
    }
}
