using Microsoft.Net.Http.Headers;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace AdmissionLas.Observers;

/// <summary>GET /metrics on the plain port: the instruments in Prometheus' text format.</summary>
sealed class MetricsEndpoint : IDisposable
{
    internal const string Path = "/metrics";

    readonly MeterProvider provider;

    public MetricsEndpoint(WebhookMetrics metrics)
    {
        provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter(WebhookMetrics.MeterName)
            .ConfigureResource(resource => resource.Clear())
            // Prometheus' own labels job and instance say who is asked.
            .AddPrometheusExporter(options => (options.ScopeInfoEnabled, options.TargetInfoEnabled) = (false, false))
            .Build();
        metrics.StartAtZero();
    }

    /// <summary>What answers a scrape. A branch of its own, so that no other request passes through it.</summary>
    internal RequestDelegate Map(IApplicationBuilder app)
    {
        var branch = app.New();
        branch.UseOpenTelemetryPrometheusScrapingEndpoint(provider, _ => true, path: null, PreferText, optionsName: null);
        return branch.Build();
    }

    /// <inheritdoc/>
    public void Dispose() => provider.Dispose();

    // As OpenMetrics every counter and histogram has a series more, with when it was created, which Prometheus keeps and no dashboard shows.
    static void PreferText(IApplicationBuilder branch) => branch.Use((http, next) =>
    {
        http.Request.Headers.Remove(HeaderNames.Accept);
        return next(http);
    });
}
