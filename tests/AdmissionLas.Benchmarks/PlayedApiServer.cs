using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AdmissionLas.Benchmarks;

/// <summary>This process as the API server, which costs next to nothing: what a webhook takes then is its own.</summary>
sealed class PlayedApiServer : IAsyncDisposable
{
    readonly WebApplication app;

    PlayedApiServer(WebApplication app, string kubeconfig) => (this.app, Kubeconfig) = (app, kubeconfig);

    /// <summary>The file that leads to it.</summary>
    internal string Kubeconfig { get; }

    /// <param name="files">Where the kubeconfig goes.</param>
    /// <param name="answer">Answers lists and watches.</param>
    internal static async Task<PlayedApiServer> StartAsync(string files, RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        var kubeconfig = Path.Combine(files, "kubeconfig-played");
        await File.WriteAllTextAsync(kubeconfig, $$"""
            { "apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u" } }],
              "clusters": [{ "name": "c", "cluster": { "server": "{{address}}" } }], "users": [{ "name": "u", "user": { "token": "any" } }] }
            """);
        return new PlayedApiServer(app, kubeconfig);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
