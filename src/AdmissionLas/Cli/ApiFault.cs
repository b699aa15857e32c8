using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using k8s.Autorest;

namespace AdmissionLas.Cli;

/// <summary>What went wrong between a verb and the API server, in words for the one who typed it.</summary>
static class ApiFault
{
    /// <summary>Whether the fault is one of the connection or of the answer, and no fault of ours.</summary>
    internal static bool Is(Exception fault) =>
        fault is HttpOperationException or HttpRequestException or TaskCanceledException or TimeoutException or AuthenticationException or SocketException;

    /// <summary>What to do about an API server that cannot be asked.</summary>
    internal const string Advice = "check the address and the credentials in the kubeconfig, and the network";

    /// <summary>What the API server said, or why it cannot be asked and what to do.</summary>
    internal static string Message(Exception fault) => fault is HttpOperationException ? Reason(fault) : $"the API server cannot be reached: {Reason(fault)}; {Advice}";

    /// <summary>What the API server said, or why it cannot be asked.</summary>
    internal static string Reason(Exception fault) => fault switch
    {
        HttpOperationException refused => StatusMessage(refused) ?? $"it answered {(int)refused.Response.StatusCode}",
        TaskCanceledException or TimeoutException => "it did not answer in time",
        _ => Innermost(fault).Message,
    };

    // The Status object names the user, the verb and the resource, which is all there is to say.
    static string? StatusMessage(HttpOperationException refused)
    {
        try
        {
            using var status = JsonDocument.Parse(refused.Response.Content ?? "");
            return status.RootElement.ValueKind == JsonValueKind.Object && status.RootElement.TryGetProperty("message", out var message) ? message.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static Exception Innermost(Exception fault) => fault.InnerException is { } inner ? Innermost(inner) : fault;
}
