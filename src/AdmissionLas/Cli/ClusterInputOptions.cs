using System.CommandLine;
using AdmissionLas.Snapshots;

namespace AdmissionLas.Cli;

/// <summary>The options that choose where a command reads the cluster from: the cluster itself, a saved snapshot, or the thesis testbed.</summary>
static class ClusterInputOptions
{
    static readonly Option<FileInfo?> Snapshot = new("--snapshot")
    {
        Description = "Use a saved snapshot instead of a cluster: the output of admission-las snapshot, or of kubectl get nodes,pods -A -o yaml",
        HelpName = "file",
    };

    static readonly Option<bool> Demo = new("--demo")
    {
        Description = "Use the three empty nodes of the thesis testbed, which are built in",
        Arity = ArgumentArity.Zero,
    };

    /// <summary>Adds the options to a command.</summary>
    internal static void AddTo(Command command)
    {
        ClusterOptions.AddConnectionTo(command);
        command.Add(Snapshot);
        command.Add(Demo);
        command.Validators.Add(result =>
        {
            var ways = (result.GetResult(Snapshot) is null ? 0 : 1) + (result.GetValue(Demo) ? 1 : 0) + (ClusterOptions.IsGiven(result) ? 1 : 0);
            if (ways > 1)
            {
                result.AddError("--snapshot, --demo and a cluster (--kubeconfig, --context) exclude each other; give only one");
            }
        });
    }

    /// <summary>Whether the command reads a cluster.</summary>
    internal static bool IsCluster(ParseResult arguments) => arguments.GetValue(Snapshot) is null && !arguments.GetValue(Demo);

    /// <summary>Reads what the options name.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="api">The API server; <see langword="null"/> when the command reads no cluster.</param>
    /// <param name="stop">Cancels the reading.</param>
    internal static async Task<ClusterSnapshot> TakeAsync(ParseResult arguments, KubeApi? api, CancellationToken stop) =>
        arguments.GetValue(Demo) ? ClusterSnapshot.Embedded()
        : arguments.GetValue(Snapshot) is { } file ? ClusterSnapshot.FromFile(file.FullName)
        : await ClusterSnapshot.TakeAsync(api!, ClusterOptions.NamespaceOf(arguments), stop).ConfigureAwait(false);

    /// <summary>Runs a command with the API server, if it reads one, and reports faults.</summary>
    internal static Task<int> RunAsync(ParseResult arguments, Func<KubeApi?, Task<int>> action, CancellationToken stop) => ExitCodes.RunAsync(arguments, async () =>
    {
        using var api = IsCluster(arguments) ? new KubeApi(ClusterOptions.Configuration(arguments), TimeProvider.System) : null;
        return await action(api).ConfigureAwait(false);
    }, stop);
}
