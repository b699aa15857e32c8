using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.Tests.Server;

public sealed class ClientCertificateTests : IDisposable
{
    readonly string directory = Directory.CreateTempSubdirectory("admissionlas-tests-").FullName;
    readonly ClientAuthority authority = new();

    [Fact]
    public async Task A_caller_on_the_list_with_a_certificate_of_the_authority_is_answered()
    {
        await using var webhook = await StartAsync();

        Assert.Equal(HttpStatusCode.OK, await PostAsync(webhook, authority.Issue("kube-apiserver")));
    }

    [Fact]
    public async Task A_caller_with_another_name_is_forbidden()
    {
        await using var webhook = await StartAsync();

        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(webhook, authority.Issue("somebody-else")));
    }

    [Fact]
    public async Task A_caller_without_a_certificate_is_refused_in_the_handshake()
    {
        await using var webhook = await StartAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(webhook, null));
    }

    [Fact]
    public async Task A_certificate_of_another_authority_of_the_same_name_is_refused_in_the_handshake()
    {
        await using var webhook = await StartAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(webhook, new ClientAuthority().Issue("kube-apiserver")));
    }

    [Fact]
    public async Task A_certificate_that_is_not_for_clients_is_refused_in_the_handshake()
    {
        await using var webhook = await StartAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(webhook, authority.Issue("kube-apiserver", ClientAuthority.ServerAuthentication)));
    }

    [Fact]
    public async Task Probes_never_need_a_certificate()
    {
        await using var webhook = await StartAsync();

        Assert.StartsWith("ok", await webhook.Client.GetStringAsync(webhook.Health("/readyz")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_authority_counts_without_a_restart()
    {
        var next = new ClientAuthority("CN=next");
        await using var webhook = await StartAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(webhook, next.Issue("kube-apiserver")));

        await File.WriteAllTextAsync(Path.Combine(directory, "client-ca.crt"), next.Pem);

        await Eventually.IsTrueAsync("the new authority counts", async () =>
        {
            try
            {
                return await PostAsync(webhook, next.Issue("kube-apiserver")) == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(webhook, authority.Issue("kube-apiserver")));
    }

    [Fact]
    public async Task An_open_connection_does_not_outlive_the_authority_it_came_with()
    {
        await using var webhook = await StartAsync();
        using var client = webhook.ClientWith(authority.Issue("kube-apiserver"));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(webhook, client));

        await File.WriteAllTextAsync(Path.Combine(directory, "client-ca.crt"), new ClientAuthority("CN=next").Pem);

        await Eventually.IsTrueAsync("the caller is forbidden", async () => await SendAsync(webhook, client) == HttpStatusCode.Forbidden);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    async Task<RunningWebhook> StartAsync()
    {
        var file = Path.Combine(directory, "client-ca.crt");
        await File.WriteAllTextAsync(file, authority.Pem);
        return await RunningWebhook.StartAsync(
            new() { ["server:clientCa"] = file, ["server:allowedClients:0"] = "kube-apiserver", ["server:certificateReloadSeconds"] = "1" },
            certificates: directory);
    }

    static async Task<HttpStatusCode> PostAsync(RunningWebhook webhook, X509Certificate2? certificate)
    {
        using var client = webhook.ClientWith(certificate);
        return await SendAsync(webhook, client);
    }

    static async Task<HttpStatusCode> SendAsync(RunningWebhook webhook, HttpClient client)
    {
        using var content = RunningWebhook.Json(SampleReview.Of(RunningWebhook.Predict("HOME-EDGE"), "a-uid").ToJsonString());
        using var response = await client.PostAsync(webhook.Mutate, content);
        return response.StatusCode;
    }
}
