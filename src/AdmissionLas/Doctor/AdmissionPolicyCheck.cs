using System.Net;
using AdmissionLas.Configuration;
using k8s.Autorest;

namespace AdmissionLas.Doctor;

/// <summary>Checks that a stolen token of the rotation's service account is worth no more than the rotation: that its admission policy is in force.</summary>
static class AdmissionPolicyCheck
{
    const string Api = "apis/admissionregistration.k8s.io/v1";
    const string Policies = "validatingadmissionpolicies";
    const string Bindings = "validatingadmissionpolicybindings";
    const string Apply = "kubectl apply -f manifests/components/self-managed-certificates/admission-policy.yaml";

    internal static async Task<IReadOnlyList<Finding>> EvaluateAsync(KubeApi api, string ns, CancellationToken stop)
    {
        if (await api.FindAsync(ObjectKinds.ServiceAccounts, ns, ObjectNames.Rotation, stop).ConfigureAwait(false) is null)
        {
            return [];
        }

        var served = JsonObject.Create(await api.ReadAsync(Api, stop).ConfigureAwait(false));
        if (served?["resources"] is not JsonArray resources || !resources.Any(r => (r as JsonObject)?["name"]?.ToString() == Policies))
        {
            return [Finding.Ok($"admission policy of the certificates' rotation: this API server has none (Kubernetes 1.30 and newer do), so {Risk(ns)}")];
        }

        var shipped = Shipped(ns);
        return [Evaluate(
            ns, IsAsShipped(shipped[0], await FindAsync(api, Policies, stop).ConfigureAwait(false)), IsAsShipped(shipped[1], await FindAsync(api, Bindings, stop).ConfigureAwait(false)))];
    }

    /// <summary>What follows for an admin.</summary>
    /// <param name="ns">The namespace that AdmissionLas is installed in.</param>
    /// <param name="policy">Whether the policy is as shipped; <see langword="null"/> when there is none.</param>
    /// <param name="binding">The same of its binding.</param>
    internal static Finding Evaluate(string ns, bool? policy, bool? binding) => (policy, binding) switch
    {
        (true, true) => Finding.Ok("admission policy of the certificates' rotation: it may change the caBundle, its own Secrets and its Lease, and nothing else"),
        (null, _) or (_, null) => Finding.Warning($"admission policy of the certificates' rotation: it is not installed, so {Risk(ns)}", Apply),
        _ => Finding.Warning($"admission policy of the certificates' rotation: it is not that of this version, and may be too weak: {Risk(ns)}", Apply),
    };

    /// <summary>The policy and its binding, for the namespace that AdmissionLas is installed in.</summary>
    internal static IReadOnlyList<JsonObject> Shipped(string ns)
    {
        using var file = EmbeddedFiles.Open("certs/admission-policy.yaml");
        using var text = new StringReader(file.ReadToEnd()
            .Replace($"serviceaccount:{ObjectNames.Webhook}:", $"serviceaccount:{ns}:", StringComparison.Ordinal)
            .Replace($"request.namespace == \"{ObjectNames.Webhook}\"", $"request.namespace == \"{ns}\"", StringComparison.Ordinal));
        return [.. YamlJson.ReadObjects(text).Select(o => JsonObject.Create(o)!)];
    }

    /// <summary>Whether the installed object says what ours says, and nothing that would narrow it.</summary>
    internal static bool? IsAsShipped(JsonObject shipped, JsonObject? installed) => installed is null ? null : Includes(installed["spec"], shipped["spec"]);

    // The API server adds defaults: selectors that select everything, matchPolicy Equivalent, scope *.
    static bool Includes(JsonNode? installed, JsonNode? shipped) => (installed, shipped) switch
    {
        (JsonObject has, JsonObject wants) => wants.All(w => Includes(has[w.Key], w.Value)) && has.Where(h => !wants.ContainsKey(h.Key)).All(h => IsDefault(h.Value)),
        (JsonArray has, JsonArray wants) => has.Count == wants.Count && has.Zip(wants).All(p => Includes(p.First, p.Second)),
        _ => JsonNode.DeepEquals(installed, shipped),
    };

    static bool IsDefault(JsonNode? value) => value is JsonObject { Count: 0 } || value?.ToString() is "Equivalent" or "*";

    static string Risk(string ns) =>
        $"who steals a token of the service account {ns}/{ObjectNames.Rotation} can have the API server send every object anywhere, and become another account of this namespace";

    static async Task<JsonObject?> FindAsync(KubeApi api, string resource, CancellationToken stop)
    {
        try
        {
            return JsonObject.Create(await api.ReadAsync($"{Api}/{resource}/{ObjectNames.Rotation}", stop).ConfigureAwait(false));
        }
        catch (HttpOperationException fault) when (fault.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }
}
