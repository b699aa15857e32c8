using System.Globalization;
using AdmissionLas.Server;

namespace AdmissionLas.TestSupport;

/// <summary>
/// The program's <c>serve</c> as a process of its own. Instruments and trace sources go by name and are shared by all servers of one process;
/// what is counted here is this server's alone.
/// </summary>
sealed class WebhookProcess : ServedWebhook
{
    readonly DirectoryInfo? ownFiles;

    WebhookProcess(Tool process, string files, DirectoryInfo? ownFiles, int port, int healthPort)
        : base(AuthorityIn(files), new Uri($"https://127.0.0.1:{port}"), new Uri($"http://127.0.0.1:{healthPort}")) =>
        (Process, this.ownFiles) = (process, ownFiles);

    /// <summary>The arguments for the nodes of the testbed.</summary>
    internal static string[] Testbed { get; } = ["--snapshot", Checkout.PathOf("manifests/testbed/nodes.yaml")];

    internal Tool Process { get; }

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <param name="arguments">Where it has the nodes from, and more; without them the nodes of the testbed.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    /// <param name="files">Where its certificate is kept, if others have the same one.</param>
    /// <param name="program">The program, <c>admission-las</c> or <c>admission-las.dll</c>, if not the one beside the tests.</param>
    internal static async Task<WebhookProcess> StartAsync(
        string[]? arguments = null, Dictionary<string, string>? environment = null, string? files = null, string? program = null)
    {
        var ownFiles = files is null ? Directory.CreateTempSubdirectory("admissionlas-served-") : null;
        files ??= ownFiles!.FullName;
        DevelopmentCertificate.InDirectory(files, DateTimeOffset.UtcNow);
        int[] ports = FreePorts.Find(2);
        var process = Tool.StartAdmissionLas(
            [
                "serve", .. arguments ?? Testbed, "--dev-certificate", files,
                "--port", ports[0].ToString(CultureInfo.InvariantCulture), "--health-port", ports[1].ToString(CultureInfo.InvariantCulture),
            ],
            environment, program);
        var webhook = new WebhookProcess(process, files, ownFiles, ports[0], ports[1]);
        try
        {
            await Eventually.IsTrueAsync("the server is ready", async () =>
                process.HasExited ? throw new InvalidOperationException("the server has ended") : (await webhook.ReadinessAsync()).Length > 0);
            return webhook;
        }
        catch (Exception fault) when (fault is TimeoutException or InvalidOperationException)
        {
            await webhook.DisposeAsync();
            throw new InvalidOperationException($"{fault.Message}:\n{process.Log}", fault);
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        await base.DisposeAsync();
        ownFiles?.Delete(recursive: true);
    }
}
