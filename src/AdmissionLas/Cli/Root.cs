using System.CommandLine;

namespace AdmissionLas.Cli;

/// <summary>The command line.</summary>
static class Root
{
    internal static RootCommand Create() =>
        new("AdmissionLas places Kubeflow pipeline steps: prediction near the one who asks, training on the big machines.")
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
