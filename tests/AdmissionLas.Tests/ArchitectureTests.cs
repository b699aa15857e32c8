namespace AdmissionLas.Tests;

public sealed class ArchitectureTests
{
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
