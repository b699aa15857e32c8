using System.Runtime.InteropServices;
using System.Text;

namespace AdmissionLas.Kubernetes;

/// <summary>Reads a pod's required anti-affinity. Terms that select no pod are left out.</summary>
static class AntiAffinityReader
{
    // Honest pods have less. What is beyond counts as unknown: it takes memory, and every user who creates pods can write it.
    const int MaxTerms = 8;
    const int MaxBytes = 2048;

    /// <summary>Reads it; <see langword="null"/> when it keeps no pod away.</summary>
    internal static PodAntiAffinity? Read(JsonElement pod)
    {
        var list = pod.Member("spec").Member("affinity").Member("podAntiAffinity").Member("requiredDuringSchedulingIgnoredDuringExecution");
        if (list.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var own = ObjectMetadata.Namespace(pod) ?? "";
        var terms = list.Items().Where(SelectsPods).Select(t => Term(t, own));
        var bytes = JsonMarshal.GetRawUtf8Value(list);
        return !terms.Any() ? null
            : list.GetArrayLength() > MaxTerms || bytes.Length > MaxBytes ? PodAntiAffinity.UnknownOf(terms)
            : new PodAntiAffinity($"{own} {Encoding.UTF8.GetString(bytes)}", [.. terms]);
    }

    // A term without a selector selects no pod. What the API server makes of matchLabelKeys and mismatchLabelKeys stands in the selector.
    static bool SelectsPods(JsonElement term) => term.Member("labelSelector").ValueKind == JsonValueKind.Object && term.Member("topologyKey").Text() is { Length: > 0 };

    static AntiAffinityTerm Term(JsonElement term, string ownNamespace)
    {
        string[] namespaces = [.. term.Member("namespaces").Items().Select(n => n.Text()).OfType<string>()];
        var selector = term.Member("namespaceSelector").ValueKind == JsonValueKind.Object ? Selector(term.Member("namespaceSelector")) : null;
        return new AntiAffinityTerm(term.Member("topologyKey").Text()!, Selector(term.Member("labelSelector")), namespaces is [] && selector is null ? [ownNamespace] : namespaces, selector);
    }

    static NodeSelectorRequirement[] Selector(JsonElement selector) =>
    [
        .. selector.Member("matchLabels").Members().Select(l => new NodeSelectorRequirement(l.Name, SelectorOperator.In, [l.Value.Text() ?? ""])),
        .. selector.Member("matchExpressions").Items().Where(e => Enum.TryParse<SelectorOperator>(e.Member("operator").Text(), out _)).Select(e => new NodeSelectorRequirement(
            e.Member("key").Text() ?? "", Enum.Parse<SelectorOperator>(e.Member("operator").Text()!), [.. e.Member("values").Items().Select(v => v.Text() ?? "")])),
    ];
}
