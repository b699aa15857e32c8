using System.CommandLine;
using System.Net;
using AdmissionLas.Registration;
using k8s.Autorest;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las unregister</c>: deletes the webhook's registration.</summary>
static class UnregisterCommand
{
    internal static Command Create() =>
        new Command("unregister", "Delete the webhook's registration. The scheduler then places pods alone; running pods stay as they are.")
            .WithRegistration().Runs(RunAsync);

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var name = ClusterOptions.NameOf(arguments);
        using var api = ClusterOptions.Connect(arguments);
        arguments.InvocationConfiguration.Output.WriteLine(await DeleteAsync(new Registrar(api, name), stop).ConfigureAwait(false)
            ? $"unregistered {name}: the API server no longer calls the webhook"
            : $"there is no registration {name}; nothing to do");
        return ExitCodes.Ok;
    }

    static async Task<bool> DeleteAsync(Registrar registrar, CancellationToken stop)
    {
        if (await registrar.ReadOursAsync(stop).ConfigureAwait(false) is not { } found)
        {
            return false;
        }

        try
        {
            await registrar.DeleteAsync(found, stop).ConfigureAwait(false);
            return true;
        }
        // It was deleted meanwhile.
        catch (HttpOperationException fault) when (fault.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }
}
