using System.Net;
using AdmissionLas.Configuration;
using AdmissionLas.Observers;
using Microsoft.AspNetCore.Http.HttpResults;

namespace AdmissionLas.Page;

/// <summary>
/// The admin's web page: its files and the data that they ask for. It answers on its own port alone and changes nothing. The headers limit what
/// runs in the browser to these files; the checks refuse other pages in the same browser.
/// </summary>
sealed class PageEndpoint(IOptions<PageOptions> options, ClusterJson cluster, RecentDecisions decisions, DecisionStream stream, ExplainEndpoint explain)
{
    static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];

    static readonly string Policy =
        $"default-src 'none'; script-src 'self' {PageFiles.ScriptHash}; style-src 'self' {PageFiles.StyleHash}; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    readonly string[] hosts = [.. options.Value.Hosts];

    /// <summary>Adds what answers on the page's port.</summary>
    internal void Map(IApplicationBuilder page)
    {
        page.Use(CheckAsync);
        // BREACH needs an attacker who makes the browser ask and who sees how long the answers are. Here the first is refused, and the page
        // answers plain HTTP and holds no secret. The stream of decisions is of no type that is compressed, so nothing waits in a buffer.
        page.UseResponseCompression();
        page.UseRouting();
        page.UseEndpoints(routes =>
        {
            foreach (var (path, file) in PageFiles.Files)
            {
                routes.MapMethods(path, Read, http => KeptAsync(http, file));
            }

            routes.MapMethods("/api/cluster", Read, http => KeptAsync(http, cluster.Current));
            routes.MapGet("/api/decisions", stream.FollowAsync);
            routes.MapMethods("/api/decisions/{id}", Read, http => explain.ExplainDecisionAsync(http, decisions.Find((string)http.GetRouteValue("id")!)));
            routes.MapPost("/api/explain", explain.ExplainTextAsync);
        });
        page.Run(http => TextAsync(http, StatusCodes.Status404NotFound, "nothing here; the page is at /"));
    }

    internal static Task TextAsync(HttpContext http, int status, string text) => TypedResults.Text($"{text}\n", statusCode: status).ExecuteAsync(http);

    // The browser asks each time: another version of the server may have other files.
    static Task KeptAsync(HttpContext http, FileContentHttpResult answer)
    {
        http.Response.Headers.CacheControl = "no-cache, private";
        return answer.ExecuteAsync(http);
    }

    Task CheckAsync(HttpContext http, RequestDelegate next)
    {
        AddHeaders(http.Response.Headers);
        // Routes match whatever the case of a path is, and so does this.
        return !IsAllowed(http.Request.Host) ? TextAsync(
                http, StatusCodes.Status421MisdirectedRequest,
                "this page answers to localhost and to the names in page.hosts; open it as http://localhost:<port>")
            : http.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase) && IsFromAnotherPage(http.Request)
                ? TextAsync(http, StatusCodes.Status403Forbidden, "only the page itself may ask for this")
            : next(http);
    }

    static void AddHeaders(IHeaderDictionary headers)
    {
        headers.CacheControl = "no-store";
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        // No Cross-Origin-Opener-Policy: a browser starts a process for it, which takes longer than the whole page, and a page that opened this one
        // can only close it.
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    // A name that an attacker points at the loopback (DNS rebinding) still stands in the Host header. An address cannot be pointed elsewhere.
    bool IsAllowed(HostString host) =>
        host.HasValue && (host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ||
        IPAddress.TryParse(host.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address) ||
        hosts.Contains(host.Host, StringComparer.OrdinalIgnoreCase));

    // Browsers say which page makes them ask: https://www.w3.org/TR/fetch-metadata/. Other clients send no such header, and no page controls them.
    static bool IsFromAnotherPage(HttpRequest request) =>
        (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site && site is not ("same-origin" or "none")) ||
        (request.Headers.Origin.ToString() is { Length: > 0 } origin &&
            // Behind a proxy that adds TLS the origin is https.
            !origin.Equals($"http://{request.Host.Value}", StringComparison.OrdinalIgnoreCase) &&
            !origin.Equals($"https://{request.Host.Value}", StringComparison.OrdinalIgnoreCase));
}
