using AdmissionLas.Configuration;
using AdmissionLas.Observers;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace AdmissionLas.Page;

/// <summary>Adds the page to the server if the configuration turns it on.</summary>
static class PageHosting
{
    /// <summary>Registers the page and its port if the configuration turns it on.</summary>
    /// <exception cref="OptionsValidationException">The section has a fault.</exception>
    internal static void AddPage(this WebApplicationBuilder builder)
    {
        var options = OptionsRules.Checked(builder.Configuration.GetSection(PageOptions.Section).Get<PageOptions>());
        var address = OptionsRules.ParseAddress(options.Address, PageOptions.Section, "127.0.0.1");
        if (!options.Enabled)
        {
            return;
        }

        builder.Services.AddSingleton(Options.Create(options));
        builder.Services.AddSingleton(provider => new RecentDecisions(options.RecentDecisions, options.Viewers, provider.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<IReviewObserver>(provider => provider.GetRequiredService<RecentDecisions>());
        builder.Services.AddSingleton<ClusterJson>();
        builder.Services.AddSingleton<DecisionStream>();
        builder.Services.AddSingleton<ExplainEndpoint>();
        builder.Services.AddSingleton<PageEndpoint>();
        builder.Services.AddResponseCompression(compression => compression.Providers.Add<GzipCompressionProvider>());
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(address, options.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection =>
            {
                connection.Features.Set(OnPagePort.Yes);
                return next(connection);
            });
        }));
    }

    /// <summary>Answers the requests on the page's port, if the page is on.</summary>
    internal static void MapPage(this WebApplication app)
    {
        if (app.Services.GetService<PageEndpoint>() is { } page)
        {
            app.MapWhen(http => http.Features.Get<OnPagePort>() is not null, page.Map);
        }
    }

    /// <summary>The page's address, once started; <see langword="null"/> when it is off.</summary>
    internal static Uri? Address(WebApplication app) => app.Services.GetService<PageEndpoint>() is null ? null
        : new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Last());

    // Marks the connections of the page's port. A request cannot forge it, as it could a Host header.
    sealed class OnPagePort
    {
        internal static readonly OnPagePort Yes = new();
    }
}
