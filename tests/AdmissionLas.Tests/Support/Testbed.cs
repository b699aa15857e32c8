namespace AdmissionLas.Tests.Support;

/// <summary>The nodes of the thesis as the samples ship them.</summary>
static class Testbed
{
    /// <summary>One cloud node and two edge nodes.</summary>
    internal static ClusterView View { get; } = Read("nodes.yaml");

    /// <summary>With the second cloud node.</summary>
    internal static ClusterView TwoClouds { get; } = Read("nodes-two-clouds.yaml");

    static ClusterView Read(string file)
    {
        using var text = File.OpenText(Path.Combine(AppContext.BaseDirectory, "testbed", file));
        return new ClusterView(YamlJson.ReadObjects(text).Select(e => NodeReader.Read(e, LatencyLabels.All)).OfType<NodeFacts>());
    }
}
