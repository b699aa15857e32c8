using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>
/// What the API server's own admission plugins Priority and RuntimeClass put into a pod before a webhook sees it: the fields of the classes that the
/// pod names, or of the default priority class.
/// </summary>
/// <remarks>
/// Sources: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/, https://kubernetes.io/docs/concepts/containers/runtime-class/#scheduling
/// and https://kubernetes.io/docs/concepts/scheduling-eviction/pod-overhead/.
/// </remarks>
static class AdmissionClasses
{
    /// <summary>The step with the classes' fields in its pod, and notes of those classes that are not known.</summary>
    /// <param name="step">The step.</param>
    /// <param name="known">Objects among which the classes are looked for.</param>
    internal static InputStep Resolve(InputStep step, IReadOnlyList<JsonObject> known)
    {
        var pod = step.Pod.DeepClone().AsObject();
        List<string> notes = [.. step.Notes];
        if (pod.Object("spec") is { } spec)
        {
            AddPriority(spec, known, notes);
            AddRuntime(spec, known, notes);
        }

        return step with { Pod = pod, Notes = notes };
    }

    static void AddPriority(JsonObject spec, IReadOnlyList<JsonObject> known, List<string> notes)
    {
        if (spec["priority"] is not null)
        {
            return;
        }

        var name = spec.Text("priorityClassName");
        var found = name is not null
            ? Find(known, ClusterSnapshot.PriorityKind, name)
            : Of(known, ClusterSnapshot.PriorityKind).Where(c => Workload.IsTrue(c, "globalDefault")).MinBy(Value);
        if (found is not null)
        {
            spec["priority"] = Value(found);
            if (!spec.ContainsKey("preemptionPolicy"))
            {
                spec.With(found, "preemptionPolicy");
            }
        }
        else if (name is not null)
        {
            notes.Add($"its priority class {name} is not known here and does not count; with a priority above zero it is kept to near nodes only while these have room to spare");
        }
    }

    static void AddRuntime(JsonObject spec, IReadOnlyList<JsonObject> known, List<string> notes)
    {
        if (spec.Text("runtimeClassName") is not { } name)
        {
            return;
        }

        if (Find(known, ClusterSnapshot.RuntimeKind, name) is not { } found)
        {
            notes.Add($"its runtime class {name} is not known here and does not count; it may add to what the pod asks for, and to its node selector and tolerations");
            return;
        }

        if (!spec.ContainsKey("overhead"))
        {
            spec.With(found.Object("overhead"), "podFixed", "overhead");
        }

        var scheduling = found.Object("scheduling");
        spec.Put("nodeSelector", new JsonObject().With(scheduling.Object("nodeSelector")).With(spec.Object("nodeSelector")));
        var own = spec.Objects("tolerations").ToArray();
        var added = scheduling.Objects("tolerations").Where(t => !own.Any(o => JsonNode.DeepEquals(o, t)));
        spec.Put("tolerations", new JsonArray([.. own.Concat(added).Select(t => t.DeepClone())]));
    }

    static IEnumerable<JsonObject> Of(IReadOnlyList<JsonObject> known, string kind) => known.Where(o => o.Text("kind") == kind);

    static JsonObject? Find(IReadOnlyList<JsonObject> known, string kind, string name) => Of(known, kind).FirstOrDefault(o => o.Object("metadata").Text("name") == name);

    static int Value(JsonObject priority) => int.TryParse(priority["value"]?.ToJsonString(), CultureInfo.InvariantCulture, out var value) ? value : 0;
}
