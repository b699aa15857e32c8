using AdmissionLas.Cli;

namespace AdmissionLas.TestSupport;

/// <summary>What a user sees who types a verb.</summary>
sealed record Verb(int ExitCode, string Output, string Errors)
{
    internal static async Task<Verb> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        // A server that starts where it should have refused would run for ever.
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var exitCode = await Root.Create().Parse(arguments).InvokeAsync(new() { Output = output, Error = errors }, patience.Token);
        return new Verb(exitCode, output.ToString(), errors.ToString());
    }

    /// <summary>The lines of the output that begin with this word.</summary>
    internal string[] Lines(string first) => [.. Output.Split('\n').Where(l => l.StartsWith(first + " ", StringComparison.Ordinal))];
}
