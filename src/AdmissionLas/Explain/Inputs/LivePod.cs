using System.Globalization;
using System.Text.Json.Nodes;
using AdmissionLas.Placement;

namespace AdmissionLas.Explain;

/// <summary>A pod of the cluster, turned back into what its author wrote, so that it can be decided on as if it came now.</summary>
static class LivePod
{
    static readonly int[] OurWeights = [100, 99, 12, 6, 5, 2, 1];

    /// <summary>The pod's uid.</summary>
    internal static string? Uid(JsonObject pod) => pod.Object("metadata").Text("uid");

    /// <summary>The step, with notes of what is known of its past.</summary>
    internal static InputStep AsReviewed(JsonObject live)
    {
        var pod = live.DeepClone().AsObject();
        var notes = new List<string>();
        var annotations = pod.Object("metadata").Object("annotations");
        var decision = annotations.Text(PodHints.DecisionKey);
        if (pod.Object("spec").Text("nodeName") is { } node)
        {
            notes.Add($"it runs on {node}; what stands here is what would be decided now");
            pod.Object("spec")!.Remove("nodeName");
        }

        if (decision is not null)
        {
            notes.Add($"when it was created: {decision}");
            Undo(pod);
        }
        else
        {
            notes.Add("it has no decision: it was created without the webhook, or is no step");
        }

        annotations?.Remove(PodHints.DecisionKey);
        annotations?.Remove(PodHints.AssumedKey);
        pod.Remove("status");
        var metadata = pod.Object("metadata");
        return new InputStep(metadata.Text("name") ?? "pod", string.Create(CultureInfo.InvariantCulture, $"the pod {metadata.Text("namespace")}/{metadata.Text("name")} as it is"), 0, pod, notes);
    }

    /// <summary>
    /// Takes our terms out again. They stand behind the author's, each names one node or one label, and their weights are ours; requests
    /// that we gave stay, since nobody can tell them from the author's.
    /// </summary>
    static void Undo(JsonObject pod)
    {
        var affinity = pod.Object("spec").Object("affinity").Object("nodeAffinity");
        if (affinity?["preferredDuringSchedulingIgnoredDuringExecution"] is JsonArray preferred)
        {
            while (preferred.Count > 0 && preferred[^1] is JsonObject last && IsOurs(last))
            {
                preferred.RemoveAt(preferred.Count - 1);
            }

            if (preferred.Count == 0)
            {
                affinity.Remove("preferredDuringSchedulingIgnoredDuringExecution");
            }
        }

        // The modes that require nodes say so in the decision.
        var decision = pod.Object("metadata").Object("annotations").Text(PodHints.DecisionKey) ?? "";
        if (decision.Contains("; pinned to ", StringComparison.Ordinal) || decision.Contains(", no others", StringComparison.Ordinal))
        {
            Unpin(affinity);
        }
    }

    static bool IsOurs(JsonObject term) =>
        term.Amount("weight") is { } weight && OurWeights.Contains((int)weight) &&
        term.Object("preference").Objects("matchExpressions").Concat(term.Object("preference").Objects("matchFields")).ToArray() is [var only] && only.Text("operator") == "In";

    static void Unpin(JsonObject? affinity)
    {
        const string required = "requiredDuringSchedulingIgnoredDuringExecution";
        foreach (var term in affinity.Object(required).Objects("nodeSelectorTerms").ToArray())
        {
            if (term["matchExpressions"] is JsonArray { Count: > 0 } expressions && expressions[^1].Text("key") == NodeSelectorTerm.HostnameKey)
            {
                expressions.RemoveAt(expressions.Count - 1);
                if (expressions.Count == 0)
                {
                    term.Remove("matchExpressions");
                }
            }
        }

        if (affinity.Object(required).Objects("nodeSelectorTerms").All(t => t.Count == 0))
        {
            affinity?.Remove(required);
        }
    }
}
