using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>The defaults that the API server sets before it calls a webhook, and the values that are known only when a pipeline runs.</summary>
static class ApiServerDefaults
{
    const string Placeholder = "{{";

    /// <summary>Copies limits to missing requests, and removes amounts that are filled in at run time.</summary>
    internal static void Apply(JsonObject pod, List<string> notes)
    {
        foreach (var (key, value) in pod.Object("metadata").Object("labels") ?? [])
        {
            if (IsPlaceholder(value))
            {
                notes.Add($"the label {key} is set when it runs: {value}");
            }
        }

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
        if (resources.Object(which) is not { } amounts)
        {
            return;
        }

        foreach (var (name, value) in amounts.Where(a => IsPlaceholder(a.Value)).ToArray())
        {
            amounts.Remove(name);
            notes.Add($"the {name} {which[..^1]} of container {container.Text("name") ?? "main"} is set when it runs ({value}) and counts as none here");
        }
    }

    static bool IsPlaceholder(JsonNode? value) =>
        value is JsonValue text && text.GetValueKind() == JsonValueKind.String && text.GetValue<string>().Contains(Placeholder, StringComparison.Ordinal);
}
