using System.Text.Json.Nodes;
using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>
/// Finds the pods in a text of one or more documents: a Pod, an owner of pods, a compiled pipeline of either version, an InferenceService. Each
/// becomes the JSON of a pod as the API server would send it, so that the server's reader reads it.
/// </summary>
static class StepInput
{
    /// <summary>The limit of the API server too.</summary>
    internal const int MaxCharacters = 3 * 1024 * 1024;

    /// <summary>More than a person reads; loops and nested graphs of a pipeline can name far more.</summary>
    internal const int MaxSteps = 500;

    /// <summary>Graphs in a pipeline may contain one another, and themselves.</summary>
    internal const int DeepestGraph = 32;

    /// <summary>Nested graphs can name endless tasks and make no pod.</summary>
    internal const int MaxVisits = 20_000;

    internal const string Accepted = "a Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob, a compiled Kubeflow pipeline (v1 or v2), or a KServe InferenceService";

    /// <summary>Reads a text; it throws for no text.</summary>
    /// <param name="text">YAML or JSON.</param>
    /// <param name="defaultNamespace">The namespace of objects that state none.</param>
    internal static StepInputs Read(string text, string defaultNamespace = "default")
    {
        if (text.Length > MaxCharacters)
        {
            return Refused(null, string.Create(CultureInfo.InvariantCulture, $"the input has {text.Length / 1048576.0:0.0} MB, and the API server takes no more than 3"), "give the object or pipeline alone");
        }

        if (string.IsNullOrWhiteSpace(text))
        {
            return Refused(null, "the input is empty", $"give {Accepted}");
        }

        IReadOnlyList<SourceDocument> documents;
        try
        {
            using var reader = new StringReader(text);
            documents = YamlSource.Read(reader);
        }
        catch (YamlFaultException fault)
        {
            // The parser counts the end of the text as a line more.
            var lines = text.AsSpan().TrimEnd().Count('\n') + 1;
            return Refused(Math.Min(fault.Line, lines), $"this is neither YAML nor JSON: {fault.Why.TrimEnd('.')}", "correct it there");
        }

        return new Collector(defaultNamespace).Collect(documents);
    }

    static StepInputs Refused(int? line, string message, string advice) => new([], [new InputProblem(line, message, advice)], []);

    /// <summary>Collects the steps and the problems of the documents.</summary>
    sealed class Collector(string defaultNamespace)
    {
        readonly List<InputStep> steps = [];
        readonly List<InputProblem> problems = [];
        readonly List<InputProblem> passedOver = [];

        internal StepInputs Collect(IReadOnlyList<SourceDocument> documents)
        {
            for (var i = 0; i < documents.Count; i++)
            {
                var document = documents[i];
                // A v2 pipeline's settings for Kubernetes are a document of their own behind it.
                var next = i + 1 < documents.Count ? documents[i + 1].Root : null;
                if (Kfp2Pipeline.IsPlatform(document.Root))
                {
                    if (i == 0 || !Kfp2Pipeline.Is(documents[i - 1].Root))
                    {
                        problems.Add(new InputProblem(document.Line, "these are a v2 pipeline's settings for Kubernetes, without the pipeline", "give the whole file that the compiler wrote"));
                    }
                }
                else if (Kfp2Pipeline.Is(document.Root))
                {
                    Add(document, new Kfp2Pipeline((JsonObject)document.Root!, Kfp2Pipeline.IsPlatform(next) ? (JsonObject)next! : null, defaultNamespace).Pods());
                }
                else if (document.Root is JsonObject)
                {
                    foreach (var item in YamlJson.ItemsOf(document.Root))
                    {
                        Add(document, item);
                    }
                }
                else if (document.Root is not null)
                {
                    problems.Add(new InputProblem(document.Line, $"this is {(document.Root is JsonArray ? "a list" : "text")} and no object", $"give {Accepted}"));
                }
            }

            if (steps.Count == 0 && problems.Count == 0)
            {
                problems.AddRange(passedOver.Count > 0
                    ? passedOver.Select(p => p with { Advice = $"give {Accepted}" })
                    : [new InputProblem(null, "there is nothing in it but comments", $"give {Accepted}")]);
                passedOver.Clear();
            }

            return new StepInputs(steps, problems, passedOver);
        }

        void Add(SourceDocument document, JsonObject item)
        {
            var line = document.LineOf(item);
            if (item.Text("kind") is not { } kind)
            {
                problems.Add(new InputProblem(line, "it has no kind, so its type is unknown", $"give {Accepted}"));
            }
            else if (ArgoWorkflow.Is(item))
            {
                Add(document, new ArgoWorkflow(item, defaultNamespace).Pods());
            }
            else if (InferenceService.Is(item))
            {
                Add(document, InferenceService.Pods(item, defaultNamespace));
            }
            else if (Workload.Pods(item, defaultNamespace) is { } pods)
            {
                Add(document, pods);
            }
            else
            {
                passedOver.Add(new InputProblem(line, $"a {Short(kind)} makes no pods that could be explained", ""));
            }
        }

        void Add(SourceDocument document, FoundPods found)
        {
            problems.AddRange(found.Problems.Select(p => new InputProblem(document.LineOf(p.At), p.Message, p.Advice)));
            foreach (var pod in found.Pods)
            {
                if (steps.Count == MaxSteps)
                {
                    problems.Add(new InputProblem(document.LineOf(pod.Source), string.Create(CultureInfo.InvariantCulture, $"there are more than {MaxSteps} pods; those from here on are left out"), "give a part of it"));
                    return;
                }

                List<string> notes = [.. pod.Notes];
                ApiServerDefaults.Apply(pod.Pod, notes);
                steps.Add(new InputStep(pod.Name, found.Origin, document.LineOf(pod.Source), pod.Pod, notes)
                {
                    LineOfPath = path => LineOf(document, pod.Source, path),
                });
            }
        }

        // The line of the longest part of the path that exists.
        static int LineOf(SourceDocument document, JsonNode source, string path)
        {
            JsonNode at = source;
            foreach (var name in path.Split('.'))
            {
                if ((at as JsonObject)?[name.TrimEnd('[', ']')] is not { } member)
                {
                    break;
                }

                at = member;
            }

            return document.LineOf(at);
        }

        static string Short(string text) => text.Length <= 63 ? text : $"{text.AsSpan(0, 63)}…";
    }
}

/// <summary>The pods of one object or pipeline.</summary>
/// <param name="Origin">The object or pipeline.</param>
/// <param name="Pods">The pods.</param>
/// <param name="Problems">The parts that could not be used.</param>
sealed record FoundPods(string Origin, IReadOnlyList<FoundPod> Pods, IReadOnlyList<FoundProblem> Problems);

/// <summary>A pod in a text.</summary>
/// <param name="Name">Its name in the text.</param>
/// <param name="Source">The part of the text that describes it.</param>
/// <param name="Pod">The pod.</param>
/// <param name="Notes">What the user should know of it.</param>
sealed record FoundPod(string Name, JsonNode Source, JsonObject Pod, IReadOnlyList<string> Notes);

/// <summary>A part of a text that could not be used.</summary>
/// <param name="At">The part of the text.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Advice">What to do.</param>
sealed record FoundProblem(JsonNode At, string Message, string Advice);
