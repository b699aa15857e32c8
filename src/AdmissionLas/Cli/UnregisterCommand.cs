using System.CommandLine;
using System.Net;
using AdmissionLas.Kubernetes;
using AdmissionLas.Registration;
using k8s.Autorest;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las unregister</c>: deletes the webhook's registration.</summary>
static class UnregisterCommand
{
    internal static Command Create()
    {
        var command = new Command("unregister", "Delete the webhook's registration. The scheduler then places pods alone; running pods stay as they are.");
        ClusterOptions.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken stop)
    {
        var (output, errors) = (arguments.InvocationConfiguration.Output, arguments.InvocationConfiguration.Error);
        try
        {
            var name = ClusterOptions.NameOf(arguments);
            using var api = new KubeApi(ClusterOptions.Configuration(arguments), TimeProvider.System);
            var registrar = new Registrar(api, name);
            output.WriteLine(await DeleteAsync(registrar, stop).ConfigureAwait(false)
                ? $"unregistered {name}: the API server no longer calls the webhook"
                : $"there is no registration {name}; nothing to do");
            return ExitCodes.Ok;
        }
        catch (InvalidDataException fault)
        {
            return ExitCodes.FailTo(errors, fault.Message);
        }
        catch (Exception fault) when (ApiFault.Is(fault) && !stop.IsCancellationRequested)
        {
            return ExitCodes.FailTo(errors, ApiFault.Message(fault));
        }
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
