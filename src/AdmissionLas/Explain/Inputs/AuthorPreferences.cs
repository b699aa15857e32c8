using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>
/// The preferred node affinity terms of the pod's author. A decision only adds to them, so the server does not read them; the scheduler adds their
/// weights to ours.
/// </summary>
static class AuthorPreferences
{
    /// <summary>The terms that the API server would accept.</summary>
    internal static IReadOnlyList<PreferredTerm> Of(JsonObject pod) =>
    [
        .. pod.Object("spec").Object("affinity").Object("nodeAffinity").Objects("preferredDuringSchedulingIgnoredDuringExecution")
            .Where(t => t.Amount("weight") is >= 1 and <= 100)
            .Select(t => new PreferredTerm((int)t.Amount("weight")!, new NodeSelectorTerm(
                Requirements(t.Object("preference"), "matchExpressions"), Requirements(t.Object("preference"), "matchFields")))),
    ];

    static NodeSelectorRequirement[] Requirements(JsonObject? term, string member) =>
    [
        .. term.Objects(member).Where(r => Enum.TryParse<SelectorOperator>(r.Text("operator"), out _)).Select(r => new NodeSelectorRequirement(
            r.Text("key") ?? "", Enum.Parse<SelectorOperator>(r.Text("operator")!),
            [.. (r["values"] as JsonArray ?? []).Where(v => v?.GetValueKind() == JsonValueKind.String).Select(v => v!.GetValue<string>())])),
    ];
}
