using System.Net.Sockets;
using System.Security.Authentication;

namespace AdmissionLas.Kubernetes;

/// <summary>Turns a failed call to the API server into a message for the admin.</summary>
public static class ApiFault
{
    /// <summary>What the admin can do when the API server does not answer.</summary>
    public const string Advice = "check the address and the credentials in the kubeconfig, and the network";

    /// <summary>Whether the connection or the API server failed the call, as opposed to a bug of this program.</summary>
    public static bool Is(Exception fault) =>
        fault is HttpOperationException or HttpRequestException or TaskCanceledException or TimeoutException or AuthenticationException or SocketException;

    /// <summary>The API server's own message, or why it cannot be reached and what to do.</summary>
    public static string Message(Exception fault) =>
        fault is HttpOperationException ? Reason(fault) : $"the API server cannot be reached: {Reason(fault)}; {Advice}";

    /// <summary>The API server's own message, or the innermost reason why there is none.</summary>
    public static string Reason(Exception fault) => fault switch
    {
        HttpOperationException refused => StatusMessage(refused) ?? $"HTTP status {(int)refused.Response.StatusCode}",
        TaskCanceledException or TimeoutException => "it did not answer in time",
        _ => fault.GetBaseException().Message,
    };

    // The API server's Status object names the user, the verb and the resource.
    static string? StatusMessage(HttpOperationException refused)
    {
        try
        {
            using var status = JsonDocument.Parse(refused.Response.Content ?? "");
            return status.RootElement.Member("message").Text();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
