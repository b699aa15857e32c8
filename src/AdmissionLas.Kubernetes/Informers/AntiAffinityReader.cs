namespace AdmissionLas.Kubernetes;

/// <summary>Reads a pod's required anti-affinity. Terms that select no pod are left out.</summary>
static class AntiAffinityReader
{
    // No honest pod has more. Further or longer terms are not read: each one takes memory, and every user who creates pods can write them.
    const int MaxTerms = 16;
    const int MaxTermLength = 4096;

    /// <summary>Reads the terms.</summary>
    internal static IReadOnlyList<AntiAffinityTerm> Read(JsonElement pod)
    {
        var terms = pod.Member("spec").Member("affinity").Member("podAntiAffinity").Member("requiredDuringSchedulingIgnoredDuringExecution");
        return terms.ValueKind != JsonValueKind.Array ? [] : [.. terms.Items().Take(MaxTerms).Select(t => Term(t, ObjectMetadata.Namespace(pod) ?? "")).OfType<AntiAffinityTerm>()];
    }

    // A term without a selector selects no pod. What the API server makes of matchLabelKeys stands in the selector.
    static AntiAffinityTerm? Term(JsonElement term, string ownNamespace)
    {
        if (term.Member("labelSelector").ValueKind != JsonValueKind.Object || term.Member("topologyKey").Text() is not { Length: > 0 } topologyKey ||
            term.GetRawText() is not { Length: <= MaxTermLength } text)
        {
            return null;
        }

        string[] namespaces = [.. term.Member("namespaces").Items().Select(n => n.Text()).OfType<string>()];
        var selector = term.Member("namespaceSelector").ValueKind == JsonValueKind.Object ? Selector(term.Member("namespaceSelector")) : null;
        return new AntiAffinityTerm($"{ownNamespace} {text}", topologyKey, Selector(term.Member("labelSelector")), namespaces is [] && selector is null ? [ownNamespace] : namespaces, selector);
    }

    static NodeSelectorRequirement[] Selector(JsonElement selector) =>
    [
        .. selector.Member("matchLabels").Members().Select(l => new NodeSelectorRequirement(l.Name, SelectorOperator.In, [l.Value.Text() ?? ""])),
        .. selector.Member("matchExpressions").Items().Where(e => Enum.TryParse<SelectorOperator>(e.Member("operator").Text(), out _)).Select(e => new NodeSelectorRequirement(
            e.Member("key").Text() ?? "", Enum.Parse<SelectorOperator>(e.Member("operator").Text()!), [.. e.Member("values").Items().Select(v => v.Text() ?? "")])),
    ];
}
