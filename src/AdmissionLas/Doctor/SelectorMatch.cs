using k8s.Models;

namespace AdmissionLas.Doctor;

/// <summary>Matches labels against a selector as the API server does; no selector matches everything.</summary>
static class SelectorMatch
{
    internal static bool Matches(this V1LabelSelector? selector, IReadOnlyDictionary<string, string> labels) =>
        selector is null ||
        ((selector.MatchLabels ?? new Dictionary<string, string>()).All(m => labels.TryGetValue(m.Key, out var value) && value == m.Value) &&
        (selector.MatchExpressions ?? []).All(e => Matches(e, labels)));

    static bool Matches(V1LabelSelectorRequirement requirement, IReadOnlyDictionary<string, string> labels)
    {
        var value = labels.GetValueOrDefault(requirement.Key);
        return requirement.OperatorProperty switch
        {
            "In" => value is not null && requirement.Values.Contains(value),
            "NotIn" => value is null || !requirement.Values.Contains(value),
            "Exists" => value is not null,
            "DoesNotExist" => value is null,
            _ => false,
        };
    }
}
