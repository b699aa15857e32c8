using AdmissionLas.Configuration;
using AdmissionLas.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AdmissionLas.Tests.Support;

/// <summary>Settings as a server gets them: from a file through the binder, the validators and the compiler.</summary>
static class ServerSettings
{
    internal static CompiledSettings Read(string file)
    {
        using IHost server = WebhookServer.Build(
            configuration => ConfigurationFile.Add(configuration, file),
            ClusterSource.Embedded(),
            ServingCertificate.From(DevelopmentCertificate.Create(DateTimeOffset.UtcNow)));
        return server.Services.GetRequiredService<Settings>().Current;
    }
}
