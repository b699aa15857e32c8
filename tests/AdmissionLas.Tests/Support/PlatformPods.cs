using System.Text.Json;

namespace AdmissionLas.Tests.Support;

/// <summary>
/// The pods that platforms make of a pipeline's steps: a real pod of the corpus is the frame (labels of the platform, sidecars, launcher), into
/// which goes what the compiled pipeline says of the step, at the places where the platform puts it.
/// </summary>
static class PlatformPods
{
    /// <summary>Argo's pod for a container template of a Workflow: the template's labels, its container as <c>main</c> behind the emissary.</summary>
    internal static JsonObject OfArgoTemplate(JsonObject template, string workflow)
    {
        var pod = Frame("kfp-v1-fetch-data", $"{workflow}.{template["name"]}");
        Label(pod, template["metadata"]?["labels"]);
        var main = Container(pod);
        main["image"] = template["container"]!["image"]!.DeepClone();
        main["command"] = Behind(main, template["container"]!["command"]!);
        main["args"] = template["container"]!["args"]!.DeepClone();
        return pod;
    }

    /// <summary>KFP 2.14's executor pod for a task: the labels of the task's pod metadata, its container as arguments of the launcher.</summary>
    internal static JsonObject OfKfp2Task(string task, JsonNode container, JsonNode? labels, string workflow)
    {
        var pod = Frame("kfp-v2-task-labels-predict", $"{workflow}.root.{task}.executor");
        Label(pod, labels);
        var main = Container(pod);
        main["image"] = container["image"]!.DeepClone();
        main["args"] = new JsonArray([.. container["command"]!.AsArray().Concat(container["args"]!.AsArray()).Select(word => word!.DeepClone())]);
        return pod;
    }

    /// <summary>The driver pod of KFP that plans a task; recent versions put the task's labels on it too.</summary>
    internal static JsonObject OfKfp2Driver(string task, JsonNode? labels, string workflow)
    {
        var pod = Frame("kfp-v2-driver-container", $"{workflow}.root.{task}-driver");
        Label(pod, labels);
        return pod;
    }

    /// <summary>The pod of an InferenceService's predictor in KServe's raw deployment mode: the predictor's labels and resources.</summary>
    internal static JsonObject OfPredictor(JsonObject inferenceService)
    {
        var pod = Frame("kserve-raw-predictor", null);
        var predictor = inferenceService["spec"]!["predictor"]!;
        Label(pod, inferenceService["metadata"]!["labels"]);
        Label(pod, predictor["labels"]);
        pod["metadata"]!["labels"]!["serving.kserve.io/inferenceservice"] = inferenceService["metadata"]!["name"]!.DeepClone();
        Container(pod, "kserve-container")["resources"] = predictor["model"]!["resources"]!.DeepClone();
        return pod;
    }

    /// <summary>The pod of a Job: its template.</summary>
    internal static JsonObject OfJob(JsonObject job)
    {
        var pod = job["spec"]!["template"]!.DeepClone().AsObject();
        pod["apiVersion"] = "v1";
        pod["kind"] = "Pod";
        pod["metadata"]!["generateName"] = "chicago-taxi-predict-x7k2p-";
        return pod;
    }

    // A pod of the corpus without the labels that tell its own step.
    static JsonObject Frame(string name, string? argoNode)
    {
        using var text = File.OpenText(Path.Combine(AppContext.BaseDirectory, "Corpus", name, "pod.yaml"));
        var pod = JsonSerializer.SerializeToNode(Assert.Single(YamlJson.ReadObjects(text)))!.AsObject();
        foreach (var label in (string[])["typeOfComponent", "OurLocation", "admissionlas.io/component", "admissionlas.io/location"])
        {
            pod["metadata"]!["labels"]!.AsObject().Remove(label);
        }

        if (argoNode is not null)
        {
            pod["metadata"]!["annotations"]!["workflows.argoproj.io/node-name"] = argoNode;
        }

        pod["metadata"]!.AsObject().Remove("namespace");
        return pod;
    }

    static void Label(JsonObject pod, JsonNode? labels)
    {
        foreach (var (key, value) in labels as JsonObject ?? [])
        {
            pod["metadata"]!["labels"]![key] = value!.DeepClone();
        }
    }

    static JsonObject Container(JsonObject pod, string name = "main") =>
        pod["spec"]!["containers"]!.AsArray().Single(c => $"{c!["name"]}" == name)!.AsObject();

    static JsonArray Behind(JsonObject main, JsonNode command)
    {
        var emissary = main["command"]!.AsArray().TakeWhile(word => $"{word}" != "--").Append("--");
        return [.. emissary.Concat(command.AsArray()).Select(word => word!.DeepClone())];
    }
}
