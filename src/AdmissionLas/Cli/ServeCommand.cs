using System.CommandLine;
using AdmissionLas.Configuration;
using AdmissionLas.Server;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las serve</c>: the server itself.</summary>
static class ServeCommand
{
    // The runtime reads it when the first socket is created; there is no other setting for this.
    const string SocketsInline = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    static readonly Option<FileInfo?> Kubeconfig = new("--kubeconfig") { Description = "Watch the nodes of the cluster that this file names" };
    static readonly Option<string?> Context = new("--context") { Description = "The kubeconfig's context; its current one when left out" };
    static readonly Option<FileInfo?> Snapshot = new("--snapshot") { Description = "Use a saved snapshot instead of a cluster; its pods count as used (admission-las snapshot, or kubectl get nodes,pods -A -o yaml)" };
    static readonly Option<FileInfo?> Config = new("--config") { Description = "YAML configuration; placement, training and steps are reloaded when it changes" };
    static readonly Option<string?> Address = new("--address") { Description = "The IP address to listen on [default: 0.0.0.0]" };
    static readonly Option<int?> Port = new("--port") { Description = "The HTTPS port that the API server calls [default: 8443]", CustomParser = OptionParsers.Port };
    static readonly Option<int?> HealthPort = new("--health-port") { Description = "The HTTP port for /healthz, /readyz and /metrics [default: 8080]", CustomParser = OptionParsers.Port };
    static readonly Option<FileInfo?> Certificate = new("--certificate") { Description = "PEM file with the serving certificate [default: /certs/tls.crt]" };
    static readonly Option<FileInfo?> CertificateKey = new("--certificate-key") { Description = "PEM file with its key [default: /certs/tls.key]" };
    static readonly Option<string[]> CertificateName = new("--certificate-name")
    {
        Description = "A name that the serving certificate must be for, such as admission-las.admission-las.svc; may be repeated [default: any]",
    };

    static readonly Option<FileInfo?> ClientCa = new("--client-ca") { Description = "PEM file: accept only callers with a client certificate of this authority" };
    static readonly Option<string[]> AllowClient = new("--allow-client")
    {
        Description = "The common or DNS name of an allowed caller; needed with --client-ca, may be repeated",
    };

    static readonly Option<DirectoryInfo?> DevCertificate = new("--dev-certificate")
    {
        Description = "Serve 127.0.0.1 with a certificate in this directory (ca.crt, tls.crt, tls.key), made when it is missing",
    };

    const int DefaultPagePort = 8081;

    static readonly Option<int?> Page = new("--page")
    {
        Description = $"Serve the operator's web page on the loopback, at this port [default: {DefaultPagePort}]",
        HelpName = "port",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = result => result.Tokens.Count == 0 ? DefaultPagePort : OptionParsers.Port(result),
    };

    internal static Command Create()
    {
        var command = new Command("serve", "Run the webhook. Without --kubeconfig or --snapshot it watches the cluster it runs in.")
        {
            Kubeconfig, Context, Snapshot, Config, Address, Port, HealthPort, Certificate, CertificateKey, CertificateName, DevCertificate, ClientCa, AllowClient, Page,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Kubeconfig) is not null && result.GetValue(Snapshot) is not null)
            {
                result.AddError("--kubeconfig and --snapshot exclude each other");
            }

            if (result.GetValue(DevCertificate) is not null && (result.GetValue(Certificate) ?? result.GetValue(CertificateKey)) is not null)
            {
                result.AddError("--dev-certificate excludes --certificate and --certificate-key");
            }
        });
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        // The thread that receives bytes puts them into the connection's pipe itself. To wake another thread for that costs up to a sixth of a
        // review's CPU time; the thread pool still does the rest of the work.
        if (Environment.GetEnvironmentVariable(SocketsInline) is null)
        {
            Environment.SetEnvironmentVariable(SocketsInline, "1");
        }

        try
        {
            await using var app = WebhookServer.Build(configuration => Configure(configuration, arguments), Source(arguments));
            await app.RunAsync(stop).ConfigureAwait(false);
            return ExitCodes.Ok;
        }
        catch (OptionsValidationException fault)
        {
            return ExitCodes.FailTo(Console.Error, [.. fault.Failures]);
        }
        // The binder throws the last one for a value of the wrong type.
        catch (Exception fault) when (fault is InvalidDataException or IOException or
            InvalidOperationException { InnerException: FormatException or ArgumentException or OverflowException })
        {
            return ExitCodes.FailTo(Console.Error, fault.Message);
        }
    }

    static ClusterSource Source(ParseResult arguments) =>
        arguments.GetValue(Snapshot) is { } snapshot ? ClusterSource.FromFile(snapshot.FullName)
        : arguments.GetValue(Kubeconfig) is { } kubeconfig ? ClusterSource.FromKubeconfig(kubeconfig.FullName, arguments.GetValue(Context))
        : ClusterSource.InCluster();

    // Weakest first: the file, then the environment, then the command line.
    static void Configure(IConfigurationBuilder configuration, ParseResult arguments)
    {
        if (arguments.GetValue(Config) is { } config)
        {
            ConfigurationFile.Add(configuration, config.FullName);
        }

        configuration.AddEnvironmentVariables("ADMISSION_LAS_");
        var (certificate, key) = arguments.GetValue(DevCertificate) is { } directory
            ? DevelopmentCertificate.InDirectory(directory.FullName, DateTimeOffset.UtcNow)
            : (arguments.GetValue(Certificate)?.FullName, arguments.GetValue(CertificateKey)?.FullName);
        Dictionary<string, string?> given = new()
        {
            ["server:address"] = arguments.GetValue(Address) ?? (arguments.GetValue(DevCertificate) is null ? null : "127.0.0.1"),
            ["server:port"] = arguments.GetValue(Port)?.ToString(CultureInfo.InvariantCulture),
            ["server:healthPort"] = arguments.GetValue(HealthPort)?.ToString(CultureInfo.InvariantCulture),
            ["server:certificate"] = certificate,
            ["server:certificateKey"] = key,
            ["server:clientCa"] = arguments.GetValue(ClientCa)?.FullName,
            ["page:enabled"] = arguments.GetValue(Page) is null ? null : "true",
            ["page:port"] = arguments.GetValue(Page)?.ToString(CultureInfo.InvariantCulture),
        };
        configuration.AddInMemoryCollection(
        [
            .. given.Where(g => g.Value is not null),
            .. List("server:allowedClients", arguments.GetValue(AllowClient)),
            .. List("server:certificateNames", arguments.GetValue(CertificateName)),
        ]);

        static IEnumerable<KeyValuePair<string, string?>> List(string key, string[]? values) =>
            (values ?? []).Select((value, i) => KeyValuePair.Create($"{key}:{i}", (string?)value));
    }
}
