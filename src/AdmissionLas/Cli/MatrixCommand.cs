using System.CommandLine;
using AdmissionLas.Explain;
using AdmissionLas.Snapshots;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las matrix</c>: the latencies from every node to every location.</summary>
static class MatrixCommand
{
    internal static Command Create() => new Command(
        "matrix", "Show the latency of every node to every location in milliseconds, from the nodes' labels: - for none, ? for one that cannot be read.")
    {
        OutputOptions.Form,
    }.WithClusterOrSnapshot().Runs(RunAsync);

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        using var api = ClusterOptions.ConnectUnlessSaved(arguments);
        var snapshot = await ClusterOptions.TakeAsync(arguments, api, stop).ConfigureAwait(false);
        var labels = ClusterOptions.SettingsOf(arguments, snapshot).Policy.LatencyLabels;
        if (ClusterOptions.MissingFor(arguments, snapshot).Contains(ClusterSnapshot.ConfigurationKind))
        {
            arguments.InvocationConfiguration.Error.WriteLine($"admission-las: {ClusterSnapshot.NoticeOf(ClusterSnapshot.ConfigurationKind)}");
        }

        var view = snapshot.View(labels);
        OutputOptions.Write(arguments, terminal => LatencyMatrix.Write(terminal, view, labels.Advised), json => LatencyMatrix.Write(json, view));
        return ExitCodes.Ok;
    }
}
