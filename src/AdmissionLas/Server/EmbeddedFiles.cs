namespace AdmissionLas.Server;

/// <summary>The manifests that are part of the program, so that the demo needs nothing else.</summary>
static class EmbeddedFiles
{
    /// <summary>Opens a file by its path under manifests/.</summary>
    internal static StreamReader Open(string path) =>
        new(typeof(EmbeddedFiles).Assembly.GetManifestResourceStream(path) ?? throw new FileNotFoundException($"{path} is not embedded"));
}
