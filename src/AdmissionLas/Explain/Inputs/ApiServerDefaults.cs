using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>The defaults that the API server sets before it calls a webhook, and the values that are known only when a pipeline runs.</summary>
static class ApiServerDefaults
{
    /// <summary>Copies limits to missing requests, and removes amounts that are filled in at run time.</summary>
    internal static void Apply(JsonObject pod, List<string> notes)
    {
        notes.AddRange((pod.Object("metadata").Object("labels") ?? []).Where(l => IsPlaceholder(l.Value))
            .Select(l => $"the label {l.Key} is set when it runs: {l.Value}"));
        var spec = pod.Object("spec");
        foreach (var container in spec.Objects("initContainers").Concat(spec.Objects("containers")))
        {
            if (container.Object("resources") is not { } resources)
            {
                continue;
            }

            RemovePlaceholders(resources, "requests", container, notes);
            RemovePlaceholders(resources, "limits", container, notes);
            if (resources.Object("limits") is { Count: > 0 } limits && (resources["requests"] is null or JsonObject))
            {
                if (resources.Object("requests") is not { } requests)
                {
                    resources["requests"] = requests = [];
                }

                requests.With(limits, wins: false);
            }
        }
    }

    static void RemovePlaceholders(JsonObject resources, string which, JsonObject container, List<string> notes)
    {
        foreach (var (name, value) in (resources.Object(which) ?? []).Where(a => IsPlaceholder(a.Value)).ToArray())
        {
            resources.Object(which)!.Remove(name);
            notes.Add($"the {name} {which[..^1]} of container {container.Text("name") ?? "main"} is set when it runs ({value}) and counts as none here");
        }
    }

    // Of Argo or of Katib.
    static bool IsPlaceholder(JsonNode? value) =>
        value is JsonValue given && given.GetValueKind() == JsonValueKind.String && given.GetValue<string>() is var text &&
        (text.Contains("{{", StringComparison.Ordinal) || text.Contains("${", StringComparison.Ordinal));
}
