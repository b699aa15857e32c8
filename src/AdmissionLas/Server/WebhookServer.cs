using System.Diagnostics.Metrics;
using AdmissionLas.Configuration;
using AdmissionLas.Observers;
using AdmissionLas.Page;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Serilog;
using Serilog.Events;
using Serilog.Formatting.Compact;

namespace AdmissionLas.Server;

/// <summary>
/// Puts the server together: the TLS port that the API server calls and the plain port for probes. All services are registered here; the commands
/// and the tests start it.
/// </summary>
static class WebhookServer
{
    static readonly TimeSpan InFlightPatience = TimeSpan.FromSeconds(20);

    /// <summary>For the handshake of a new connection, for its first request, and for the headers of a request: an API server sends each at once.</summary>
    static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(3);

    /// <summary>
    /// What Kestrel may keep of a connection's requests, and of its answers, encrypted and plain: the headers and a usual review fit. Every stranger can make
    /// it keep as much, for each connection; a longer body is taken over as it arrives (<see cref="WaitingRequests"/>).
    /// </summary>
    const int ConnectionBytes = 32 * 1024;

    /// <summary>Each stream of HTTP/2 takes as much as a connection does.</summary>
    const int MaxStreams = 16;

    /// <summary>Builds the server; it listens once started.</summary>
    /// <param name="configuration">Adds configuration sources, the last one wins.</param>
    /// <param name="source">Where the nodes and pods come from.</param>
    /// <param name="certificate">The serving certificate; <see langword="null"/> for the files that the options name, reloaded when they change.</param>
    /// <param name="quietest">The lowest level that is logged, unless the configuration's <c>logging.level</c> says otherwise.</param>
    internal static WebApplication Build(
        Action<IConfigurationBuilder> configuration, ClusterSource source, ServingCertificate? certificate = null,
        LogEventLevel quietest = LogEventLevel.Information)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions
        {
            ApplicationName = "admission-las",
            // Otherwise the host watches the working directory for an appsettings.json: in the image that is the whole root with /proc.
            Args = ["--hostBuilder:reloadConfigOnChange=false"],
        });
        // Only the sources that are named: no appsettings.json in the working directory, no ASPNETCORE_URLS.
        builder.Configuration.Sources.Clear();
        configuration(builder.Configuration);
        AddLogging(builder, quietest);
        AddServices(builder.Services, source);

        var options = OptionsRules.Checked(builder.Configuration.GetSection(ServerOptions.Section).Get<ServerOptions>());
        if (options.ClientCa.Length > 0 && options.AllowedClients.Count == 0)
        {
            throw OptionsRules.Refused("server.allowedClients: with a client CA it must name the callers that are allowed; "
                + "add the common name of the API server's client certificate");
        }

        var address = OptionsRules.ParseAddress(options.Address, ServerOptions.Section, "0.0.0.0 or 127.0.0.1");
        var tls = new ServingTls(certificate ?? ServingCertificate.FromFiles(CertificateFiles.Read(options), options.CertificateNames, DateTimeOffset.UtcNow));
        builder.Services.AddSingleton(tls);
        if (options.ClientCa.Length > 0)
        {
            builder.Services.AddClientCertificates(options.AllowedClients);
        }

        if (certificate is null)
        {
            builder.Services.AddHostedService<ServingCertificateReload>();
        }

        // Requests in flight after the drain may finish; both must fit into the Deployment's grace period.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(options.DrainSeconds) + InFlightPatience);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.BodyLimitBytes;
            kestrel.Limits.RequestHeadersTimeout = FirstPatience;
            kestrel.Limits.MaxRequestLineSize = 4 * 1024;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Limits.MaxRequestBufferSize = ConnectionBytes;
            kestrel.Limits.MaxResponseBufferSize = ConnectionBytes;
            kestrel.Limits.Http2.MaxStreamsPerConnection = MaxStreams;
            kestrel.Limits.Http2.InitialStreamWindowSize = 128 * 1024;
            kestrel.Limits.Http2.InitialConnectionWindowSize = 256 * 1024;
            kestrel.Listen(address, options.Port, listen =>
            {
                listen.Protocols = options.Http2 ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
                Limit(listen, options);
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(tls.Current.Tls), HandshakeTimeout = FirstPatience });
                listen.Use(next => connection => ConnectionLimit.HasShakenHandsAsync(connection, next));
            });
            kestrel.Listen(address, options.HealthPort, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                Limit(listen, options);
                listen.Use(next => connection => ConnectionLimit.HasShakenHandsAsync(connection, next));
            });
        });
        // The encrypted side of a connection has buffers of its own, of 1 MB unless told otherwise.
        builder.WebHost.UseSockets(sockets => (sockets.MaxReadBufferSize, sockets.MaxWriteBufferSize) = (ConnectionBytes, ConnectionBytes));
        NativeHeap.Economize();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, TlsRecordMemoryPool>();
        builder.AddPage();

        var app = builder.Build();
        // Created now, so that a fault in the configuration ends the start before a port opens.
        var reload = app.Services.GetRequiredService<SettingsReload>();
        AddGauges(app.Services.GetRequiredService<WebhookMetrics>().Meter, tls, reload);
        app.Services.GetRequiredService<LogLevels>().Follow(app.Services.GetRequiredService<ILogger<LogLevels>>());
        if (options.ClientCa.Length > 0)
        {
            app.Services.FollowClientAuthorities();
        }

        Map(app);
        return app;
    }

    /// <summary>The address of the TLS port, once started.</summary>
    internal static Uri WebhookAddress(WebApplication app) => new(Addresses(app).First(a => a.StartsWith("https:", StringComparison.Ordinal)));

    /// <summary>The address of the plain port, once started.</summary>
    internal static Uri HealthAddress(WebApplication app) => new(Addresses(app).First(a => a.StartsWith("http:", StringComparison.Ordinal)));

    static ICollection<string> Addresses(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;

    static void AddServices(IServiceCollection services, ClusterSource source)
    {
        services.AddOptions<ServerOptions>().BindConfiguration(ServerOptions.Section);
        services.AddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<ClusterState>();
        services.AddOptions<UsageOptions>().BindConfiguration(UsageOptions.Section);
        services.AddSingleton<IValidateOptions<UsageOptions>, OptionsRules>();
        services.AddSingleton(provider => new NodeUsageCache(
            provider.GetRequiredService<TimeProvider>(), TimeSpan.FromSeconds(provider.GetRequiredService<IOptions<UsageOptions>>().Value.AssumeSeconds)));
        services.AddSingleton(new Settings(CompiledSettings.Default));
        services.AddSingleton<SettingsReload>();
        services.AddSingleton<Draining>();
        services.AddHostedService(provider => provider.GetRequiredService<Draining>());
        services.AddSingleton<WebhookMetrics>();
        services.AddSingleton<MetricsEndpoint>();
        services.AddSingleton<LogThrottle>();
        services.AddOptions<EventOptions>().BindConfiguration(EventOptions.Section);
        services.AddSingleton<PlacementEventQueue>();
        services.AddSingleton<IReviewObserver>(provider => provider.GetRequiredService<WebhookMetrics>());
        services.AddSingleton<IReviewObserver, ReviewLog>();
        services.AddSingleton<IReviewObserver, ReviewTraces>();
        services.AddSingleton<IReviewObserver>(provider => provider.GetRequiredService<PlacementEventQueue>());
        services.AddSingleton<IDecisionText>(EnglishDecisionText.Instance);
        services.AddSingleton<ReviewHandler>();
        services.AddSingleton<WaitingRequests>();
        services.AddHostedService<IdleMemory>();
        services.AddSingleton<MutateEndpoint>();
        source.AddTo(services);
    }

    static void Limit(ListenOptions listen, ServerOptions options)
    {
        var limit = new ConnectionLimit(options.Connections, FirstPatience, TimeProvider.System);
        listen.Use(next => connection => limit.ServeAsync(connection, next));
    }

    static void AddGauges(Meter meter, ServingTls tls, SettingsReload settings)
    {
        meter.CreateObservableGauge(
            "admission_las.certificate.expiration_timestamp", () => tls.Current.Facts.NotAfter.ToUnixTimeSeconds(), "s",
            "When the serving certificate expires, Unix time");
        meter.CreateObservableGauge("admission_las.configuration.last_reload_successful", () => settings.IsCurrent ? 1 : 0, null, "1 when the configuration in force is the one in the file, 0 when a change was refused");
    }

    static void AddLogging(WebApplicationBuilder builder, LogEventLevel quietest)
    {
        var levels = new LogLevels(builder.Configuration, quietest);
        builder.Services.AddSingleton(_ => levels);
        var log = new LoggerConfiguration()
            .MinimumLevel.ControlledBy(levels.Own)
            .MinimumLevel.Override("Microsoft", levels.Framework)
            // If this level is on, each request gets an activity and a scope, which the server does not use.
            .MinimumLevel.Override("Microsoft.AspNetCore.Hosting.Diagnostics", LevelAlias.Off);
        // A person reads a terminal; everything else is read by machines.
        if (Console.IsErrorRedirected)
        {
            var output = new LogOutput(new CompactJsonFormatter(), Console.OpenStandardError());
            log.WriteTo.Sink(output);
            builder.Services.AddSingleton(provider => new DecisionLines(output, provider.GetRequiredService<TimeProvider>()));
        }
        else
        {
            log.WriteTo.Console(formatProvider: CultureInfo.InvariantCulture, standardErrorFromLevel: LogEventLevel.Verbose);
        }

        builder.Services.AddSerilog(log.CreateLogger(), dispose: true);
    }

    static void Map(WebApplication app)
    {
        var usageCache = app.Services.GetRequiredService<NodeUsageCache>();
        var mutate = app.Services.GetRequiredService<MutateEndpoint>();
        var state = app.Services.GetRequiredService<ClusterState>();
        var draining = app.Services.GetRequiredService<Draining>();
        var metrics = app.Services.GetRequiredService<MetricsEndpoint>().Map(app);
        var waiting = app.Services.GetRequiredService<WaitingRequests>();
        app.Use((http, next) =>
        {
            http.Features.Get<LimitedConnection>()?.Begin();
            if (draining.HasBegun)
            {
                // The API server keeps its HTTP/1.1 connections to webhooks: each ends with its next answer, and never in the middle of one.
                http.Response.Headers.Connection = "close";
            }

            return next(http);
        });
        app.MapPage();
        app.Run(AnswerAsync);

        // Routes match the Host header, which the caller writes; what is answered here depends on the port that the connection came in by.
        Task AnswerAsync(HttpContext http) => http.Request.Path.Value switch
        {
            // The plain port is for probes: pods are decided on over TLS alone.
            MutateEndpoint.Path when http.Request.IsHttps => HttpMethods.IsPost(http.Request.Method)
                ? mutate.HandleAsync(http)
                : waiting.SendAsync(http, StatusCodes.Status405MethodNotAllowed, "POST an AdmissionReview here"),
            "/healthz" => waiting.SendAsync(http, StatusCodes.Status200OK, "ok"),
            "/readyz" when draining.HasBegun => waiting.SendAsync(http, StatusCodes.Status503ServiceUnavailable, "draining"),
            "/readyz" => state.Current is { } view
                ? waiting.SendAsync(http, StatusCodes.Status200OK, $"ok: {view.Nodes.Count} nodes, confirmed {state.Age?.TotalSeconds ?? 0:0.#} s ago; {Usage(usageCache)}")
                : waiting.SendAsync(http, StatusCodes.Status503ServiceUnavailable, "waiting for the first list of nodes"),
            // Metrics are for the cluster's own network: the TLS port may be open to others.
            MetricsEndpoint.Path when !http.Request.IsHttps => metrics(http),
            _ => waiting.SendAsync(
                http, StatusCodes.Status404NotFound,
                $"nothing here; the webhook is POST {MutateEndpoint.Path} over HTTPS, and over plain HTTP there are /healthz, /readyz and {MetricsEndpoint.Path}"),
        };
    }

    static string Usage(NodeUsageCache usageCache) => usageCache.IsFollowed
        ? $"{usageCache.Count} pods counted"
        : "what runs on them is not known (pods are not listed and watched), so each counts as empty";
}
