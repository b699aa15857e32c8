using System.Diagnostics;

namespace AdmissionLas.ClusterTests.Support;

/// <summary><c>admission-las certs</c> as a process of its own, which can be killed.</summary>
sealed class CertsProcess : IDisposable
{
    static readonly TimeSpan Bound = TimeSpan.FromSeconds(120);

    readonly Process process;
    readonly List<string> lines = [];

    CertsProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += Note;
        process.ErrorDataReceived += Note;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    internal static CertsProcess Start(string kubeconfig, string verb, params string[] arguments) => new(Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "admission-las.dll"), "certs", verb, "--kubeconfig", kubeconfig, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!);

    /// <summary>Waits for a line with this text.</summary>
    internal Task SeesAsync(string text) => Eventually.IsTrueAsync($"\"{text}\" in the output", () =>
    {
        lock (lines)
        {
            return Task.FromResult(lines.Any(l => l.Contains(text, StringComparison.Ordinal)));
        }
    });

    internal async Task<int> ExitCodeAsync()
    {
        await process.WaitForExitAsync().WaitAsync(Bound);
        return process.ExitCode;
    }

    internal void Kill() => process.Kill();

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.Kill();
        }

        process.Dispose();
    }

    void Note(object sender, DataReceivedEventArgs line)
    {
        lock (lines)
        {
            lines.Add(line.Data ?? "");
        }
    }
}
