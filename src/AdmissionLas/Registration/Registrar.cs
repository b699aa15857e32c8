using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace AdmissionLas.Registration;

/// <summary>The registration in the API server.</summary>
sealed class Registrar(IKubernetes api, string name)
{
    const string FieldManager = "admission-las";
    const string DryRun = "All";
    const int Attempts = 5;

    /// <summary>Reads it as it is; <see langword="null"/> when there is none.</summary>
    internal async Task<V1MutatingWebhookConfiguration?> ReadAsync(CancellationToken stop)
    {
        try
        {
            return await api.AdmissionregistrationV1.ReadMutatingWebhookConfigurationAsync(name, cancellationToken: stop).ConfigureAwait(false);
        }
        catch (HttpOperationException fault) when (fault.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

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
        var stored = await api.AdmissionregistrationV1.CreateMutatingWebhookConfigurationAsync(
            KubernetesJson.Deserialize<V1MutatingWebhookConfiguration>(probe.ToJsonString()), dryRun: DryRun, cancellationToken: stop).ConfigureAwait(false);
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
                var after = await PatchAsync(before is null ? new V1Patch(wanted.ToJsonString(), V1Patch.PatchType.ApplyPatch) : Change(wanted, before), before is null, isDryRun, stop).ConfigureAwait(false);
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
        api.AdmissionregistrationV1.DeleteMutatingWebhookConfigurationAsync(
            name, new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = read.Metadata.Uid } }, cancellationToken: stop);

    // The whole list in one piece, and only onto what was read. Server-side apply would leave entries and selectors in place that another
    // field manager holds on to, such as kubectl's or the rotation's, and the registration would be a mixture.
    static V1Patch Change(JsonObject wanted, V1MutatingWebhookConfiguration before)
    {
        var change = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = before.Metadata.ResourceVersion, ["labels"] = wanted["metadata"]!["labels"]!.DeepClone() },
            ["webhooks"] = wanted["webhooks"]!.DeepClone(),
        };
        return new V1Patch(change.ToJsonString(), V1Patch.PatchType.MergePatch);
    }

    Task<V1MutatingWebhookConfiguration> PatchAsync(V1Patch patch, bool isApply, bool isDryRun, CancellationToken stop) =>
        api.AdmissionregistrationV1.PatchMutatingWebhookConfigurationAsync(
            patch, name, isDryRun ? DryRun : null, FieldManager, force: isApply ? true : null, cancellationToken: stop);
}
