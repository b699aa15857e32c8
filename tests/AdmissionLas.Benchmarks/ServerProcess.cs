using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;

namespace AdmissionLas.Benchmarks;

/// <summary>What the server takes as a process of its own, on this machine's loopback with a development certificate.</summary>
sealed class ServerProcess(WebhookProcess webhook) : IAsyncDisposable
{
    /// <summary>What the kernel counts CPU time in, on every Linux that .NET runs on (USER_HZ).</summary>
    const double TicksPerSecond = 100;

    /// <summary>CPU time since its start.</summary>
    internal double CpuSeconds
    {
        get
        {
            // What follows the name, which may hold anything: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html.
            var fields = File.ReadAllText($"/proc/{webhook.Process.Id}/stat").Split(") ")[^1].Split(' ');
            return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
        }
    }

    /// <summary>Resident memory, MB.</summary>
    internal double ResidentMegabytes => StatusOf("VmRSS:");

    /// <summary>The most it ever was, MB.</summary>
    internal double PeakMegabytes => StatusOf("VmHWM:");

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <param name="server">The program, <c>admission-las</c> or <c>admission-las.dll</c>.</param>
    /// <param name="arguments">Where it has the nodes from.</param>
    internal static async Task<ServerProcess> StartAsync(string server, params string[] arguments) =>
        // A line for each review is not what is measured.
        new(await WebhookProcess.StartAsync(arguments, new() { ["ADMISSION_LAS_LOGGING__LEVEL"] = "Warning" }, program: server));

    /// <summary>What its readiness probe says; nothing while it is not ready.</summary>
    internal Task<string> ReadinessAsync() => webhook.ReadinessAsync();

    /// <summary>Sends a review and waits for its patch.</summary>
    /// <returns>Milliseconds.</returns>
    internal async Task<double> ReviewAsync(byte[] review)
    {
        var startedAt = Stopwatch.GetTimestamp();
        using var content = new ByteArrayContent(review) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var answer = await webhook.Client.PostAsync(webhook.Mutate, content);
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
        await webhook.DisposeAsync();
        await Console.Error.WriteAsync(webhook.Process.Log);
    }

    double StatusOf(string name) => double.Parse(
        File.ReadLines($"/proc/{webhook.Process.Id}/status").Single(l => l.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;
}
