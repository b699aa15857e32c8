using AdmissionLas.Cli;

namespace AdmissionLas.Tests.Support;

/// <summary>The program as a user calls it, in this process.</summary>
static class CommandLine
{
    internal static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var (realOutput, realErrors) = (Console.Out, Console.Error);
        Console.SetOut(output);
        Console.SetError(errors);
        try
        {
            // A server that starts where it should have refused would run for ever.
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            var exitCode = await Root.InvokeAsync(arguments, new() { Output = output, Error = errors }, patience.Token);
            return (exitCode, output.ToString(), errors.ToString());
        }
        finally
        {
            Console.SetOut(realOutput);
            Console.SetError(realErrors);
        }
    }
}

/// <summary>Tests that read what is written to the console, one at a time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ConsoleCollection
{
    internal const string Name = "console";
}
