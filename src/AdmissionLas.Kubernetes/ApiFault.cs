using System.Net;
using System.Text.Json;
using k8s.Autorest;

namespace AdmissionLas.Kubernetes;

/// <summary>What the API server says when it refuses.</summary>
public static class ApiFault
{
    /// <summary>The API server's own sentence, which names the user, the verb and the resource when a right is missing.</summary>
    public static string Describe(HttpOperationException refused)
    {
        var content = refused.Response?.Content;
        if (!string.IsNullOrEmpty(content))
        {
            try
            {
                using var status = JsonDocument.Parse(content);
                if (status.RootElement.ValueKind == JsonValueKind.Object && status.RootElement.TryGetProperty("message", out var message)
                    && message.ValueKind == JsonValueKind.String)
                {
                    return message.GetString()!;
                }
            }
            catch (JsonException)
            {
                // A proxy's page, most likely; the status says enough.
            }
        }

        return refused.Response is { } response ? $"the API server answered {(int)response.StatusCode} {response.StatusCode}" : refused.Message;
    }

    internal static bool Is(this HttpOperationException refused, HttpStatusCode status) => refused.Response?.StatusCode == status;
}
