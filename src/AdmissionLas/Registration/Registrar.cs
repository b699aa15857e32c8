using System.Net;
using k8s.Autorest;
using k8s.Models;

namespace AdmissionLas.Registration;

/// <summary>Reads, writes and deletes the registration in the API server.</summary>
sealed class Registrar(KubeApi api, string name)
{
    const string FieldManager = ObjectNames.Webhook;
    const int MaxAttempts = 5;

    /// <summary>Reads the registration; <see langword="null"/> when there is none.</summary>
    internal Task<V1MutatingWebhookConfiguration?> ReadAsync(CancellationToken stop) => api.FindAsync(ObjectKinds.Registrations, null, name, stop);

    /// <summary>Reads the registration and checks that it is ours.</summary>
    /// <exception cref="InvalidDataException">It lacks our label.</exception>
    internal async Task<V1MutatingWebhookConfiguration?> ReadOursAsync(CancellationToken stop)
    {
        var found = await ReadAsync(stop).ConfigureAwait(false);
        return found is null || found.Metadata.Labels?.TryGetValue(RegistrationKeys.App, out var app) == true && app == ObjectNames.Webhook
            ? found
            : throw new InvalidDataException(
                $"the MutatingWebhookConfiguration {name} does not belong to AdmissionLas: it lacks the label {RegistrationKeys.App}={ObjectNames.Webhook}; "
                + "choose another --name, or change that one yourself");
    }

    /// <summary>
    /// Whether the API server knows <c>matchConditions</c>: a dry-run create returns what would be stored, and a server that does not know the
    /// field drops it. The version does not say: the field was behind a feature gate at first.
    /// </summary>
    internal async Task<bool> KnowsMatchConditionsAsync(RegistrationChoices choices, CancellationToken stop)
    {
        var probe = RegistrationTemplate.Fill(choices with { Name = "", IsEveryPod = false, HasMatchConditions = true });
        probe["metadata"] = new JsonObject { ["generateName"] = "admission-las-probe-" };
        var stored = await api.CreateAsync(ObjectKinds.Registrations, null, probe.Deserialize(ObjectKinds.Registrations.Json)!, stop, isDryRun: true).ConfigureAwait(false);
        return stored.Webhooks[0].MatchConditions is { Count: > 0 };
    }

    /// <summary>
    /// Creates the registration or changes it to the choices. Without a bundle among them the registered one stays: the rotation owns it.
    /// </summary>
    /// <returns>What is registered now, or with a dry run would be, and whether that is a change.</returns>
    /// <exception cref="InvalidDataException">A registration of that name exists and lacks our label.</exception>
    internal async Task<(V1MutatingWebhookConfiguration Registered, bool IsChanged)> ApplyAsync(RegistrationChoices choices, bool isDryRun, CancellationToken stop)
    {
        for (var attempt = 1; ; attempt++)
        {
            var before = await ReadOursAsync(stop).ConfigureAwait(false);
            var wanted = Wanted(choices, before);
            try
            {
                var patch = before is null ? ObjectPatch.Apply(wanted.ToJsonString()) : Change(wanted, before);
                var after = await api.PatchAsync(ObjectKinds.Registrations, name, patch, FieldManager, stop, isDryRun).ConfigureAwait(false);
                return (after, before is null || isDryRun || after.Metadata.ResourceVersion != before.Metadata.ResourceVersion);
            }
            // It changed since it was read: a rotation may have replaced the bundle.
            catch (HttpOperationException fault) when (fault.Response.StatusCode == HttpStatusCode.Conflict && attempt < MaxAttempts)
            {
            }
        }
    }

    /// <summary>The registration that the choices ask for, with the bundle of the existing one where they give none.</summary>
    internal static JsonObject Wanted(RegistrationChoices choices, V1MutatingWebhookConfiguration? before)
    {
        var wanted = RegistrationTemplate.Fill(choices);
        if (choices.CaBundle is null && before?.Webhooks is { Count: > 0 } entries)
        {
            foreach (var entry in wanted["webhooks"]!.AsArray().Select(e => e!.AsObject()))
            {
                var same = entries.FirstOrDefault(e => e.Name == (string?)entry["name"]) ?? entries[0];
                if (same.ClientConfig.CaBundle is { Length: > 0 } bundle)
                {
                    entry["clientConfig"]!["caBundle"] = Convert.ToBase64String(bundle);
                }
            }
        }

        return wanted;
    }

    /// <summary>Deletes the registration that was read, and not one that replaced it since.</summary>
    internal Task DeleteAsync(V1MutatingWebhookConfiguration read, CancellationToken stop) =>
        api.DeleteAsync(ObjectKinds.Registrations, name, read.Metadata.Uid, stop);

    // Replaces the whole list, on the version that was read only. Server-side apply would keep entries and selectors that another field
    // manager owns, such as kubectl or the rotation, and the registration would be a mixture.
    static ObjectPatch Change(JsonObject wanted, V1MutatingWebhookConfiguration before)
    {
        var change = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = before.Metadata.ResourceVersion, ["labels"] = wanted["metadata"]!["labels"]!.DeepClone() },
            ["webhooks"] = wanted["webhooks"]!.DeepClone(),
        };
        return ObjectPatch.Merge(change.ToJsonString());
    }
}
