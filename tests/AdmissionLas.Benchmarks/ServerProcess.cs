using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace AdmissionLas.Benchmarks;

/// <summary>The server as a process of its own, on this machine's loopback with a development certificate.</summary>
sealed class ServerProcess : IAsyncDisposable
{
    /// <summary>What the kernel counts CPU time in, on every Linux that .NET runs on (USER_HZ).</summary>
    const double TicksPerSecond = 100;

    readonly Process process;
    readonly HttpClient http;
    readonly int port;

    ServerProcess(Process process, HttpClient http, int port) => (this.process, this.http, this.port) = (process, http, port);

    internal Uri Mutate => new($"https://127.0.0.1:{port}/mutate");

    /// <summary>CPU time since its start.</summary>
    internal double CpuSeconds
    {
        get
        {
            // What follows the name, which may hold anything: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html.
            var fields = File.ReadAllText($"/proc/{process.Id}/stat").Split(") ")[^1].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
    }

    /// <summary>Resident memory, MB.</summary>
    internal double ResidentMegabytes => StatusOf("VmRSS:");

    /// <summary>The most it ever was, MB.</summary>
    internal double PeakMegabytes => StatusOf("VmHWM:");

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <param name="server">The program, <c>admission-las</c> or <c>admission-las.dll</c>.</param>
    /// <param name="files">Where its certificate is kept.</param>
    /// <param name="port">Its port; the next one is for probes.</param>
    /// <param name="arguments">Where it has the nodes from.</param>
    internal static async Task<ServerProcess> StartAsync(string server, string files, int port, params string[] arguments)
    {
        var isDll = server.EndsWith(".dll", StringComparison.Ordinal);
        var start = new ProcessStartInfo(isDll ? "dotnet" : server) { RedirectStandardError = true };
        foreach (var argument in (string[])
        [
            .. isDll ? [server] : Array.Empty<string>(), "serve", .. arguments, "--dev-certificate", files, "--address", "127.0.0.1",
            "--port", port.ToString(CultureInfo.InvariantCulture), "--health-port", (port + 1).ToString(CultureInfo.InvariantCulture),
        ])
        {
            start.ArgumentList.Add(argument);
        }

        // A line for each review is not what is measured.
        start.Environment["ADMISSION_LAS_LOGGING__LEVEL"] = "Warning";
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is { Length: > 0 })
            {
                Console.Error.WriteLine(line.Data);
            }
        };
        process.BeginErrorReadLine();
        var authority = Path.Combine(files, "ca.crt");
        var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    using var chain = new X509Chain { ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck } };
                    chain.ChainPolicy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificateFromFile(authority));
                    return chain.Build((X509Certificate2)certificate!);
                },
            },
        });
        var started = new ServerProcess(process, http, port);
        for (var i = 0; (await started.ReadinessAsync()).Length == 0; i++)
        {
            if (process.HasExited || i > 600)
            {
                throw new InvalidOperationException($"{server} did not get ready");
            }

            await Task.Delay(100);
        }

        return started;
    }

    /// <summary>What its readiness probe says; nothing while it is not ready.</summary>
    internal async Task<string> ReadinessAsync()
    {
        try
        {
            return await http.GetStringAsync(new Uri($"http://127.0.0.1:{port + 1}/readyz"));
        }
        catch (HttpRequestException)
        {
            return "";
        }
    }

    /// <summary>Sends a review and waits for its patch.</summary>
    /// <returns>Milliseconds.</returns>
    internal async Task<double> ReviewAsync(byte[] review)
    {
        var startedAt = Stopwatch.GetTimestamp();
        using var content = new ByteArrayContent(review) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var answer = await http.PostAsync(Mutate, content);
        var text = await answer.Content.ReadAsStringAsync();
        var took = Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds;
        return text.Contains("\"patch\"", StringComparison.Ordinal) ? took : throw new InvalidDataException($"a review came back without a patch: {text}");
    }

    /// <summary>Resident memory now and again, until stopped.</summary>
    internal async Task<List<double>> SampleMemoryAsync(TimeSpan every, CancellationToken stop)
    {
        List<double> samples = [ResidentMegabytes];
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(every, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            samples.Add(ResidentMegabytes);
        }

        return samples;
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    double StatusOf(string name) => double.Parse(
        File.ReadLines($"/proc/{process.Id}/status").Single(l => l.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;
}
