namespace AdmissionLas.ClusterTests.Support;

/// <summary>Replicas as processes of their own, so that they can get signals.</summary>
static class ReplicaProcess
{
    /// <summary>Longer than the forwarder takes to notice that a replica is not ready, as it is in the manifests.</summary>
    internal const int DrainSeconds = 3;

    internal static Tool Start(string kubeconfig, (string Certificate, string Key) files, int port, int healthPort) => Tool.Start(
        "dotnet",
        [
            Path.Combine(AppContext.BaseDirectory, "admission-las.dll"), "serve", "--kubeconfig", kubeconfig, "--address", "127.0.0.1",
            "--port", port.ToString(CultureInfo.InvariantCulture), "--health-port", healthPort.ToString(CultureInfo.InvariantCulture),
            "--certificate", files.Certificate, "--certificate-key", files.Key,
        ],
        new Dictionary<string, string> { ["ADMISSION_LAS_SERVER__DRAINSECONDS"] = DrainSeconds.ToString(CultureInfo.InvariantCulture) },
        // Thousands of decisions say nothing of how it ended.
        isKept: line => !line.Contains("\"Decision\"", StringComparison.Ordinal));
}
