namespace AdmissionLas.Cli;

/// <summary>The exit codes of the commands, and how they print errors.</summary>
static class ExitCodes
{
    internal const int Ok = 0;
    internal const int Failed = 1;

    /// <summary>Nothing failed, but the user must look at something or run the command again.</summary>
    internal const int NeedsAttention = 2;

    /// <summary>Prints the errors, a line each, and returns <see cref="Failed"/>.</summary>
    internal static int Fail(params IReadOnlyCollection<string> messages) => FailTo(Console.Error, messages);

    /// <summary>The same, to the command's own error output.</summary>
    internal static int FailTo(TextWriter errors, params IReadOnlyCollection<string> messages)
    {
        foreach (var message in messages)
        {
            errors.WriteLine($"admission-las: {message}");
        }

        return Failed;
    }
}
