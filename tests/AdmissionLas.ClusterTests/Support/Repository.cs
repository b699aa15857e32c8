using System.Text.Json.Nodes;
using AdmissionLas.Kubernetes;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>The checkout that the tests run from: they use the scripts and manifests that a user uses.</summary>
static class Repository
{
    internal static string Root => Clone.Repository;

    internal static string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>The first object of a YAML file.</summary>
    internal static JsonObject Yaml(string relative)
    {
        using var text = File.OpenText(PathOf(relative));
        return JsonObject.Create(YamlJson.ReadObjects(text)[0])!;
    }
}
