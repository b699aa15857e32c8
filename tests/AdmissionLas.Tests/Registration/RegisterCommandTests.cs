using AdmissionLas.Certificates;
using Microsoft.AspNetCore.Http;

namespace AdmissionLas.Tests.Registration;

/// <summary>The messages for a wrong <c>register</c>, and what it does on a server that is newer than the real one of the cluster tests.</summary>
public sealed class RegisterCommandTests : IDisposable
{
    static readonly CertificatePolicy Policy = new()
    {
        Subject = "CN=webhook",
        AuthoritySubject = "CN=authority",
        DnsNames = ["webhook.example.org"],
        ServingLifetime = TimeSpan.FromDays(90),
        AuthorityLifetime = TimeSpan.FromDays(100),
    };

    static readonly string[] ByUrl = ["--url", "https://webhook.example.org/mutate"];

    readonly string directory = Directory.CreateTempSubdirectory("admissionlas-tests-").FullName;

    [Theory]
    [InlineData("http://webhook.example.org/mutate", "is not an https:// address")]
    [InlineData("webhook", "is not an https:// address")]
    [InlineData("https://webhook.example.org", "the webhook answers at https://webhook.example.org/mutate")]
    [InlineData("https://me@webhook.example.org/mutate", "has a user, a query or a fragment")]
    [InlineData("https://webhook.example.org/mutate?a=b", "has a user, a query or a fragment")]
    public async Task An_address_that_the_api_server_would_not_take_is_refused(string url, string expected) =>
        Refuses(await RegisterAsync("--url", url, "--public-root"), expected);

    [Fact]
    public async Task An_address_needs_a_bundle_or_the_word_that_its_root_is_public()
    {
        var (exitCode, _, errors) = await RegisterAsync(ByUrl);

        Assert.NotEqual(0, exitCode);
        Assert.Contains("--ca-bundle <file>", errors, StringComparison.Ordinal);
        Assert.Contains("--public-root", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--service", "hook")]
    [InlineData("--port", "8443")]
    public async Task An_address_excludes_a_service(string option, string value)
    {
        var (exitCode, _, errors) = await RegisterAsync([.. ByUrl, "--public-root", option, value]);

        Assert.NotEqual(0, exitCode);
        Assert.Contains("--url excludes", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("type of component")]
    [InlineData("/step")]
    [InlineData("example.org/")]
    [InlineData("Example.org/step")]
    [InlineData("a' || true || 'b")]
    public async Task A_component_label_that_is_no_label_key_is_refused(string label) =>
        Refuses(await RegisterAsync("--component-label", label), "is not a valid label key");

    [Theory]
    [InlineData("0")]
    [InlineData("65536")]
    public async Task A_port_that_is_none_is_refused(string port) => Refuses(await RegisterAsync("--port", port), "is not a port");

    [Fact]
    public async Task A_bundle_must_be_certificates_of_authorities_that_are_valid()
    {
        var now = DateTimeOffset.UtcNow;
        var authority = Authority.Create(Policy, now);
        Refuses(await WithBundleAsync(authority.Certificate.Pem + authority.KeyPem), "contains a private key");
        Refuses(await WithBundleAsync(authority.Issue(Policy, now).Certificate.Pem), "CN=webhook is not a CA certificate");
        Refuses(await WithBundleAsync(Authority.Create(Policy, now.AddDays(-200)).Certificate.Pem), "expired at");
        Refuses(await WithBundleAsync(Authority.Create(Policy, now.AddDays(1)).Certificate.Pem), "is not valid before");
        Refuses(await WithBundleAsync("nothing"), "contains no valid PEM certificate");
        Refuses(await WithBundleAsync(""), "is empty");
        Refuses(await WithBundleAsync("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), "contains no valid PEM certificate");
        Refuses(await RegisterAsync([.. ByUrl, "--ca-bundle", "/nowhere/ca.crt"]), "/nowhere/ca.crt cannot be read");
    }

    [Fact]
    public async Task Without_a_cluster_a_dry_run_still_prints_the_registration_and_says_that_it_was_not_checked()
    {
        var (exitCode, output, errors) = await RegisterAsync("--dry-run", "--kubeconfig", "/nowhere/kubeconfig");

        Assert.Equal(0, exitCode);
        Assert.Contains("name: place-prefixed.admissionlas.io", output, StringComparison.Ordinal);
        Assert.Contains("this was not checked", errors, StringComparison.Ordinal);
        Assert.Contains("/nowhere/kubeconfig", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public async Task Conditions_are_used_where_the_server_keeps_them_on_trial(bool keepsConditions, int entries)
    {
        await using var server = await FakeApiServer.StartAsync();
        JsonObject? registered = null;
        List<string> tried = [];
        server.Registrations = async http =>
        {
            switch (http.Request.Method)
            {
                case "GET" when registered is null:
                    await FakeApiServer.Status(404)(http);
                    return;
                case "POST":
                    tried.Add(http.Request.Query["dryRun"].ToString());
                    var probe = await BodyAsync(http);
                    if (!keepsConditions)
                    {
                        probe["webhooks"]![0]!.AsObject().Remove("matchConditions");
                    }

                    await http.Response.WriteAsync(probe.ToJsonString());
                    return;
                case "PATCH":
                    Assert.Equal("application/apply-patch+yaml", http.Request.ContentType?.Split(';')[0]);
                    Assert.Equal("admission-las", http.Request.Query["fieldManager"].ToString());
                    registered = await BodyAsync(http);
                    await http.Response.WriteAsync(registered.ToJsonString());
                    return;
                default:
                    await FakeApiServer.Status(405)(http);
                    return;
            }
        };

        var (exitCode, output, errors) = await RegisterAsync("--kubeconfig", Kubeconfig.Write(directory, server.Address));

        Assert.True(exitCode == 0, errors);
        Assert.Equal(["All"], tried);
        Assert.Equal(entries, registered!["webhooks"]!.AsArray().Count);
        Assert.Equal(keepsConditions, output.Contains("as label or annotation", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_change_that_meets_a_rotation_is_made_again_on_what_the_rotation_left()
    {
        await using var server = await FakeApiServer.StartAsync();
        var (version, bundle) = (1, "b2xk");
        JsonObject? change = null;
        server.Registrations = async http =>
        {
            switch (http.Request.Method)
            {
                case "POST":
                    await http.Response.WriteAsync((await BodyAsync(http)).ToJsonString());
                    return;
                case "PATCH" when version == 1:
                    (version, bundle) = (2, "bmV3");
                    await FakeApiServer.Status(409)(http);
                    return;
                case "PATCH":
                    change = await BodyAsync(http);
                    break;
            }

            await http.Response.WriteAsync(new JsonObject
            {
                ["metadata"] = new JsonObject { ["name"] = "admission-las", ["resourceVersion"] = $"{version}", ["labels"] = new JsonObject { ["app.kubernetes.io/name"] = "admission-las" } },
                ["webhooks"] = new JsonArray(new JsonObject { ["name"] = "place.admissionlas.io", ["clientConfig"] = new JsonObject { ["url"] = "https://a/b", ["caBundle"] = bundle } }),
            }.ToJsonString());
        };

        var (exitCode, _, errors) = await RegisterAsync("--kubeconfig", Kubeconfig.Write(directory, server.Address));

        Assert.True(exitCode == 0, errors);
        Assert.Equal("2", (string?)change!["metadata"]!["resourceVersion"]);
        Assert.Equal("bmV3", (string?)change["webhooks"]![0]!["clientConfig"]!["caBundle"]);
    }

    [Fact]
    public async Task An_api_server_that_is_away_is_told_in_words()
    {
        var file = Kubeconfig.Write(directory, "http://127.0.0.1:1");

        foreach (var verb in (string[])["register", "unregister"])
        {
            Refuses(await Verb.RunAsync(verb, "--kubeconfig", file), "the API server cannot be reached");
        }
    }

    [Fact]
    public async Task Help_names_every_option()
    {
        var (exitCode, output, _) = await RegisterAsync("--help");

        Assert.Equal(0, exitCode);
        Assert.All((string[])["--url", "--service", "--port", "--ca-bundle", "--public-root", "--every-pod", "--component-label", "--dry-run", "--kubeconfig", "--context", "--namespace", "--name"],
            option => Assert.Contains(option, output, StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    Task<Verb> WithBundleAsync(string text)
    {
        var file = Path.Combine(directory, "ca.crt");
        File.WriteAllText(file, text);
        return RegisterAsync([.. ByUrl, "--ca-bundle", file]);
    }

    static async Task<JsonObject> BodyAsync(HttpContext http) => (await JsonNode.ParseAsync(http.Request.Body))!.AsObject();

    static void Refuses(Verb result, string expected)
    {
        Assert.Equal(1, result.ExitCode);
        Assert.Contains(expected, result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }

    static Task<Verb> RegisterAsync(params string[] options) => Verb.RunAsync(["register", .. options]);
}
