using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>
/// An Argo Workflow, as Kubeflow Pipelines v1 compiles it. The walk begins at the entry point, because a step's pod carries its path in the
/// workflow and rules can match it.
/// </summary>
/// <remarks>
/// Source: argoproj/argo-workflows, workflow/controller/workflowpod.go, agent.go and operator.go (mergedTemplateDefaultsInto), and docs/fields.md.
/// </remarks>
sealed class ArgoWorkflow
{
    internal const string Group = "argoproj.io";

    /// <summary>Values that name one another grow without end.</summary>
    const int LongestPatch = 100_000;

    static readonly string[] RunsAPod = ["container", "script", "containerSet", "resource", "data"];

    // Run by one pod for the whole workflow, the agent.
    static readonly string[] RunsInTheAgent = ["http", "plugin"];

    // A template has one of these. What the defaults hold for another type does not apply.
    static readonly string[] Types = [.. RunsAPod, .. RunsInTheAgent, "dag", "steps", "suspend"];

    readonly InputObject workflow;
    readonly JsonObject own;
    readonly JsonObject spec;
    readonly Scope home;
    readonly string origin;
    readonly Dictionary<InputObject, Scope> scopes = [];
    readonly Dictionary<string, JsonObject?> patches = new(StringComparer.Ordinal);
    readonly HashSet<string> reached = new(StringComparer.Ordinal);
    readonly List<InputStep> steps = [];
    readonly List<InputProblem> problems = [];
    int visits;
    bool hasAgent;

    ArgoWorkflow(InputObject workflow)
    {
        this.workflow = workflow;
        var isKubeflow = workflow.Json.Object("metadata").Object("annotations")?.ContainsKey("pipelines.kubeflow.org/kfp_sdk_version") == true;
        origin = isKubeflow ? $"KFP v1 pipeline {workflow.Name}" : workflow.Origin;
        own = (workflow.Kind == "CronWorkflow" ? workflow.Spec.Object("workflowSpec") : workflow.Spec) ?? [];
        home = scopes[workflow] = new Scope(workflow, own);
        spec = Without(own, "templates");
        if (own.Object("workflowTemplateRef") is { } reference)
        {
            if (Referred(reference) is { } template)
            {
                home = template;
                spec = StrategicMerge.Argo.Into(Without(template.Owner.Spec, "templates"), spec);
            }
            else
            {
                Refuse(workflow, reference, $"the {workflow.Kind} takes its templates from {reference.Text("name")}, which is not in the input", "put that object there too");
            }
        }
    }

    /// <summary>The templates of an object, by name.</summary>
    sealed record Scope(InputObject Owner, JsonObject? Spec)
    {
        internal Dictionary<string, JsonObject> Templates { get; } = Spec.Objects("templates").Where(t => t.Text("name") is not null)
            .GroupBy(t => t.Text("name")!, StringComparer.Ordinal).ToDictionary(t => t.Key, t => t.Last(), StringComparer.Ordinal);
    }

    internal static StepInputs Read(InputObject workflow) => new ArgoWorkflow(workflow).Read();

    StepInputs Read()
    {
        if (home.Templates.Count == 0 && problems.Count == 0)
        {
            Refuse(workflow, workflow.Json, $"the {workflow.Kind} has no templates of its own", "give the object that has them");
        }

        Walk(home, spec.Text("entrypoint"), workflow.Name, workflow, own, null, 0);
        Walk(home, spec.Text("onExit"), $"{workflow.Name}.onExit", workflow, own, null, 0);
        FollowHooks(home, spec, workflow.Name, null, 0);
        // Templates that no entry point leads to. Others call those of a library.
        if (workflow.Kind.EndsWith("Template", StringComparison.Ordinal) || (steps.Count == 0 && !hasAgent))
        {
            foreach (var (called, template) in home.Templates.Where(t => !reached.Contains(t.Key)))
            {
                Run(home, template, called, $"{workflow.Name}.{called}", null, StepInput.DeepestGraph);
            }
        }

        if (hasAgent)
        {
            AddAgent();
        }

        return new StepInputs(steps, problems, []);
    }

    void Refuse(InputObject owner, JsonNode at, string message, string advice) => problems.Add(owner.Problem(at, message, advice));

    Scope? Referred(JsonObject reference)
    {
        var kind = Workload.IsTrue(reference, "clusterScope") ? "ClusterWorkflowTemplate" : "WorkflowTemplate";
        return workflow.Other(Group, kind, reference.Text("name")) is not { } owner ? null
            : scopes.TryGetValue(owner, out var known) ? known
            : scopes[owner] = new Scope(owner, owner.Spec);
    }

    // The boundary is the template in whose graph the called one stands.
    void Walk(Scope scope, string? called, string path, InputObject caller, JsonObject from, JsonObject? boundary, int depth)
    {
        if (called is null || steps.Count > StepInput.MaxSteps || ++visits > StepInput.MaxVisits)
        {
            return;
        }

        if (!scope.Templates.TryGetValue(called, out var template))
        {
            // Told already where the templates are elsewhere.
            if (scope.Templates.Count > 0)
            {
                Refuse(caller, from, $"the template {called} is not in the workflow", "write it there, or correct the name");
            }

            return;
        }

        if (scope == home)
        {
            reached.Add(called);
        }

        Run(scope, template, path.Contains('.', StringComparison.Ordinal) ? Tail(path) : called, path, boundary, depth);
    }

    void Run(Scope scope, JsonObject template, string step, string path, JsonObject? boundary, int depth)
    {
        if (steps.Count > StepInput.MaxSteps)
        {
            return;
        }

        hasAgent |= RunsInTheAgent.Any(template.ContainsKey);
        if (RunsAPod.Any(template.ContainsKey))
        {
            Add(scope, template, step, path, boundary);
            return;
        }

        if (depth == StepInput.DeepestGraph)
        {
            return;
        }

        foreach (var task in template.Object("dag").Objects("tasks"))
        {
            Follow(scope, task, $"{path}.{task.Text("name")}", template, depth);
        }

        foreach (var (i, group) in (template["steps"] as JsonArray ?? []).Index())
        {
            // A list of lists: the steps of an inner list run at the same time. A single step may stand without a list.
            foreach (var task in (group as JsonArray ?? new JsonArray(group?.DeepClone())).OfType<JsonObject>())
            {
                Follow(scope, task, $"{path}[{i}].{task.Text("name")}", template, depth);
            }
        }
    }

    void Follow(Scope scope, JsonObject task, string path, JsonObject? boundary, int depth)
    {
        if (task.Object("inline") is { } inline)
        {
            Run(scope, inline, Tail(path), path, boundary, StepInput.DeepestGraph);
        }
        else if (task.Object("templateRef") is not { } other)
        {
            Walk(scope, task.Text("template"), path, scope.Owner, task, boundary, depth + 1);
        }
        else if (Referred(other) is { } there)
        {
            Walk(there, other.Text("template"), path, scope.Owner, task, boundary, depth + 1);
        }
        else
        {
            Refuse(
                scope.Owner, task, $"{(task.Text("name") is { } name ? $"task {name}" : "a hook")} uses a template of {other.Text("name")}, which is another object",
                "put that one into the same input to explain the task");
        }

        Walk(scope, task.Text("onExit"), $"{path}.onExit", scope.Owner, task, boundary, depth + 1);
        FollowHooks(scope, task, path, boundary, depth + 1);
    }

    void FollowHooks(Scope scope, JsonObject from, string path, JsonObject? boundary, int depth)
    {
        foreach (var (name, hook) in from.Members("hooks"))
        {
            Follow(scope, hook, name == "exit" ? $"{path}.onExit" : $"{path}.hooks.{name}", boundary, depth);
        }
    }

    // Without the workflow's name.
    static string Tail(string path) => path[(path.IndexOf('.', StringComparison.Ordinal) + 1)..];

    static JsonObject Without(JsonObject? from, params ReadOnlySpan<string> members)
    {
        var rest = new JsonObject();
        foreach (var (name, value) in from ?? [])
        {
            if (!members.Contains(name))
            {
                rest[name] = value?.DeepClone();
            }
        }

        return rest;
    }

    void Add(Scope scope, JsonObject given, string step, string path, JsonObject? boundary)
    {
        var template = StrategicMerge.Argo.Into(Without(spec.Object("templateDefaults"), [.. Types.Where(t => !given.ContainsKey(t))]), given);
        var pod = new JsonObject
        {
            ["containers"] = new JsonArray([.. Containers(template), .. template.Objects("sidecars").Select(c => c.DeepClone())]),
            ["initContainers"] = new JsonArray([.. template.Objects("initContainers").Select(c => c.DeepClone())]),
        };
        pod.Put("volumes", new JsonArray([.. Mounted(template)]));
        AddPod(scope.Owner, given, step, path, template, boundary, pod);
    }

    // Its own template is empty, so it has what the workflow says of all pods.
    void AddAgent()
    {
        var pod = new JsonObject { ["containers"] = new JsonArray(Workload.Container("main", "10m", "64M")), ["initContainers"] = new JsonArray(Workload.Container("init", "10m", "64M")) };
        AddPod(workflow, workflow.Json, "agent", null, [], null, pod);
    }

    void AddPod(InputObject owner, JsonObject source, string step, string? path, JsonObject template, JsonObject? boundary, JsonObject pod)
    {
        List<string> notes = [];
        var metadata = workflow.Metadata(workflow.Name);
        metadata["labels"] = new JsonObject { ["workflows.argoproj.io/workflow"] = workflow.Name }
            .With(spec.Object("podMetadata").Object("labels")).With(template.Object("metadata").Object("labels"));
        metadata["annotations"] = new JsonObject()
            .With(spec.Object("podMetadata").Object("annotations")).With(template.Object("metadata").Object("annotations"));
        if (path is null)
        {
            metadata["labels"]!["workflows.argoproj.io/component"] = step;
        }
        else
        {
            metadata["annotations"]![StepRule.ArgoNodeNameKey] = path;
        }

        // The template's, or else that of the graph that it stands in, or else the workflow's; Argo does not merge them. An empty one counts only as affinity.
        foreach (var member in (string[])["nodeSelector", "affinity", "tolerations"])
        {
            pod.With(new[] { template, boundary, spec }.FirstOrDefault(o => o?[member] is JsonObject { Count: > 0 } or JsonArray { Count: > 0 } || (member == "affinity" && o?[member] is JsonObject)), member);
        }

        pod.With(spec, "schedulerName").With(spec, "podPriorityClassName", "priorityClassName");
        foreach (var member in ((string[])["schedulerName", "priorityClassName"]).Where(m => template.Text(m) is not null))
        {
            pod.With(template, member);
        }

        if (path is not null)
        {
            pod.With(spec, "hostNetwork").With(spec, "podResources", "resources").With(template, "podResources", "resources")
                .With(spec, "resourceClaims").With(template, "resourceClaims");
        }

        foreach (var patch in new[] { spec.Text("podSpecPatch"), template.Text("podSpecPatch") }.OfType<string>())
        {
            // Many steps have the same.
            if ((patches.TryGetValue(patch, out var known) ? known : patches[patch] = Parsed(patch)) is { } fields)
            {
                StrategicMerge.Pod.Into(pod, fields);
            }
            else
            {
                notes.Add("its podSpecPatch is filled in when it runs and is ignored here");
            }
        }

        steps.Add(InputStep.Of(owner.Document, source, step, origin, Workload.Pod(metadata, pod), notes));
    }

    // With the parameter values in the workflow; a user can submit it with others.
    JsonObject? Parsed(string patch)
    {
        foreach (var parameter in spec.Object("arguments").Objects("parameters").Where(p => p["value"] is JsonValue))
        {
            var (name, value) = ($"{{{{workflow.parameters.{parameter.Text("name")}}}}}", parameter["value"]!.ToString());
            if (((long)patch.AsSpan().Count(name) * value.Length) + patch.Length > LongestPatch)
            {
                return null;
            }

            patch = patch.Replace(name, value, StringComparison.Ordinal);
        }

        try
        {
            using var text = new StringReader(patch);
            return YamlSource.Read(text) is [{ Root: JsonObject fields }] ? fields : null;
        }
        catch (YamlFaultException)
        {
            return null;
        }
    }

    static IEnumerable<JsonNode> Containers(JsonObject template) =>
        template.Object("containerSet") is { } set ? set.Objects("containers").Select(c => c.DeepClone())
        // Argo names it main, whatever its name in the text.
        : [new JsonObject().With(template.Object("container") ?? template.Object("script")).With(new JsonObject { ["name"] = "main" })];

    IEnumerable<JsonNode> Mounted(JsonObject template)
    {
        var set = template.Object("containerSet");
        var mounts = template.Objects("sidecars").Concat(template.Objects("initContainers")).Concat(set.Objects("containers")).Concat([template.Object("container"), template.Object("script"), set])
            .SelectMany(c => c.Objects("volumeMounts")).Select(m => m.Text("name")).ToHashSet();
        return template.Objects("volumes").Concat(spec.Objects("volumes")).Concat(Workload.ClaimVolumes(spec))
            .Where(v => mounts.Contains(v.Text("name"))).DistinctBy(v => v.Text("name")).Select(v => v.DeepClone());
    }
}
