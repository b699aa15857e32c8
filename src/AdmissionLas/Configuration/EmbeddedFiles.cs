namespace AdmissionLas.Configuration;

/// <summary>Opens the manifests that are embedded in the program.</summary>
static class EmbeddedFiles
{
    /// <summary>Opens a file by its path under manifests/, or by <c>certs/policy.yaml</c> and <c>certs/admission-policy.yaml</c>.</summary>
    internal static StreamReader Open(string path) =>
        new(typeof(EmbeddedFiles).Assembly.GetManifestResourceStream(path) ?? throw new FileNotFoundException($"{path} is not embedded"));
}
