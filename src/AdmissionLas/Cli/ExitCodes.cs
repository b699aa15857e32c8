namespace AdmissionLas.Cli;

/// <summary>What the verbs return to the shell.</summary>
static class ExitCodes
{
    internal const int Ok = 0;
    internal const int Failed = 1;

    /// <summary>Nothing failed, but somebody must look, or run the verb again.</summary>
    internal const int NeedsAttention = 2;

    /// <summary>Tells what is wrong, a line each, and returns <see cref="Failed"/>.</summary>
    internal static int Fail(params IReadOnlyCollection<string> messages) => FailTo(Console.Error, messages);

    /// <summary>The same, to the verb's own error output.</summary>
    internal static int FailTo(TextWriter errors, params IReadOnlyCollection<string> messages)
    {
        foreach (var message in messages)
        {
            errors.WriteLine($"admission-las: {message}");
        }

        return Failed;
    }
}
