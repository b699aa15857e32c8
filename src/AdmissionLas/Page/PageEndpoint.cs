using AdmissionLas.Observers;
using System.Net;
using AdmissionLas.Configuration;
using Microsoft.Extensions.Options;

namespace AdmissionLas.Page;

/// <summary>
/// The operator's page: its files and what they ask for. It answers on its own port alone and changes nothing. The headers keep what runs in
/// the browser to these files; the checks keep other pages in the same browser out.
/// </summary>
sealed class PageEndpoint(IOptions<PageOptions> options, ClusterJson picture, RecentDecisions decisions, DecisionStream stream, ExplainEndpoint box)
{
    const string OneDecision = "/api/decisions/";

    readonly string[] hosts = [.. options.Value.Hosts];

    internal Task AnswerAsync(HttpContext http)
    {
        Protect(http.Response.Headers);
        if (!IsOurs(http.Request.Host))
        {
            return TextAsync(
                http, StatusCodes.Status421MisdirectedRequest,
                "this page answers to localhost and to the names in page.hosts, and was asked for by another; open it as http://localhost:<port>");
        }

        var path = http.Request.Path.Value ?? "/";
        var isRead = HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method);
        if (!path.StartsWith("/api/", StringComparison.Ordinal))
        {
            return PageFiles.Find(path) is not { } file ? TextAsync(http, StatusCodes.Status404NotFound, "nothing here; the page is at /")
                : isRead ? file.SendAsync(http)
                : RefuseMethodAsync(http, "GET, HEAD");
        }

        if (ComesFromElsewhere(http.Request))
        {
            return TextAsync(http, StatusCodes.Status403Forbidden, "only the page itself may ask this");
        }

        if (path == "/api/explain")
        {
            return HttpMethods.IsPost(http.Request.Method) ? box.ExplainTextAsync(http) : RefuseMethodAsync(http, "POST");
        }

        return !isRead ? RefuseMethodAsync(http, "GET, HEAD") : path switch
        {
            "/api/cluster" => picture.Current.SendAsync(http),
            "/api/decisions" => HttpMethods.IsHead(http.Request.Method) ? RefuseMethodAsync(http, "GET") : stream.FollowAsync(http),
            _ when path.StartsWith(OneDecision, StringComparison.Ordinal) => box.ExplainDecisionAsync(http, decisions.Find(path[OneDecision.Length..])),
            _ => TextAsync(http, StatusCodes.Status404NotFound, "nothing here; the page is at /"),
        };
    }

    internal static Task TextAsync(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync($"{text}\n", http.RequestAborted);
    }

    static readonly string Policy =
        $"default-src 'none'; script-src 'self' {PageFiles.ScriptHash}; style-src 'self' {PageFiles.StyleHash}; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    static void Protect(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        // No Cross-Origin-Opener-Policy: a browser starts a process of its own for it, which takes longer than the whole page, and a page that
        // opened this one can do no more with it than close it.
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }

    // A name that somebody else made lead to the loopback (DNS rebinding) still stands in the Host header. An address cannot be made to.
    bool IsOurs(HostString host) =>
        host.HasValue && (host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ||
        IPAddress.TryParse(host.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address) ||
        hosts.Contains(host.Host, StringComparer.OrdinalIgnoreCase));

    // Browsers say who makes them ask: https://www.w3.org/TR/fetch-metadata/. What is no browser says nothing, and is not led by a page.
    static bool ComesFromElsewhere(HttpRequest request) =>
        (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site && site is not ("same-origin" or "none")) ||
        (request.Headers.Origin.ToString() is { Length: > 0 } origin &&
            // Whoever puts TLS in front of the page makes it https, and an origin with that is another page's even less.
            !origin.Equals($"http://{request.Host.Value}", StringComparison.OrdinalIgnoreCase) &&
            !origin.Equals($"https://{request.Host.Value}", StringComparison.OrdinalIgnoreCase));

    static Task RefuseMethodAsync(HttpContext http, string allowed)
    {
        http.Response.Headers.Allow = allowed;
        return TextAsync(http, StatusCodes.Status405MethodNotAllowed, $"only {allowed} here");
    }
}
