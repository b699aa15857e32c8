using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>
/// An Argo Workflow, as Kubeflow Pipelines v1 compiles it. The walk begins at the entry point, because a step's pod carries its path in the
/// workflow and rules can match it.
/// </summary>
/// <remarks>Source: argoproj/argo-workflows, workflow/controller/workflowpod.go and docs/fields.md.</remarks>
sealed class ArgoWorkflow
{
    internal const string Group = "argoproj.io";

    static readonly string[] RunsAPod = ["container", "script", "containerSet", "resource", "data"];

    readonly InputObject workflow;
    readonly JsonObject? spec;
    readonly string origin;
    readonly Dictionary<string, JsonObject> templates = new(StringComparer.Ordinal);
    readonly HashSet<string> reached = new(StringComparer.Ordinal);
    readonly List<InputStep> steps = [];
    readonly List<InputProblem> problems = [];
    int visits;

    ArgoWorkflow(InputObject workflow)
    {
        this.workflow = workflow;
        var isKubeflow = workflow.Json.Object("metadata").Object("annotations")?.ContainsKey("pipelines.kubeflow.org/kfp_sdk_version") == true;
        origin = isKubeflow ? $"KFP v1 pipeline {workflow.Name}" : workflow.Origin;
        spec = workflow.Kind == "CronWorkflow" ? workflow.Spec.Object("workflowSpec") : workflow.Spec;
        foreach (var template in spec.Objects("templates").Where(t => t.Text("name") is not null))
        {
            templates[template.Text("name")!] = template;
        }
    }

    internal static StepInputs Read(InputObject workflow) => new ArgoWorkflow(workflow).Read();

    StepInputs Read()
    {
        if (templates.Count == 0)
        {
            Refuse(workflow.Json, $"the {workflow.Kind} has no templates of its own", "give the object that has them");
        }

        Walk(spec.Text("entrypoint"), workflow.Name, spec ?? workflow.Json, 0);
        Walk(spec.Text("onExit"), $"{workflow.Name}.onExit", spec ?? workflow.Json, 0);
        // Templates that no entry point leads to, as in a library.
        foreach (var (called, template) in templates.Where(t => !reached.Contains(t.Key) && RunsAPod.Any(t.Value.ContainsKey)))
        {
            Add(called, $"{workflow.Name}.{called}", template);
        }

        return new StepInputs(steps, problems, []);
    }

    void Refuse(JsonNode at, string message, string advice) => problems.Add(workflow.Problem(at, message, advice));

    void Walk(string? called, string path, JsonNode from, int depth)
    {
        if (called is null || steps.Count > StepInput.MaxSteps || ++visits > StepInput.MaxVisits)
        {
            return;
        }

        if (!templates.TryGetValue(called, out var template))
        {
            Refuse(from, $"the template {called} is not in the workflow", "write it there, or correct the name");
            return;
        }

        reached.Add(called);
        if (RunsAPod.Any(template.ContainsKey))
        {
            Add(path.Contains('.', StringComparison.Ordinal) ? Tail(path) : called, path, template);
            return;
        }

        if (depth == StepInput.DeepestGraph)
        {
            return;
        }

        foreach (var task in template.Object("dag").Objects("tasks"))
        {
            Follow(task, $"{path}.{task.Text("name")}", depth);
        }

        foreach (var (i, group) in (template["steps"] as JsonArray ?? []).Index())
        {
            // A list of lists: the steps of an inner list run at the same time. A single step may stand without a list.
            foreach (var step in (group as JsonArray ?? new JsonArray(group?.DeepClone())).OfType<JsonObject>())
            {
                Follow(step, $"{path}[{i}].{step.Text("name")}", depth);
            }
        }
    }

    void Follow(JsonObject task, string path, int depth)
    {
        if (task.Object("inline") is { } inline)
        {
            Add(Tail(path), path, inline);
        }
        else if (task.Object("templateRef") is { } other)
        {
            Refuse(
                task, $"task {task.Text("name")} uses a template of {other.Text("name")}, which is another object",
                "give that one to explain the task");
        }
        else
        {
            Walk(task.Text("template"), path, task, depth + 1);
        }
    }

    // Without the workflow's name.
    static string Tail(string path) => path[(path.IndexOf('.', StringComparison.Ordinal) + 1)..];

    void Add(string step, string path, JsonObject template)
    {
        List<string> notes = [];
        var metadata = workflow.Metadata(workflow.Name);
        metadata["labels"] = new JsonObject { ["workflows.argoproj.io/workflow"] = workflow.Name }
            .With(spec.Object("podMetadata").Object("labels")).With(template.Object("metadata").Object("labels"));
        metadata["annotations"] = new JsonObject()
            .With(spec.Object("podMetadata").Object("annotations")).With(template.Object("metadata").Object("annotations"));
        metadata["annotations"]![StepRule.ArgoNodeNameKey] = path;

        var pod = new JsonObject();
        pod["containers"] = new JsonArray([.. Containers(template), .. template.Objects("sidecars").Select(c => c.DeepClone())]);
        pod["initContainers"] = new JsonArray([.. template.Objects("initContainers").Select(c => c.DeepClone())]);
        // The template's, or else the workflow's; Argo does not merge them.
        foreach (var member in (string[])["nodeSelector", "affinity", "tolerations"])
        {
            pod.With(template[member] is JsonObject { Count: > 0 } or JsonArray { Count: > 0 } ? template : spec, member);
        }

        pod.With(spec, "hostNetwork");
        pod.Put("volumes", new JsonArray([.. Mounted(template)]));
        if (template["podSpecPatch"] is not null || spec?["podSpecPatch"] is not null)
        {
            notes.Add("its podSpecPatch is filled in when it runs and is ignored here");
        }

        steps.Add(InputStep.Of(workflow.Document, template, step, origin, Workload.Pod(metadata, pod), notes));
    }

    static IEnumerable<JsonNode> Containers(JsonObject template) =>
        template.Object("containerSet") is { } set ? set.Objects("containers").Select(c => c.DeepClone())
        // Argo names it main, whatever its name in the text.
        : [new JsonObject().With(template.Object("container") ?? template.Object("script")).With(new JsonObject { ["name"] = "main" })];

    IEnumerable<JsonNode> Mounted(JsonObject template)
    {
        var mounts = template.Objects("sidecars").Concat(template.Objects("initContainers")).Concat([template.Object("container"), template.Object("script"), template.Object("containerSet")])
            .SelectMany(c => c.Objects("volumeMounts")).Select(m => m.Text("name")).ToHashSet();
        return template.Objects("volumes").Concat(spec.Objects("volumes")).Where(v => mounts.Contains(v.Text("name"))).DistinctBy(v => v.Text("name")).Select(v => v.DeepClone());
    }
}
