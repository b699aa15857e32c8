using System.CommandLine;
using AdmissionLas.Explain;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las matrix</c>: the latencies from every node to every location.</summary>
static class MatrixCommand
{
    static readonly Option<string> Form = OutputOptions.Create();

    internal static Command Create()
    {
        var command = new Command(
            "matrix", "Show the latency of every node to every location in milliseconds, from the nodes' labels: - for none, ? for one that cannot be read.")
        {
            Form,
        };
        ClusterInputOptions.AddTo(command);
        command.SetAction((arguments, stop) => ClusterInputOptions.RunAsync(arguments, async api =>
        {
            var output = arguments.InvocationConfiguration.Output;
            var view = (await ClusterInputOptions.TakeAsync(arguments, api, stop).ConfigureAwait(false)).View;
            if (arguments.GetValue(Form) is OutputOptions.Table)
            {
                LatencyMatrix.Write(new Terminal(output), view);
            }
            else
            {
                OutputOptions.Write(output, arguments.GetValue(Form)!, json => LatencyMatrix.Write(json, view));
            }

            return ExitCodes.Ok;
        }, stop));
        return command;
    }
}
