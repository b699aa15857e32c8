using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>A replica as a process of its own, so that it can get signals.</summary>
sealed class ReplicaProcess : IAsyncDisposable
{
    /// <summary>Longer than the forwarder takes to notice that a replica is not ready, as it is in the manifests.</summary>
    internal const int DrainSeconds = 3;

    static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    readonly Process process;
    readonly StringBuilder log = new();

    ReplicaProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += Note;
        process.ErrorDataReceived += Note;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What it has logged, for messages.</summary>
    internal string Log
    {
        get
        {
            lock (log)
            {
                return log.ToString();
            }
        }
    }

    internal static ReplicaProcess Start(string kubeconfig, (string Certificate, string Key) files, int port, int healthPort)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "admission-las.dll"), "serve", "--kubeconfig", kubeconfig, "--address", "127.0.0.1",
                "--port", port.ToString(CultureInfo.InvariantCulture), "--health-port", healthPort.ToString(CultureInfo.InvariantCulture),
                "--certificate", files.Certificate, "--certificate-key", files.Key,
            },
            Environment = { ["ADMISSION_LAS_SERVER__DRAINSECONDS"] = DrainSeconds.ToString(CultureInfo.InvariantCulture) },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new ReplicaProcess(Process.Start(start)!);
    }

    /// <summary>Ports that nobody listens on now.</summary>
    internal static int[] FreePorts(int count) => TestSupport.FreePorts.Find(count);

    /// <summary>What a kubelet does first to end a pod.</summary>
    /// <returns>The exit code.</returns>
    internal async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync().WaitAsync(Bound);
        return process.ExitCode;
    }

    /// <summary>What the kernel does when memory is short.</summary>
    internal void Kill() => process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    void Note(object sender, DataReceivedEventArgs line)
    {
        // Thousands of decisions say nothing of how it ended.
        if (line.Data?.Contains("\"Decision\"", StringComparison.Ordinal) == false)
        {
            lock (log)
            {
                log.AppendLine(line.Data);
            }
        }
    }
}
