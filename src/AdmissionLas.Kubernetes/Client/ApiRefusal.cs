using System.Net;
using k8s.Autorest;

namespace AdmissionLas.Kubernetes;

static class ApiRefusal
{
    internal static bool Is(this HttpOperationException refused, HttpStatusCode status) => refused.Response?.StatusCode == status;
}
