using System.Text.RegularExpressions;

namespace AdmissionLas.Tests.Observers;

/// <summary>The server's metrics as Prometheus sees them.</summary>
public sealed partial class MetricsTests(MonitoredWebhook webhook) : IClassFixture<MonitoredWebhook>
{
    [Fact]
    public async Task Promtool_finds_nothing_to_say_of_the_metrics()
    {
        var checkedMetrics = await Prometheus.PromtoolAsync(await MetricsAsync(), "check", "metrics");

        Assert.Equal((0, "", ""), (checkedMetrics.ExitCode, checkedMetrics.Output, checkedMetrics.Errors));
    }

    [Fact]
    public async Task The_metrics_are_those_in_the_readme_and_no_others()
    {
        var readme = await File.ReadAllTextAsync(Checkout.PathOf("manifests/README.md"));

        var documented = TableRow().Matches(readme).Select(m => m.Groups["name"].Value).Order(StringComparer.Ordinal);
        var served = TypeLine().Matches(await MetricsAsync()).Select(m => m.Groups["name"].Value).Order(StringComparer.Ordinal);

        Assert.Equal(served, documented);
    }

    [Theory]
    [InlineData("up", 1)]
    [InlineData("admission_las_build_info", 1)]
    [InlineData("admission_las_snapshot_nodes", 3)]
    [InlineData("admission_las_snapshot_locations", 2)]
    [InlineData("admission_las_usage_followed", 1)]
    [InlineData("admission_las_configuration_last_reload_successful", 1)]
    [InlineData("admission_las_unreadable_latency_labels", 0)]
    [InlineData("admission_las_reviews_total{outcome='Fault'}", 0)]
    // The node nearest to HERE is not ready, so each step goes to the next, 5 ms away, which is 4 ms further.
    [InlineData("admission_las_placement_latency_seconds_sum{location='HERE'} / admission_las_placement_latency_seconds_count{location='HERE'}", 0.005)]
    [InlineData("admission_las_placement_regret_seconds_sum{location='HERE'} / admission_las_placement_regret_seconds_count{location='HERE'}", 0.004)]
    [InlineData("admission_las_placement_regret_seconds_sum{location='THERE'}", 0)]
    [InlineData("admission_las_placement_candidates_bucket{le='2'} == bool ignoring(le) admission_las_placement_candidates_count", 1)]
    [InlineData("admission_las_decisions_total{component='predict',reason='next-nearest'} > bool 0", 1)]
    [InlineData("admission_las_decisions_total{component='predict',reason='nearest'} > bool 0", 1)]
    [InlineData("admission_las_decisions_total{component='predict',reason='unknown-location'} > bool 0", 1)]
    [InlineData("admission_las_decisions_total{component='training',reason='largest'} > bool 0", 1)]
    [InlineData("admission_las_refused_requests_total{reason='too-large'} > bool 0", 1)]
    [InlineData("admission_las_watch_restarts_total{resource='nodes'} > bool 0", 1)]
    [InlineData("admission_las_placements_total{component='predict',result='elsewhere'} > bool 0", 1)]
    [InlineData("admission_las_placements_total{component='predict',result='as-decided'}", 0)]
    [InlineData("admission_las_bypassed_steps_total > bool 0", 1)]
    // From 1 ms to 80 ms.
    [InlineData("admission_las_realised_regret_seconds_sum / admission_las_realised_regret_seconds_count", 0.079)]
    [InlineData("admission_las_certificate_expiration_timestamp_seconds > bool time()", 1)]
    public async Task Prometheus_sees_what_happened(string query, double expected)
    {
        var result = await webhook.Prometheus.QueryAsync(query.Replace('\'', '"'));

        var value = Assert.Single(result)!["value"]![1]!.GetValue<string>();
        Assert.Equal(expected, double.Parse(value, CultureInfo.InvariantCulture), 6);
    }

    [Fact]
    public async Task The_tls_port_tells_no_metrics()
    {
        using var response = await webhook.Server.Client.GetAsync(new Uri(webhook.Server.Mutate, "/metrics"));

        Assert.Equal(System.Net.HttpStatusCode.NotFound, response.StatusCode);
    }

    Task<string> MetricsAsync() => webhook.Server.Client.GetStringAsync(webhook.Server.Health("/metrics"));

    [GeneratedRegex(@"^\| `(?<name>admission_las_\w+)`", RegexOptions.Multiline)]
    private static partial Regex TableRow();

    [GeneratedRegex(@"^# TYPE (?<name>\w+) ", RegexOptions.Multiline)]
    private static partial Regex TypeLine();
}
