using System.CommandLine;

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
            CompletionsCommand.Create(),
        };
}
