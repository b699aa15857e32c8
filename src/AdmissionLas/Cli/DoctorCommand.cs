using System.CommandLine;
using AdmissionLas.Doctor;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las doctor</c>: finds what keeps pods from being placed, and says what to do.</summary>
static class DoctorCommand
{
    static readonly Option<string?> TestNamespace = new("--test-namespace")
    {
        Description = "The namespace for the dry run of a step [default: the first namespace that opts in]",
    };

    internal static Command Create()
    {
        var command = new Command(
            "doctor",
            "Check the API server, the registration, certificates, permissions and labels, and the whole path with a dry run through the API server. "
            + "Prints a line for each finding: ok, warning or failed, and what to do. Changes nothing. The exit code is 0 unless something failed.")
        {
            TestNamespace,
        };
        ClusterOptions.AddTo(command);
        command.SetAction((arguments, stop) => ExitCodes.RunAsync(arguments, () => RunAsync(arguments, stop), stop));
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var output = arguments.InvocationConfiguration.Output;
        using var api = new KubeApi(ClusterOptions.Configuration(arguments), TimeProvider.System);
        var checks = new DoctorChecks(
            api, ClusterOptions.NameOf(arguments), ClusterOptions.NamespaceOf(arguments), arguments.GetValue(TestNamespace), TimeProvider.System);
        var (ok, warnings, failed) = (0, 0, 0);
        await foreach (var finding in checks.RunAsync(stop).ConfigureAwait(false))
        {
            output.WriteLine(finding);
            switch (finding.Severity)
            {
                case Severity.Ok: ok++; break;
                case Severity.Warning: warnings++; break;
                default: failed++; break;
            }
        }

        output.WriteLine($"{ok} ok, {warnings} {(warnings == 1 ? "warning" : "warnings")}, {failed} failed");
        return failed == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }
}
