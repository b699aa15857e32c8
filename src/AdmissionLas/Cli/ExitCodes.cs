using System.CommandLine;
using AdmissionLas.Certificates;

namespace AdmissionLas.Cli;

/// <summary>The exit codes of the commands, and how they print errors.</summary>
static class ExitCodes
{
    internal const int Ok = 0;
    internal const int Failed = 1;

    /// <summary>Nothing failed, but the user must look at something or run the command again.</summary>
    internal const int NeedsAttention = 2;

    /// <summary>Adds options to a command.</summary>
    internal static Command With(this Command command, params Option[] options)
    {
        Array.ForEach(options, command.Add);
        return command;
    }

    /// <summary>Gives a command its action; what goes wrong in the input, in files or at the API server is printed.</summary>
    internal static Command Runs(this Command command, Func<ParseResult, CancellationToken, Task<int>> action)
    {
        command.SetAction(async (arguments, stop) =>
        {
            var errors = arguments.InvocationConfiguration.Error;
            try
            {
                return await action(arguments, stop).ConfigureAwait(false);
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
        });
        return command;
    }

    /// <summary>Prints the errors, a line each, and returns <see cref="Failed"/>.</summary>
    internal static int FailTo(TextWriter errors, params IReadOnlyCollection<string> messages)
    {
        foreach (var message in messages)
        {
            errors.WriteLine($"admission-las: {message}");
        }

        return Failed;
    }
}
