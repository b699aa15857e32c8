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

    internal static Command Create() => new Command(
        "doctor",
        "Check the API server, the registration, certificates, permissions, labels and autoscalers, and the whole path with a dry run through the API server. "
        + "Prints a line for each finding: ok, warning or failed, and what to do. Changes nothing. The exit code is 0 unless something failed.")
    {
        TestNamespace,
    }.WithRegistration().Runs(RunAsync);

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var output = arguments.InvocationConfiguration.Output;
        using var api = ClusterOptions.Connect(arguments);
        var checks = new DoctorChecks(
            api, ClusterOptions.NameOf(arguments), ClusterOptions.NamespaceOf(arguments), arguments.GetValue(TestNamespace), TimeProvider.System);
        List<Severity> found = [];
        await foreach (var finding in checks.RunAsync(stop).ConfigureAwait(false))
        {
            output.WriteLine(finding);
            found.Add(finding.Severity);
        }

        var (warnings, failed) = (Count(Severity.Warning), Count(Severity.Failed));
        output.WriteLine($"{Count(Severity.Ok)} ok, {warnings} {(warnings == 1 ? "warning" : "warnings")}, {failed} failed");
        return failed == 0 ? ExitCodes.Ok : ExitCodes.Failed;

        int Count(Severity severity) => found.Count(s => s == severity);
    }
}
