using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace AdmissionLas.Cli;

/// <summary>The command line with all commands.</summary>
static class Root
{
    internal static RootCommand Create() =>
        new("AdmissionLas places Kubeflow pipeline steps: prediction near its users, training on the largest nodes.")
        {
            ServeCommand.Create(),
            DemoCommand.Create(),
            RegisterCommand.Create(),
            UnregisterCommand.Create(),
            DoctorCommand.Create(),
            ExplainCommand.Create(),
            MatrixCommand.Create(),
            SnapshotCommand.Create(),
            CertsCommand.Create(),
            AdmissionConfigCommand.Create(),
            CompletionsCommand.Create(),
        };

    /// <summary>Runs a command. A wrong command line gets its error and where to look, and not the whole help.</summary>
    internal static async Task<int> InvokeAsync(string[] arguments, InvocationConfiguration configuration, CancellationToken stop = default)
    {
        var parsed = Create().Parse(arguments);
        if (parsed.Action is not ParseErrorAction refusal || arguments.Length == 0)
        {
            return await parsed.InvokeAsync(configuration, stop).ConfigureAwait(false);
        }

        refusal.ShowHelp = false;
        var exitCode = await parsed.InvokeAsync(configuration, stop).ConfigureAwait(false);
        var path = "";
        for (var at = parsed.CommandResult; at.Parent is CommandResult parent; at = parent)
        {
            path = $" {at.Command.Name}{path}";
        }

        configuration.Error.WriteLine($"See: admission-las{path} --help");
        return exitCode;
    }
}
