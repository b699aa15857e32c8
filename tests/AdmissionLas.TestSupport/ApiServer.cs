using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using k8s;

namespace AdmissionLas.TestSupport;

/// <summary>
/// The real API server as raw JSON, so that no client's model drops a field on the way there or back.
/// </summary>
public sealed class ApiServer : IDisposable
{
    readonly HttpClient http;

    public ApiServer(string kubeconfig)
    {
        http = Connect(kubeconfig);
        http.Timeout = TimeSpan.FromSeconds(90);
    }

    public Uri Address => http.BaseAddress!;

    /// <summary>The answer as it comes, to be read while it does.</summary>
    public Task<HttpResponseMessage> OpenAsync(string path, CancellationToken stop) =>
        http.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, stop);

    public Task<JsonObject> GetAsync(string path) => SendAsync(HttpMethod.Get, path, null);

    public Task<JsonObject> CreateAsync(string path, JsonObject value) => SendAsync(HttpMethod.Post, path, value);

    public Task<JsonObject> MergePatchAsync(string path, JsonObject value) => SendAsync(HttpMethod.Patch, path, value, "application/merge-patch+json");

    /// <summary>The events of a watch, until <paramref name="stop"/>.</summary>
    public async IAsyncEnumerable<JsonObject> WatchAsync(string path, string fromVersion, [EnumeratorCancellation] CancellationToken stop)
    {
        using var response = await http.GetAsync(new Uri($"{path}?watch=true&resourceVersion={fromVersion}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, stop);
        response.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
        while (await lines.ReadLineAsync(stop) is { } line)
        {
            yield return JsonNode.Parse(line)!.AsObject();
        }
    }

    /// <summary>Deletes at once; what is not there is deleted already.</summary>
    public async Task DeleteAsync(string path)
    {
        using var response = await http.DeleteAsync(new Uri(path + "?gracePeriodSeconds=0", UriKind.Relative));
        if (response.StatusCode != HttpStatusCode.NotFound)
        {
            response.EnsureSuccessStatusCode();
        }
    }

    /// <summary>The status code and the body, whatever they are.</summary>
    public async Task<(HttpStatusCode Status, JsonObject Body)> TryCreateAsync(string path, JsonObject value)
    {
        using var request = Request(HttpMethod.Post, path, value, "application/json");
        using var response = await http.SendAsync(request);
        return (response.StatusCode, await BodyAsync(response));
    }

    public void Dispose() => http.Dispose();

    /// <summary>A client with the rights of a kubeconfig's user.</summary>
    internal static HttpClient Connect(string kubeconfig)
    {
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig);
        var tls = Trust.In(configuration.SslCaCerts);
        if (configuration.ClientCertificateData is { Length: > 0 } certificate)
        {
            tls.ClientCertificates = [X509Certificate2.CreateFromPem(Decode(certificate), Decode(configuration.ClientCertificateKeyData))];
        }

        var http = new HttpClient(new SocketsHttpHandler { SslOptions = tls }) { BaseAddress = new Uri(configuration.Host) };
        if (configuration.AccessToken is { Length: > 0 } token)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return http;
    }

    async Task<JsonObject> SendAsync(HttpMethod method, string path, JsonObject? value, string contentType = "application/json")
    {
        using var request = Request(method, path, value, contentType);
        using var response = await http.SendAsync(request);
        var body = await BodyAsync(response);
        return response.IsSuccessStatusCode ? body : throw new HttpRequestException($"{method} {path}: {(int)response.StatusCode} {body["message"]}", null, response.StatusCode);
    }

    static HttpRequestMessage Request(HttpMethod method, string path, JsonObject? value, string contentType) => new(method, path)
    {
        Content = value is null ? null : new StringContent(value.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue(contentType)),
    };

    static async Task<JsonObject> BodyAsync(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();

    static string Decode(string base64) => Encoding.UTF8.GetString(Convert.FromBase64String(base64));
}
