using Xunit.Abstractions;

namespace AdmissionLas.ClusterTests;

/// <summary>
/// The commands that the documents show, run as a reader runs them: in a fresh clone, on a control plane that the script brings up. The words
/// after <c>sh</c> on a block's fence say where it runs; those without a cluster run in the other test project.
/// </summary>
[Collection(DocumentCollection.Name)]
public sealed class DocumentTests(ITestOutputHelper report)
{
    static readonly string Program = Path.Combine(AppContext.BaseDirectory, "admission-las.dll");

    [Fact]
    public async Task A_reader_brings_up_a_control_plane_and_sees_the_samples_placed()
    {
        using var clone = Clone.Make(Program);
        try
        {
            var printed = await RunAsync(clone, RunsIn.CloneWithOwnCluster, await PathAsync(clone));

            Assert.Contains("predict at HOME-EDGE: home-edge-node (9.8 ms) adaptive", Assert.Single(printed).Value);
        }
        catch
        {
            await clone.CommandAsync("scripts/control-plane.sh down --quiet || true");
            throw;
        }
    }

    [Fact]
    public async Task The_commands_for_a_cluster_do_what_the_guides_say()
    {
        using var clone = Clone.Make(Program);
        await OnClusterAsync(clone, "", RunsIn.Cluster);
    }

    [Fact]
    public async Task The_commands_that_install_do_what_the_guides_say()
    {
        using var clone = Clone.Make(Program);
        await AsServedAsync(clone);
        await OnClusterAsync(clone, "--no-webhook", RunsIn.BareCluster);
    }

    async Task OnClusterAsync(Clone clone, string options, RunsIn where)
    {
        const string Directory = "--dir \"$HOME/cluster\" --quiet";
        var path = await PathAsync(clone);
        try
        {
            var kubeconfig = ("KUBECONFIG", await clone.CommandAsync($"scripts/control-plane.sh up {options} {Directory}"));
            // What the guides take for granted: a team's namespace, and the certificates of an authority.
            await clone.CommandAsync("kubectl create namespace team-a && cp \"$HOME/cluster/pki/ca.crt\" ca.crt && cp ca.crt clients-ca.crt", path, kubeconfig);

            Assert.NotEmpty(await RunAsync(clone, where, path, kubeconfig));
        }
        finally
        {
            await clone.CommandAsync($"scripts/control-plane.sh down {Directory} || true");
        }
    }

    async Task<IReadOnlyDictionary<ShellBlock, string>> RunAsync(Clone clone, RunsIn where, params (string, string)[] variables)
    {
        var printed = await clone.RunAsync([.. Clone.Blocks.Where(b => b.RunsIn == where)], variables);
        foreach (var (block, output) in printed)
        {
            report.WriteLine($"{block}\n{block.Script}{output}");
            if (block.Printed is not null)
            {
                Assert.True(output.Contains(block.Printed.Trim(), StringComparison.Ordinal), $"{block} should print\n{block.Printed}\nand printed\n{output}");
            }
        }

        return printed;
    }

    // kubectl may be where the control plane is, and nowhere else.
    static async Task<(string, string)> PathAsync(Clone clone) =>
        ("PATH", await clone.CommandAsync("echo \"$PATH:$(scripts/install-control-plane.sh 2>/dev/null | tail -n 1)\""));

    // Kubernetes 1.20, which Debian has the source of, knows two of our kinds in their beta version alone, one of them without a field.
    static async Task AsServedAsync(Clone clone)
    {
        var version = await clone.CommandAsync("$(scripts/install-control-plane.sh 2>/dev/null | tail -n 1)/kube-apiserver --version");
        if (version.Contains("v1.20.", StringComparison.Ordinal))
        {
            await clone.CommandAsync(
                "sed -i 's#^apiVersion: policy/v1$#apiVersion: policy/v1beta1#; /unhealthyPodEvictionPolicy/d' manifests/base/pod-disruption-budget.yaml; "
                + "sed -i 's#^apiVersion: batch/v1$#apiVersion: batch/v1beta1#' manifests/components/self-managed-certificates/cron-job.yaml");
        }
    }
}

/// <summary>These tests come after all others: they bring up control planes of their own.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class DocumentCollection
{
    internal const string Name = "documents";
}
