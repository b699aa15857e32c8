using AdmissionLas.Registration;
using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>Checks that the registration exists and cannot block pods.</summary>
static class RegistrationCheck
{
    /// <summary>A webhook that hangs delays each pod by its timeout, once for each entry.</summary>
    const int MaxTimeoutSeconds = 5;

    const string Remedy = "run admission-las register again, or apply the manifests";

    internal static IReadOnlyList<Finding> Evaluate(V1MutatingWebhookConfiguration? registration, string name, string ownNamespace)
    {
        if (registration?.Webhooks is not { Count: > 0 } entries)
        {
            return [Finding.Failed(
                $"the webhook is not registered: there is no MutatingWebhookConfiguration {name}",
                "run admission-las register, or choose another with --name")];
        }

        Finding[] faults = [.. entries.SelectMany(e => Faults(e, ownNamespace))];
        return faults.Length > 0 ? faults : [Finding.Ok($"the registration {name} has the safe settings: {string.Join(", ", entries.Select(e => e.Name))}")];
    }

    /// <summary>The registration as it was called before it sorted last; an update by <c>kubectl apply</c> leaves it behind.</summary>
    internal static IEnumerable<Finding> OfEarlierVersion(V1MutatingWebhookConfiguration? found)
    {
        if (found?.Metadata.Labels?.TryGetValue(RegistrationKeys.App, out var app) == true && app == ObjectNames.Webhook)
        {
            yield return Finding.Failed(
                $"the registration {ObjectNames.Webhook} of an earlier version is there too, so each step costs two calls",
                $"kubectl delete mutatingwebhookconfiguration {ObjectNames.Webhook}");
        }
    }

    static IEnumerable<Finding> Faults(V1MutatingWebhook entry, string ownNamespace)
    {
        if (entry.FailurePolicy != "Ignore")
        {
            yield return Failed(entry, $"has failurePolicy {entry.FailurePolicy}: when the webhook is down, no pod is created");
        }

        if (entry.TimeoutSeconds is not <= MaxTimeoutSeconds)
        {
            yield return Failed(entry, $"has timeoutSeconds {entry.TimeoutSeconds}: a webhook that hangs delays each pod by that long");
        }

        if (entry.SideEffects is not ("None" or "NoneOnDryRun"))
        {
            yield return Failed(entry, $"has sideEffects {entry.SideEffects}: the API server refuses dry runs");
        }

        if (entry.NamespaceSelector.Matches(new Dictionary<string, string> { [RegistrationKeys.NamespaceName] = "any-namespace" }))
        {
            yield return Failed(entry, $"matches pods of namespaces that did not opt in with {RegistrationKeys.OptIn}={RegistrationKeys.OptedIn}");
        }

        foreach (var ns in RegistrationKeys.NeverIn(ownNamespace).Where(n => entry.NamespaceSelector.Matches(
            new Dictionary<string, string> { [RegistrationKeys.NamespaceName] = n, [RegistrationKeys.OptIn] = RegistrationKeys.OptedIn })))
        {
            yield return Failed(entry, $"would match the pods of {ns} if that namespace were labelled");
        }

        if ((entry.Rules ?? []).Any(r => !(r.Operations ?? []).SequenceEqual(["CREATE"]) || !(r.Resources ?? []).SequenceEqual(["pods"])))
        {
            yield return Failed(entry, "matches more than the creation of pods");
        }
    }

    static Finding Failed(V1MutatingWebhook entry, string what) => Finding.Failed($"the registration's {entry.Name} {what}", Remedy);
}
