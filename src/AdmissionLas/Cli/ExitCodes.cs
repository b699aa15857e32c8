using System.CommandLine;
using AdmissionLas.Certificates;
using Microsoft.Extensions.Options;

namespace AdmissionLas.Cli;

/// <summary>The exit codes of the commands, and how they print errors.</summary>
static class ExitCodes
{
    internal const int Ok = 0;
    internal const int Failed = 1;

    /// <summary>Nothing failed, but the user must look at something or run the command again.</summary>
    internal const int NeedsAttention = 2;

    /// <summary>Runs a command, and prints what went wrong in the input, in files or at the API server.</summary>
    internal static async Task<int> RunAsync(ParseResult arguments, Func<Task<int>> command, CancellationToken stop)
    {
        var errors = arguments.InvocationConfiguration.Error;
        try
        {
            return await command().ConfigureAwait(false);
        }
        catch (OptionsValidationException fault)
        {
            return FailTo(errors, [.. fault.Failures]);
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException or UnauthorizedAccessException
            or RotationInProgressException or ChangedMeanwhileException)
        {
            return FailTo(errors, fault.Message);
        }
        catch (Exception fault) when (ApiFault.Is(fault) && !stop.IsCancellationRequested)
        {
            return FailTo(errors, ApiFault.Message(fault));
        }
    }

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
