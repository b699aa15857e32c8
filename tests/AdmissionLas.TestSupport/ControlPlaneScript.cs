using System.Diagnostics;

namespace AdmissionLas.TestSupport;

/// <summary>A control plane of this process's own, run by the script that users run theirs with.</summary>
/// <param name="name">Tells its folder from those of others.</param>
public sealed class ControlPlaneScript(string name)
{
    const string Script = "scripts/control-plane.sh";

    /// <summary>Where its state is.</summary>
    public string Directory { get; } = Path.Combine(Path.GetTempPath(), $"{name}-{Environment.ProcessId}");

    /// <summary>Runs a command of the script's on it.</summary>
    /// <returns>What the script printed.</returns>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("bash") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Checkout.Root };
        foreach (var argument in (string[])[Checkout.PathOf(Script), .. arguments, "--dir", Directory])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"{Script} {string.Join(' ', arguments)} failed: {await errors}");
    }
}
