namespace AdmissionLas.Tests.Support;

/// <summary>A real Prometheus that scrapes one server every second, with the alerts loaded.</summary>
sealed class Prometheus : IAsyncDisposable
{
    static readonly Lazy<Task<string>> Programs = new(InstallAsync);

    readonly DirectoryInfo files;
    readonly Tool process;
    readonly HttpClient client;

    Prometheus(DirectoryInfo files, Tool process, HttpClient client) => (this.files, this.process, this.client) = (files, process, client);

    internal static async Task<Prometheus> StartAsync(string target)
    {
        var files = Directory.CreateTempSubdirectory("admissionlas-prometheus-");
        var config = Path.Combine(files.FullName, "prometheus.yaml");
        await WriteAlertsAsync(Path.Combine(files.FullName, "admission-las.rules.yaml"));
        await File.WriteAllTextAsync(config, $$"""
            global: { scrape_interval: 1s, evaluation_interval: 1s }
            rule_files: [admission-las.rules.yaml]
            scrape_configs:
              - job_name: admission-las
                static_configs: [{ targets: ["{{target}}"] }]
            """);
        var port = FreePorts.Find(1)[0];
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        var process = Tool.Start(
            Path.Combine(await Programs.Value, "prometheus"),
            [$"--config.file={config}", $"--storage.tsdb.path={Path.Combine(files.FullName, "data")}", $"--web.listen-address={address}", "--log.level=warn"]);
        var prometheus = new Prometheus(files, process, new HttpClient { BaseAddress = new Uri($"http://{address}") });
        try
        {
            await Eventually.IsTrueAsync("Prometheus has scraped the server", prometheus.HasScrapedAsync);
        }
        catch (TimeoutException fault)
        {
            await prometheus.DisposeAsync();
            throw new TimeoutException($"{fault.Message}\n{process.Log}");
        }

        return prometheus;
    }

    /// <summary>The alerts as a rules file, by the command that the manifest gives for it.</summary>
    internal static async Task WriteAlertsAsync(string file)
    {
        const string manifest = "manifests/components/monitoring/alerts.yaml";
        var command = (await File.ReadAllLinesAsync(Checkout.PathOf(manifest))).Single(l => l.StartsWith("#   sed ", StringComparison.Ordinal))[4..];
        var written = await Tool.RunAsync("bash", ["-c", command.Replace("admission-las.rules.yaml", $"'{file}'", StringComparison.Ordinal)]);
        Assert.True(written.ExitCode == 0, written.Errors);
    }

    /// <summary>Runs promtool.</summary>
    internal static async Task<ToolResult> PromtoolAsync(string input, params string[] arguments) =>
        await Tool.RunAsync(Path.Combine(await Programs.Value, "promtool"), arguments, input);

    /// <summary>The result of a query as it is now.</summary>
    internal async Task<JsonArray> QueryAsync(string query)
    {
        using var response = await client.GetAsync(new Uri($"/api/v1/query?query={Uri.EscapeDataString(query)}", UriKind.Relative));
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.True(response.IsSuccessStatusCode, $"{query}: {answer["error"]}");
        return answer["data"]!["result"]!.AsArray();
    }

    /// <summary>What it says of its own alerting rules.</summary>
    internal async Task<JsonObject[]> RulesAsync()
    {
        var answer = JsonNode.Parse(await client.GetStringAsync(new Uri("/api/v1/rules", UriKind.Relative)))!;
        return [.. answer["data"]!["groups"]!.AsArray().SelectMany(g => g!["rules"]!.AsArray()).Select(r => r!.AsObject())];
    }

    public async ValueTask DisposeAsync()
    {
        await process.DisposeAsync();
        client.Dispose();
        files.Delete(recursive: true);
    }

    async Task<bool> HasScrapedAsync()
    {
        try
        {
            return (await QueryAsync("up == 1")).Count == 1;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        // It answers while it still loads.
        catch (System.Text.Json.JsonException)
        {
            return false;
        }
    }

    static async Task<string> InstallAsync() =>
        (await Tool.OutputOfAsync("bash", [Checkout.PathOf("scripts/install-prometheus.sh")])).TrimEnd().Split('\n')[^1];
}
