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
        var registrar = new Registrar(api, name);
        var found = await registrar.ReadOursAsync(stop).ConfigureAwait(false);
        try
        {
            await (found is null ? Task.CompletedTask : registrar.DeleteAsync(found, stop)).ConfigureAwait(false);
        }
        // It was deleted meanwhile.
        catch (HttpOperationException fault) when (fault.Response.StatusCode == HttpStatusCode.NotFound)
        {
            found = null;
        }

        arguments.InvocationConfiguration.Output.WriteLine(found is not null
            ? $"unregistered {name}: the API server no longer calls the webhook"
            : $"there is no registration {name}; nothing to do");
        return ExitCodes.Ok;
    }
}
