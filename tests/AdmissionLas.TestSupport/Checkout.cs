using System.Net;
using System.Net.Sockets;

namespace AdmissionLas.TestSupport;

/// <summary>The checkout that the tests run from: they use the scripts and manifests that a user uses.</summary>
public static class Checkout
{
    /// <summary>Its folder.</summary>
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    /// <summary>The whole path of a file in it.</summary>
    public static string PathOf(string relative) => Path.Combine(Root, relative);

    static string Find(DirectoryInfo? directory) =>
        directory is null ? throw new DirectoryNotFoundException("the tests must run inside a checkout")
        : File.Exists(Path.Combine(directory.FullName, "AdmissionLas.sln")) ? directory.FullName
        : Find(directory.Parent);
}

/// <summary>Ports of the loopback that nobody listens on now.</summary>
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
