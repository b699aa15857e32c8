using System.CommandLine;
using System.Net;
using AdmissionLas.Kubernetes;
using AdmissionLas.Registration;
using k8s.Autorest;

namespace AdmissionLas.Cli;

/// <summary><c>admission-las unregister</c>: the API server forgets the webhook.</summary>
static class UnregisterCommand
{
    internal static Command Create()
    {
        var command = new Command("unregister", "Delete the webhook's registration. Pods are then placed by the scheduler alone; those that run stay as they are.");
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
                ? $"unregistered {name}: no more pods come to the webhook"
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
        // Another was faster.
        catch (HttpOperationException fault) when (fault.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }
}
