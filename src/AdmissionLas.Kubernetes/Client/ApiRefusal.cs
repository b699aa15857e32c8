using System.Net;
using k8s.Autorest;

namespace AdmissionLas.Kubernetes;

/// <summary>Compares the status with which the API server refused a request.</summary>
static class ApiRefusal
{
    internal static bool Is(this HttpOperationException refused, HttpStatusCode status) => refused.Response?.StatusCode == status;
}
