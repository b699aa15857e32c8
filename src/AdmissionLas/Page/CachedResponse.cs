using System.IO.Compression;
using Microsoft.Net.Http.Headers;

namespace AdmissionLas.Page;

/// <summary>Something that is sent many times as it is: whole or compressed, and not at all to who has it already.</summary>
sealed class CachedResponse
{
    readonly string contentType;
    readonly byte[] bytes;
    readonly byte[] compressed;
    readonly EntityTagHeaderValue tag;
    readonly EntityTagHeaderValue compressedTag;

    CachedResponse(string contentType, byte[] bytes, string tag)
    {
        this.contentType = contentType;
        this.bytes = bytes;
        compressed = Compress(bytes);
        this.tag = new EntityTagHeaderValue($"\"{tag}\"");
        compressedTag = new EntityTagHeaderValue($"\"{tag}-gzip\"");
    }

    /// <summary>Prepares the answer.</summary>
    /// <param name="contentType">Its type.</param>
    /// <param name="bytes">What it says.</param>
    /// <param name="tag">A name that no other content has.</param>
    internal static CachedResponse Of(string contentType, byte[] bytes, string tag) => new(contentType, bytes, tag);

    /// <summary>Sends it.</summary>
    internal Task SendAsync(HttpContext http)
    {
        var takesGzip = TakesGzip(http.Request);
        var headers = http.Response.GetTypedHeaders();
        headers.ETag = takesGzip ? compressedTag : tag;
        // Kept, and asked for again each time: another version of the server may have other files.
        headers.CacheControl = new CacheControlHeaderValue { NoCache = true, Private = true };
        http.Response.Headers.Vary = HeaderNames.AcceptEncoding;
        if (http.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Compare(headers.ETag, useStrongComparison: false)))
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        return SendAsync(http, contentType, takesGzip ? compressed : bytes, takesGzip);
    }

    /// <summary>Sends something that is made for one alone.</summary>
    internal static Task SendOnceAsync(HttpContext http, string contentType, byte[] bytes)
    {
        http.Response.Headers.CacheControl = "no-store";
        var takesGzip = TakesGzip(http.Request) && bytes.Length > 1024;
        return SendAsync(http, contentType, takesGzip ? Compress(bytes) : bytes, takesGzip);
    }

    static Task SendAsync(HttpContext http, string contentType, byte[] body, bool isCompressed)
    {
        http.Response.ContentType = contentType;
        http.Response.ContentLength = body.Length;
        if (isCompressed)
        {
            http.Response.Headers.ContentEncoding = "gzip";
        }

        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.Body.WriteAsync(body, 0, body.Length, http.RequestAborted);
    }

    static bool TakesGzip(HttpRequest request) =>
        request.GetTypedHeaders().AcceptEncoding.Any(e => e.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) && e.Quality is null or > 0);

    static byte[] Compress(byte[] bytes)
    {
        using var to = new MemoryStream();
        using (var gzip = new GZipStream(to, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }

        return to.ToArray();
    }
}
