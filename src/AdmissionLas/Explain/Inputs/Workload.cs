using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>A Pod, and the objects that contain pod templates.</summary>
static class Workload
{
    /// <summary>A pod that a controller makes of a template.</summary>
    /// <param name="Owner">The object.</param>
    /// <param name="Role">Which of its pods it is: a task, a replica type; empty where all are alike.</param>
    /// <param name="Part">The part of the object that describes these pods alone, or else its spec.</param>
    /// <param name="Pod">The pod as the template has it.</param>
    /// <param name="Notes">What is to be said of it.</param>
    internal sealed record Made(InputObject Owner, string Role, JsonObject Part, JsonObject Pod, List<string> Notes)
    {
        internal JsonObject? Spec => Pod.Object("spec");

        internal void Label(params ReadOnlySpan<(string Key, string Value)> labels)
        {
            var metadata = Pod.Object("metadata");
            metadata?["labels"] ??= new JsonObject();
            foreach (var (key, value) in labels)
            {
                metadata.Object("labels")?[key] = value;
            }
        }
    }

    internal static StepInputs ReadPod(InputObject given)
    {
        var pod = given.Json.DeepClone().AsObject();
        if (pod.Object("metadata") is { } metadata && metadata.Text("namespace") is null)
        {
            metadata.With(given.Metadata(""), "namespace");
        }

        return new StepInputs([InputStep.Of(given.Document, given.Json, given.Name, given.Origin, pod)], [], []);
    }

    /// <summary>A reader of a kind with its templates at a path.</summary>
    /// <param name="path"><c>[]</c> stands for each item of a list, <c>{}</c> for each member of a map; the pods are called by their names.</param>
    /// <param name="finish">What the controller adds.</param>
    internal static Func<InputObject, StepInputs> At(string path, Action<Made>? finish = null) => owner => Read(owner, [("", path)], finish);

    /// <summary>Reads the templates at some paths, each for pods of a role.</summary>
    internal static StepInputs Read(InputObject owner, IEnumerable<(string Role, string Path)> paths, Action<Made>? finish)
    {
        List<InputStep> steps = [];
        List<InputProblem> problems = [];
        foreach (var (given, path) in paths)
        {
            foreach (var (role, part, template) in Templates(owner.Json, path, given, owner.Spec ?? owner.Json))
            {
                if (template is null)
                {
                    problems.Add(owner.Problem(part == owner.Spec ? owner.Json : part, $"the {owner.Kind} has no {path}", "its pods are made from it"));
                    continue;
                }

                var name = role.Length == 0 ? owner.Name : $"{owner.Name}-{role}";
                var made = new Made(owner, role, part, Pod(owner.Metadata(name).With(template.Object("metadata")), template["spec"]?.DeepClone()), []);
                finish?.Invoke(made);
                if (IsTrue(owner.Spec, "suspend") || IsTrue(owner.Spec.Object("runPolicy"), "suspend"))
                {
                    made.Notes.Add("it is suspended: its pods are made when it is resumed, and what resumes it may change them");
                }

                if (part["replicas"]?.ToJsonString() == "0")
                {
                    made.Notes.Add("it has 0 replicas: such a pod is made when it is scaled up");
                }

                steps.Add(InputStep.Of(owner.Document, template, name, owner.Origin, made.Pod, made.Notes));
            }
        }

        return steps.Count + problems.Count > 0 ? new StepInputs(steps, problems, []) : owner.PassedOver($"{owner.Origin} makes no pods of its own");
    }

    static IEnumerable<(string Role, JsonObject Part, JsonObject? Template)> Templates(JsonObject at, string path, string role, JsonObject part)
    {
        if (path.Split('.', 2) is not [var head, var rest])
        {
            return [(role, part, at.Object(path))];
        }

        (string Role, JsonObject At)[] next = head[^1] switch
        {
            ']' => [.. at.Objects(head[..^2]).Select((o, i) => (o.Text("name") ?? o.Text("groupName") ?? i.ToString(CultureInfo.InvariantCulture), o))],
            '}' => [.. at.Members(head[..^2]).Select(m => (string.Concat(m.Key.Select(char.ToLowerInvariant)), m.Value))],
            _ => at.Object(head) is { } member ? [(role, member)] : [],
        };
        return next.Length == 0 ? [(role, part, null)] : next.SelectMany(n => Templates(n.At, rest, n.Role, head[^1] is ']' or '}' ? n.At : part));
    }

    internal static JsonObject Pod(JsonObject metadata, JsonNode? spec) =>
        new() { ["apiVersion"] = "v1", ["kind"] = "Pod", ["metadata"] = metadata, ["spec"] = spec };

    internal static bool IsTrue(JsonObject? parent, string member) => parent?[member]?.ToJsonString() == "true";

    /// <summary>A container that a platform adds, with its requests.</summary>
    internal static JsonObject Container(string name, string cpu, string? memory = null)
    {
        var requests = new JsonObject { ["cpu"] = cpu };
        if (memory is not null)
        {
            requests["memory"] = memory;
        }

        return new() { ["name"] = name, ["resources"] = new JsonObject { ["requests"] = requests } };
    }

    /// <summary>Adds to a list of a pod's spec, which there need not be.</summary>
    internal static void Add(JsonObject? spec, string list, params IEnumerable<JsonNode> items)
    {
        foreach (var item in spec is null ? [] : items)
        {
            spec![list] ??= new JsonArray();
            (spec[list] as JsonArray)?.Add(item);
        }
    }

    internal static JsonObject ClaimVolume(string? claim) =>
        new() { ["name"] = claim ?? "claim", ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = claim ?? "claim" } };

    /// <summary>The volumes that the pods of an owner have for its claim templates.</summary>
    internal static IEnumerable<JsonObject> ClaimVolumes(JsonObject? owner, string list = "volumeClaimTemplates") =>
        owner.Objects(list).Select(c => ClaimVolume(c.Object("metadata").Text("name")));
}
