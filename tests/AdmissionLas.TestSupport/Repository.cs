using System.Text.Json.Nodes;
using AdmissionLas.Kubernetes;

namespace AdmissionLas.TestSupport;

/// <summary>The checkout that the tests run from: they use the scripts and manifests that a user uses.</summary>
public static class Repository
{
    public static string Root => Checkout.Root;

    public static string PathOf(string relative) => Checkout.PathOf(relative);

    /// <summary>The first object of a YAML file.</summary>
    public static JsonObject Yaml(string relative)
    {
        using var text = File.OpenText(PathOf(relative));
        return JsonObject.Create(YamlJson.ReadObjects(text)[0])!;
    }
}
