namespace AdmissionLas.TestSupport;

/// <summary>The file that leads to an API server.</summary>
static class Kubeconfig
{
    /// <summary>Writes one for an API server that asks for no credentials.</summary>
    /// <returns>The file.</returns>
    internal static string Write(string folder, string address)
    {
        var file = Path.Combine(folder, "kubeconfig");
        File.WriteAllText(file, $$"""
            apiVersion: v1
            kind: Config
            current-context: here
            contexts: [{ name: here, context: { cluster: here, user: me } }]
            clusters: [{ name: here, cluster: { server: "{{address}}" } }]
            users: [{ name: me, user: { token: none } }]
            """);
        return file;
    }
}
