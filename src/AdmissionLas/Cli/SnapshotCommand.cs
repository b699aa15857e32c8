using System.CommandLine;
using AdmissionLas.Snapshots;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las snapshot</c>: saves what decisions depend on, for a bug report or for a later <c>explain</c>.</summary>
static class SnapshotCommand
{
    static readonly Option<FileInfo?> File = new("--file", "-f") { Description = "Where to save it [default: the standard output]", HelpName = "file" };

    internal static Command Create() => new Command(
        "snapshot",
        "Save what decisions depend on: nodes (name, labels, taints, capacity, conditions, names of large images), "
        + "pods (name, node, requests, our annotations), which namespaces opt in, and the webhook's configuration. "
        + "Leaves out environments, command lines, volumes, Secrets and other annotations. Use it with --snapshot, or attach it to a bug report. Changes nothing.")
    {
        File,
    }.WithCluster().Runs(RunAsync);

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        using var api = ClusterOptions.Connect(arguments);
        var snapshot = await ClusterSnapshot.TakeAsync(api, ClusterOptions.NamespaceOf(arguments), stop).ConfigureAwait(false);
        foreach (var notice in snapshot.MissingKinds.Select(ClusterSnapshot.NoticeOf))
        {
            arguments.InvocationConfiguration.Error.WriteLine($"admission-las: {notice}");
        }

        await using var file = arguments.GetValue(File) is { } named ? System.IO.File.CreateText(named.FullName) : null;
        snapshot.Write(file ?? arguments.InvocationConfiguration.Output);
        return ExitCodes.Ok;
    }
}
