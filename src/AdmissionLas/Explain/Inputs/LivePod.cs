using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>A pod of the cluster, turned back into what its author wrote, so that it can be decided on as if it came now.</summary>
static class LivePod
{
    const string RequiredMember = "requiredDuringSchedulingIgnoredDuringExecution";
    const string PreferredMember = "preferredDuringSchedulingIgnoredDuringExecution";

    /// <summary>The pod's uid.</summary>
    internal static string? Uid(JsonObject pod) => pod.Object("metadata").Text("uid");

    /// <summary>The step, with notes of what is known of its past.</summary>
    internal static InputStep AsReviewed(JsonObject live)
    {
        var pod = live.DeepClone().AsObject();
        var notes = new List<string>();
        var annotations = pod.Object("metadata").Object("annotations");
        if (pod.Object("spec").Text("nodeName") is { } node)
        {
            notes.Add($"it runs on {node}; what stands here is what would be decided now");
            pod.Object("spec")!.Remove("nodeName");
        }

        var record = PlacementRecord.TryRead(annotations.Text(PodHints.RecordKey));
        var decision = annotations.Text(PodHints.DecisionKey);
        notes.Add(record is null && decision is null
            ? "it has no decision: it was created without the webhook, or is no step"
            : $"when it was created: {decision ?? record!.Outcome}");
        if (record is not null)
        {
            pod = WithoutOurs(pod);
            annotations = pod.Object("metadata").Object("annotations");
        }
        else if (decision is not null)
        {
            UndoUnrecorded(pod, annotations.Text(PodHints.AssumedKey)?.Split('/')[0]);
        }

        foreach (var ours in (string[])[PodHints.DecisionKey, PodHints.RecordKey, PodHints.AssumedKey])
        {
            annotations?.Remove(ours);
        }

        pod.Remove("status");
        var metadata = pod.Object("metadata");
        return new InputStep(metadata.Text("name") ?? "pod", $"the pod {metadata.Text("namespace")}/{metadata.Text("name")} as it is", 0, pod, notes);
    }

    /// <summary>The pod without what its record says is ours, as far as that is still there.</summary>
    static JsonObject WithoutOurs(JsonObject pod)
    {
        var body = SampleReview.Of(pod.DeepClone().AsObject(), StepExplainer.ReviewUid).ToJsonString();
        return CompiledSettings.Default.Reader.Read(Encoding.UTF8.GetBytes(body)).Pod is { Earlier: not null } admitted
            ? PatchApplier.Apply(pod, StepExplainer.Patch(new Decision { Outcome = Outcome.OptedOut, Step = new Step(null, "") }, "", admitted))
            : pod;
    }

    /// <summary>
    /// Takes our terms out of a pod that an earlier version decided on, which left no record. They stand behind the author's: preferred terms
    /// that ask one thing, and a last requirement of host names that includes the node decided on. Requests stay: nothing sets them apart from the author's.
    /// </summary>
    static void UndoUnrecorded(JsonObject pod, string? assumedNode)
    {
        if (pod.Object("spec").Object("affinity").Object("nodeAffinity") is not { } affinity)
        {
            return;
        }

        HashSet<string> named = assumedNode is null ? [] : [assumedNode];
        var preferred = affinity[PreferredMember] as JsonArray ?? [];
        while (preferred.Count > 0 && Only(preferred[^1] as JsonObject) is { } requirement && requirement.Text("operator") == "In")
        {
            named.UnionWith(Values(requirement));
            preferred.RemoveAt(preferred.Count - 1);
        }

        RemoveRequirement(affinity, e => IsHostnames(e) && Values(e).Any(named.Contains));

        static JsonObject? Only(JsonObject? term) =>
            term.Object("preference").Objects("matchExpressions").Concat(term.Object("preference").Objects("matchFields")).ToArray() is [var only] ? only : null;
    }

    static bool IsHostnames(JsonNode? requirement) => requirement.Text("key") == NodeSelectorTerm.HostnameKey && requirement.Text("operator") == "In";

    static IEnumerable<string> Values(JsonNode? requirement) => (requirement?["values"] as JsonArray ?? []).Select(v => $"{v}");

    // From each term, which it was added to last. What is empty after that goes too.
    static void RemoveRequirement(JsonObject affinity, Func<JsonNode?, bool> isOurs)
    {
        foreach (var term in affinity.Object(RequiredMember).Objects("nodeSelectorTerms"))
        {
            if (term["matchExpressions"] is JsonArray { Count: > 0 } expressions && isOurs(expressions[^1]))
            {
                expressions.RemoveAt(expressions.Count - 1);
                if (expressions.Count == 0)
                {
                    term.Remove("matchExpressions");
                }
            }
        }

        if (affinity[PreferredMember] is JsonArray { Count: 0 })
        {
            affinity.Remove(PreferredMember);
        }

        if (affinity.Object(RequiredMember).Objects("nodeSelectorTerms").All(t => t.Count == 0))
        {
            affinity.Remove(RequiredMember);
        }
    }
}
