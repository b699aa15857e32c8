using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>Kubernetes' strategic merge patch for pods, and for the types in which a platform keeps parts of them.</summary>
/// <remarks>
/// Source: sig-api-machinery/strategic-merge-patch.md of kubernetes/community; which lists merge is told by patchMergeKey in k8s.io/api/core/v1 and
/// in Argo's workflow_types.go. All other lists are replaced.
/// </remarks>
sealed class StrategicMerge
{
    readonly Dictionary<string, string> keys;
    readonly bool nullRemoves;

    StrategicMerge(bool nullRemoves, params ReadOnlySpan<(string List, string Key)> more)
    {
        this.nullRemoves = nullRemoves;
        keys = new() { ["initContainers"] = "name", ["volumes"] = "name", ["volumeMounts"] = "mountPath", ["env"] = "name", ["ports"] = "containerPort" };
        foreach (var (list, key) in more)
        {
            keys[list] = key;
        }
    }

    /// <summary>For a pod, a container or a JobSet.</summary>
    internal static StrategicMerge Pod { get; } = new(
        true, ("containers", "name"), ("topologySpreadConstraints", "topologyKey"), ("resourceClaims", "name"), ("schedulingGates", "name"), ("replicatedJobs", "name"));

    /// <summary>For the templates and the spec of an Argo Workflow, which have no null once Argo has read them.</summary>
    internal static StrategicMerge Argo { get; } = new(false, ("sidecars", "name"), ("tolerations", "key"), ("parameters", "name"));

    /// <summary>Merges a patch into an object, and returns it.</summary>
    internal JsonObject Into(JsonObject target, JsonObject? patch)
    {
        foreach (var (name, value) in patch ?? [])
        {
            if (value is null)
            {
                _ = nullRemoves && target.Remove(name);
            }
            else if (value is JsonObject members && target.Object(name) is { } old && members.Text("$patch") != "replace")
            {
                Into(old, members);
            }
            else if (value is JsonArray items && keys.TryGetValue(name, out var key) && target[name] is JsonArray list)
            {
                Into(list, items, key);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }

        return target;
    }

    void Into(JsonArray target, JsonArray patch, string key)
    {
        var byKey = target.OfType<JsonObject>().Where(i => i[key] is not null).DistinctBy(i => i[key]!.ToJsonString()).ToDictionary(i => i[key]!.ToJsonString());
        foreach (var item in patch.OfType<JsonObject>())
        {
            var old = item[key] is { } id ? byKey.GetValueOrDefault(id.ToJsonString()) : null;
            if (item.Text("$patch") == "delete")
            {
                target.Remove(old);
            }
            else if (old is null)
            {
                target.Add(item.DeepClone());
            }
            else
            {
                Into(old, item);
            }
        }
    }
}
