using NetArchTest.Rules;

namespace AdmissionLas.Tests;

/// <summary>Which rooms know which: dependencies point inward, and there is no circle.</summary>
public sealed class ArchitectureTests
{
    // The host's folders, each after all that it may know.
    static readonly (string Folder, string[] Known)[] Host =
    [
        ("Configuration", []),
        ("Registration", ["Configuration"]),
        ("Realised", ["Registration"]),
        ("Observers", ["Configuration", "Realised"]),
        ("Snapshots", ["Configuration", "Registration"]),
        ("Explain", ["Snapshots"]),
        ("Doctor", ["Configuration", "Realised", "Registration"]),
        ("Page", ["Configuration", "Explain", "Observers", "Realised"]),
        ("Server", ["Configuration", "Observers", "Page", "Realised", "Snapshots"]),
        ("Cli", ["Configuration", "Doctor", "Explain", "Page", "Registration", "Server", "Snapshots"]),
    ];

    public static TheoryData<string> HostFolders => [.. Host.Select(h => h.Folder)];

    [Theory]
    [MemberData(nameof(HostFolders))]
    public void A_folder_of_the_host_knows_only_folders_before_it(string folder)
    {
        var known = Host.Single(h => h.Folder == folder).Known;
        Assert.All(known, k => Assert.Contains(k, Host.TakeWhile(h => h.Folder != folder).Select(h => h.Folder)));
        var unknown = Host.Select(h => h.Folder).Where(f => f != folder && !known.Contains(f)).Select(f => $"AdmissionLas.{f}").ToArray();

        var types = Types.InAssembly(typeof(AdmissionLas.Cli.ServeCommand).Assembly).That().ResideInNamespace($"AdmissionLas.{folder}");
        var result = types.ShouldNot().HaveDependencyOnAny(unknown).GetResult();

        Assert.NotEmpty(types.GetTypes());
        Assert.True(result.IsSuccessful, string.Join(", ", result.FailingTypeNames ?? []));
    }

    [Fact]
    public void Every_folder_of_the_host_has_its_place_in_the_order() =>
        Assert.Equal(
            Host.Select(h => $"AdmissionLas.{h.Folder}").Order(),
            typeof(AdmissionLas.Cli.ServeCommand).Assembly.GetTypes().Select(t => t.Namespace!)
                .Where(n => n is not null && n.StartsWith("AdmissionLas.", StringComparison.Ordinal)).Distinct().Order());

    [Fact]
    public void The_placement_core_references_nothing_but_the_base_library()
    {
        var references = typeof(PlacementEngine).Assembly.GetReferencedAssemblies().Select(a => a.Name!);

        Assert.All(references, name => Assert.StartsWith("System.", name, StringComparison.Ordinal));
    }

    [Fact]
    public void The_placement_core_has_no_clock_no_files_and_no_network()
    {
        string[] edges = ["System.Net", "System.IO.FileSystem", "System.Threading.Tasks", "System.Diagnostics.Stopwatch", "System.Console"];
        var references = typeof(PlacementEngine).Assembly.GetReferencedAssemblies().Select(a => a.Name!).ToArray();

        Assert.DoesNotContain(references, name => edges.Any(e => name.StartsWith(e, StringComparison.Ordinal)));
    }

    [Fact]
    public void Certificates_are_made_and_rotated_with_the_base_library_alone()
    {
        var references = typeof(AdmissionLas.Certificates.Rotation).Assembly.GetReferencedAssemblies().Select(a => a.Name!);

        Assert.All(references, name => Assert.StartsWith("System.", name, StringComparison.Ordinal));
    }

    [Fact]
    public void Only_the_Kubernetes_project_and_the_host_know_the_client()
    {
        var ours = typeof(AdmissionLas.Kubernetes.NodeInformer).Assembly.GetReferencedAssemblies().Select(a => a.Name);

        Assert.Contains("KubernetesClient.Aot", ours);
        Assert.DoesNotContain(typeof(PlacementEngine).Assembly.GetReferencedAssemblies(), a => a.Name!.StartsWith("Kubernetes", StringComparison.Ordinal));
    }
}
