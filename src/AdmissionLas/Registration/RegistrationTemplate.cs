using AdmissionLas.Configuration;

namespace AdmissionLas.Registration;

/// <summary>Fills an admin's choices into manifests/base/mutating-webhook.yaml, the registration that kustomize applies.</summary>
static class RegistrationTemplate
{
    internal static JsonObject Fill(RegistrationChoices choices)
    {
        using var text = EmbeddedFiles.Open("base/mutating-webhook.yaml");
        var registration = JsonObject.Create(YamlJson.ReadObjects(text)[0])!;
        registration["metadata"]!["name"] = choices.Name;
        var entries = registration["webhooks"]!.AsArray();
        if (choices.IsEveryPod || choices.HasMatchConditions)
        {
            // The second entry is only for the "or" that a selector cannot say.
            entries.RemoveAt(1);
            entries[0]!.AsObject().Remove("objectSelector");
        }

        if (choices.HasMatchConditions && !choices.IsEveryPod)
        {
            entries[0]!["matchConditions"] = new JsonArray(new JsonObject { ["name"] = "says-what-it-is", ["expression"] = SaysWhatItIs(choices.ComponentLabel) });
        }

        foreach (var entry in entries.Select(e => e!.AsObject()))
        {
            entry["clientConfig"] = ClientConfig(choices, (string?)entry["clientConfig"]!["service"]!["path"]);
            var neverOurs = Expressions(entry, "namespaceSelector").First(e => (string?)e["key"] == RegistrationKeys.NamespaceName);
            neverOurs["values"] = new JsonArray([.. RegistrationKeys.NeverIn(choices.Namespace).Select(n => JsonValue.Create(n))]);
            foreach (var expression in Expressions(entry, "objectSelector").Where(e => (string?)e["key"] == StepOptions.DefaultComponentLabel))
            {
                expression["key"] = choices.ComponentLabel;
            }
        }

        return registration;
    }

    /// <summary>
    /// The condition in CEL. Unlike a selector it sees annotations as well; a pod may have neither map.
    /// Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-matchconditions.
    /// </summary>
    static string SaysWhatItIs(string componentLabel) =>
        $"(has(object.metadata.labels) && ('{componentLabel}' in object.metadata.labels || '{StepRules.ComponentKey}' in object.metadata.labels)) || " +
        $"(has(object.metadata.annotations) && '{StepRules.ComponentKey}' in object.metadata.annotations)";

    static JsonObject ClientConfig(RegistrationChoices choices, string? path)
    {
        JsonObject config = choices.Address switch
        {
            WebhookAddress.Url url => new() { ["url"] = url.Value.AbsoluteUri },
            WebhookAddress.Service service => new()
            {
                ["service"] = new JsonObject { ["namespace"] = service.Namespace, ["name"] = service.Name, ["path"] = path, ["port"] = service.Port },
            },
            _ => throw new InvalidOperationException($"no client configuration for {choices.Address}"),
        };
        if (choices.CaBundle is { Length: > 0 } bundle)
        {
            config["caBundle"] = Convert.ToBase64String(bundle);
        }

        return config;
    }

    static IEnumerable<JsonObject> Expressions(JsonObject entry, string selector) =>
        (entry[selector]?["matchExpressions"] as JsonArray ?? []).OfType<JsonObject>();
}
