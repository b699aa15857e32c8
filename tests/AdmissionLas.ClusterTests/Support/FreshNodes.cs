using System.Text.Json;

namespace AdmissionLas.ClusterTests.Support;

/// <summary>The nodes as a list says now, beside those that a webhook knows.</summary>
static class FreshNodes
{
    internal static Task EqualsAsync(ApiServer api, ClusterState state, string who) => Eventually.IsTrueAsync($"{who} knows the nodes as a fresh list says", async () =>
    {
        NodeFacts[] fresh = [.. (await api.GetAsync("/api/v1/nodes"))["items"]!.AsArray().Select(n => NodeReader.Read(n!.Deserialize<JsonElement>())!).OrderBy(n => n.Name, StringComparer.Ordinal)];
        return state.Current is { } view && view.Nodes.SequenceEqual(fresh);
    });
}
