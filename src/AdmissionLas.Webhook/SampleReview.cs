using System.Text.Json.Nodes;

namespace AdmissionLas.Webhook;

/// <summary>Makes the review that the API server would send for a pod that somebody creates.</summary>
static class SampleReview
{
    /// <summary>Wraps the pod, which becomes part of the review.</summary>
    /// <param name="pod">The pod.</param>
    /// <param name="uid">The review's uid.</param>
    /// <param name="namespace">Where it is created; without it in the pod's own namespace, or else in <c>kubeflow</c>.</param>
    internal static JsonObject Of(JsonObject pod, string uid, string? @namespace = null) => new()
    {
        ["kind"] = "AdmissionReview",
        ["apiVersion"] = "admission.k8s.io/v1",
        ["request"] = new JsonObject
        {
            ["uid"] = uid,
            ["kind"] = new JsonObject { ["group"] = "", ["version"] = "v1", ["kind"] = "Pod" },
            ["resource"] = new JsonObject { ["group"] = "", ["version"] = "v1", ["resource"] = "pods" },
            ["requestKind"] = new JsonObject { ["group"] = "", ["version"] = "v1", ["kind"] = "Pod" },
            ["requestResource"] = new JsonObject { ["group"] = "", ["version"] = "v1", ["resource"] = "pods" },
            ["namespace"] = @namespace ?? pod["metadata"]?["namespace"]?.GetValue<string>() ?? "kubeflow",
            ["operation"] = "CREATE",
            ["userInfo"] = new JsonObject
            {
                ["username"] = "system:serviceaccount:kubeflow:argo",
                ["groups"] = new JsonArray("system:serviceaccounts", "system:serviceaccounts:kubeflow", "system:authenticated"),
            },
            ["object"] = pod,
            ["oldObject"] = null,
            ["dryRun"] = false,
            ["options"] = new JsonObject { ["kind"] = "CreateOptions", ["apiVersion"] = "meta.k8s.io/v1" },
        },
    };
}
