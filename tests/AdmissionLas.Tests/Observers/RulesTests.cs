using System.Text.RegularExpressions;

namespace AdmissionLas.Tests.Observers;

/// <summary>The alerts and the dashboard in <c>manifests/components/monitoring</c>, on a real Prometheus.</summary>
public sealed partial class RulesTests(MonitoredWebhook webhook) : IClassFixture<MonitoredWebhook>
{
    [Fact]
    public async Task Promtool_finds_nothing_wrong_with_the_alerts()
    {
        using var rules = await RulesFile.WriteAsync();

        var checkedRules = await Prometheus.PromtoolAsync("", "check", "rules", rules.Path);

        Assert.True(checkedRules.ExitCode == 0, checkedRules.Output + checkedRules.Errors);
    }

    [Fact]
    public async Task Each_alert_fires_when_it_should_and_not_before()
    {
        using var rules = await RulesFile.WriteAsync();
        var tests = Path.Combine(Path.GetDirectoryName(rules.Path)!, "alerts.test.yaml");
        File.Copy(Checkout.PathOf("tests/Monitoring/alerts.test.yaml"), tests);

        var tested = await Prometheus.PromtoolAsync("", "test", "rules", tests);

        Assert.True(tested.ExitCode == 0, tested.Output + tested.Errors);
    }

    [Fact]
    public async Task Each_alert_has_a_test()
    {
        var tests = await File.ReadAllTextAsync(Checkout.PathOf("tests/Monitoring/alerts.test.yaml"));

        Assert.All(await AlertsAsync(), alert => Assert.Contains($"alertname=\"{alert.Name}\"", tests, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Prometheus_evaluates_every_alert()
    {
        await Eventually.IsTrueAsync("every alert is evaluated", async () => (await webhook.Prometheus.RulesAsync()).All(r => $"{r["health"]}" != "unknown"));

        Assert.All(await webhook.Prometheus.RulesAsync(), r => Assert.True($"{r["health"]}" == "ok", $"{r["name"]}: {r["lastError"]}"));
    }

    [Fact]
    public async Task Every_alert_looks_at_something_that_the_server_tells()
    {
        foreach (var (name, query) in await AlertsAsync())
        {
            // Instead of the cases where it fires, whether it does; and instead of whether something is missing, the thing itself.
            var asked = Comparison().Replace(query, "$0 bool").Replace("absent", "", StringComparison.Ordinal);
            await HasDataAsync(name, asked);
        }
    }

    [Fact]
    public async Task Every_query_of_the_dashboard_returns_data()
    {
        var panels = JsonNode.Parse(await File.ReadAllTextAsync(Checkout.PathOf("manifests/components/monitoring/dashboard.json")))!["panels"]!.AsArray();
        var queries = panels.SelectMany(p => (p!["targets"] as JsonArray ?? []).Select(t => (Panel: $"{p["title"]}", Query: $"{t!["expr"]}"))).ToArray();

        Assert.NotEmpty(queries);
        foreach (var (panel, query) in queries)
        {
            await HasDataAsync(panel, query.Replace("$__rate_interval", "10m", StringComparison.Ordinal));
        }
    }

    Task HasDataAsync(string what, string query) => Eventually.IsTrueAsync($"{what} has data: {query}", async () =>
        (await webhook.Prometheus.QueryAsync(query)) is { Count: > 0 } result && result.All(r => $"{r!["value"]![1]}" != "NaN"));

    async Task<(string Name, string Query)[]> AlertsAsync()
    {
        await Eventually.IsTrueAsync("the alerts are loaded", async () => (await webhook.Prometheus.RulesAsync()).Length > 0);
        return [.. (await webhook.Prometheus.RulesAsync()).Select(r => ($"{r["name"]}", $"{r["query"]}"))];
    }

    [GeneratedRegex(@"(?<= )(>|<|==)(?= )")]
    private static partial Regex Comparison();

    sealed record RulesFile(string Path) : IDisposable
    {
        internal static async Task<RulesFile> WriteAsync()
        {
            var file = System.IO.Path.Combine(Directory.CreateTempSubdirectory("admissionlas-rules-").FullName, "admission-las.rules.yaml");
            await Prometheus.WriteAlertsAsync(file);
            return new RulesFile(file);
        }

        public void Dispose() => Directory.Delete(System.IO.Path.GetDirectoryName(Path)!, recursive: true);
    }
}
