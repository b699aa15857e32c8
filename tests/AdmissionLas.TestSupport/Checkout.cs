using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using AdmissionLas.Kubernetes;

namespace AdmissionLas.TestSupport;

/// <summary>The checkout that the tests run from: they use the scripts and manifests that a user uses.</summary>
public static class Checkout
{
    /// <summary>Its folder.</summary>
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    /// <summary>The whole path of a file in it.</summary>
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

/// <summary>Ports of the loopback on which nothing listens now.</summary>
public static class FreePorts
{
    /// <summary>So many of them, all different.</summary>
    public static int[] Find(int count)
    {
        var probes = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        probes.ForEach(p => p.Start());
        int[] ports = [.. probes.Select(p => ((IPEndPoint)p.LocalEndpoint).Port)];
        probes.ForEach(p => p.Dispose());
        return ports;
    }
}
