using System.CommandLine;
using AdmissionLas.Snapshots;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las snapshot</c>: saves what decisions depend on, for a bug report or for a later <c>explain</c>.</summary>
static class SnapshotCommand
{
    static readonly Option<FileInfo?> File = new("--file", "-f") { Description = "Where to save it [default: the standard output]", HelpName = "file" };

    internal static Command Create()
    {
        var command = new Command(
            "snapshot",
            "Save what decisions depend on: nodes (name, labels, taints, capacity, conditions, names of large images), "
            + "pods (name, node, requests, our annotations), which namespaces opt in, and the webhook's configuration. "
            + "Leaves out environments, command lines, volumes, Secrets and other annotations. Use it with --snapshot, or attach it to a bug report. Changes nothing.")
        {
            File,
        };
        ClusterOptions.AddConnectionTo(command);
        command.SetAction((arguments, stop) => ClusterInputOptions.RunAsync(arguments, api => RunAsync(arguments, api!, stop), stop));
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, KubeApi api, CancellationToken stop)
    {
        var snapshot = await ClusterSnapshot.TakeAsync(api, ClusterOptions.NamespaceOf(arguments), stop).ConfigureAwait(false);
        foreach (var notice in snapshot.MissingKinds.Select(ClusterSnapshot.NoticeOf))
        {
            arguments.InvocationConfiguration.Error.WriteLine($"admission-las: {notice}");
        }

        if (arguments.GetValue(File) is not { } file)
        {
            snapshot.Write(arguments.InvocationConfiguration.Output);
            return ExitCodes.Ok;
        }

        await using var text = System.IO.File.CreateText(file.FullName);
        snapshot.Write(text);
        return ExitCodes.Ok;
    }
}
