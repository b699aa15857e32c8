using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using AdmissionLas.Kubernetes;
using k8s.Autorest;
using k8s.Models;

namespace AdmissionLas.Registration;

/// <summary>The registration in the API server.</summary>
sealed class Registrar(KubeApi api, string name)
{
    const string FieldManager = "admission-las";
    const int Attempts = 5;

    /// <summary>Reads it as it is; <see langword="null"/> when there is none.</summary>
    internal Task<V1MutatingWebhookConfiguration?> ReadAsync(CancellationToken stop) => api.FindAsync(ObjectKinds.Registrations, null, name, stop);

    /// <summary>Reads it, unless it is somebody else's.</summary>
    /// <exception cref="InvalidDataException">It is.</exception>
    internal async Task<V1MutatingWebhookConfiguration?> ReadOursAsync(CancellationToken stop)
    {
        var found = await ReadAsync(stop).ConfigureAwait(false);
        return found is null || found.Metadata.Labels?.TryGetValue(RegistrationKeys.App, out var app) == true && app == RegistrationKeys.AppIsOurs
            ? found
            : throw new InvalidDataException(
                $"the MutatingWebhookConfiguration {name} is not ours, for it lacks the label {RegistrationKeys.App}={RegistrationKeys.AppIsOurs}; give another --name, or see to that one by hand");
    }

    /// <summary>
    /// Whether the API server knows <c>matchConditions</c>: a create that is only tried gives back what would be stored, and a server that
    /// does not know the field drops it. Versions do not tell: the field was behind a gate at first.
    /// </summary>
    internal async Task<bool> KnowsMatchConditionsAsync(RegistrationChoices choices, CancellationToken stop)
    {
        var probe = RegistrationTemplate.Fill(choices with { Name = "", IsEveryPod = false, HasMatchConditions = true });
        probe["metadata"] = new JsonObject { ["generateName"] = "admission-las-probe-" };
        var stored = await api.CreateAsync(ObjectKinds.Registrations, null, probe.Deserialize(ObjectKinds.Registrations.Json)!, stop, isDryRun: true).ConfigureAwait(false);
        return stored.Webhooks[0].MatchConditions is { Count: > 0 };
    }

    /// <summary>
    /// Makes the registration what the choices say. Without a bundle among them the one that is registered stays: whoever rotates the
    /// certificates sees to that.
    /// </summary>
    /// <returns>What is registered now, or would be, and whether that is a change.</returns>
    /// <exception cref="InvalidDataException">There is a registration of that name that is not ours.</exception>
    internal async Task<(V1MutatingWebhookConfiguration Registered, bool IsChanged)> ApplyAsync(RegistrationChoices choices, bool isDryRun, CancellationToken stop)
    {
        for (var attempt = 1; ; attempt++)
        {
            var before = await ReadOursAsync(stop).ConfigureAwait(false);
            var wanted = Wanted(choices, before);
            try
            {
                var after = await api.PatchAsync(
                    ObjectKinds.Registrations, name, before is null ? ObjectPatch.Apply(wanted.ToJsonString()) : Change(wanted, before), FieldManager, stop, isDryRun).ConfigureAwait(false);
                return (after, before is null || isDryRun || after.Metadata.ResourceVersion != before.Metadata.ResourceVersion);
            }
            // Somebody changed it since it was read, such as a rotation its bundle.
            catch (HttpOperationException fault) when (fault.Response.StatusCode == HttpStatusCode.Conflict && attempt < Attempts)
            {
            }
        }
    }

    /// <summary>The registration that the choices make of this one.</summary>
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

    /// <summary>Deletes the registration that was read, and no later one.</summary>
    internal Task DeleteAsync(V1MutatingWebhookConfiguration read, CancellationToken stop) =>
        api.DeleteAsync(ObjectKinds.Registrations, name, read.Metadata.Uid, stop);

    // The whole list in one piece, and only onto what was read. Server-side apply would leave entries and selectors in place that another
    // field manager holds on to, such as kubectl's or the rotation's, and the registration would be a mixture.
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
