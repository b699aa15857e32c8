using System.Text.Json.Nodes;
using AdmissionLas.Kubernetes;

namespace AdmissionLas.TestSupport;

/// <summary>The checkout that the tests run from: they use the scripts and manifests that a user uses.</summary>
public static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    public static string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>The first object of a YAML file.</summary>
    public static JsonObject Yaml(string relative)
    {
        using var text = File.OpenText(PathOf(relative));
        return JsonObject.Create(YamlJson.ReadObjects(text)[0])!;
    }

    static string Find(DirectoryInfo? directory) =>
        directory is null ? throw new DirectoryNotFoundException("the tests must run inside a checkout")
        : File.Exists(Path.Combine(directory.FullName, "AdmissionLas.sln")) ? directory.FullName
        : Find(directory.Parent);
}
