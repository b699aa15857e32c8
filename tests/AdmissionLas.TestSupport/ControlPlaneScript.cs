namespace AdmissionLas.TestSupport;

/// <summary>A control plane of this process's own, run by the script that users run theirs with.</summary>
/// <param name="name">Names its folder, beside those of others.</param>
public sealed class ControlPlaneScript(string name)
{
    /// <summary>Where its state is.</summary>
    public string Directory { get; } = Path.Combine(Path.GetTempPath(), $"{name}-{Environment.ProcessId}");

    /// <summary>Runs a command of the script's on it.</summary>
    /// <returns>What the script printed.</returns>
    public Task<string> RunAsync(params string[] arguments) =>
        Tool.OutputOfAsync("bash", [Checkout.PathOf("scripts/control-plane.sh"), .. arguments, "--dir", Directory]);
}
