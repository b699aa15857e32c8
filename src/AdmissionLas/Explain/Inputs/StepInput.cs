using AdmissionLas.Snapshots;

namespace AdmissionLas.Explain;

/// <summary>
/// Finds the pods in a text of one or more documents: compiled pipelines of either version, and objects of <see cref="InputKinds"/>. Each becomes
/// the JSON of a pod as the API server would send it, so that the server's reader reads it.
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
            return Refused(null, "the input is empty", $"give {InputKinds.Accepted}");
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

    /// <summary>A text that others wrote, no longer than a message can bear.</summary>
    internal static string Short(string text, int length) => text.Length <= length ? text : $"{text.AsSpan(0, length)}…";

    static StepInputs Refused(int? line, string message, string advice) => new([], [new InputProblem(line, message, advice)], []);

    /// <summary>Collects the steps and the problems of the documents.</summary>
    sealed class Collector(string defaultNamespace)
    {
        readonly List<InputStep> steps = [];
        readonly List<InputProblem> problems = [];
        readonly List<InputProblem> passedOver = [];

        internal StepInputs Collect(IReadOnlyList<SourceDocument> documents)
        {
            var others = new Dictionary<(string Group, string Kind, string Name), InputObject>();
            var objects = documents.Select(d => YamlJson.ItemsOf(d.Root).Select(o => new InputObject(d, o, defaultNamespace, others)).ToArray()).ToArray();
            foreach (var given in objects.SelectMany(o => o))
            {
                others.TryAdd((given.Group ?? "", given.Kind, given.Name), given);
            }

            for (var i = 0; i < documents.Count; i++)
            {
                var document = documents[i];
                // A v2 pipeline's settings for Kubernetes are a document of their own behind it.
                var next = i + 1 < documents.Count ? documents[i + 1].Root : null;
                if (Kfp2Pipeline.IsPlatform(document.Root))
                {
                    if (i == 0 || !Kfp2Pipeline.Is(documents[i - 1].Root))
                    {
                        Refuse(
                            document.Line, "these are a v2 pipeline's settings for Kubernetes, without the pipeline",
                            "give the whole file that the compiler wrote");
                    }
                }
                else if (Kfp2Pipeline.Is(document.Root))
                {
                    Add(new Kfp2Pipeline(document, Kfp2Pipeline.IsPlatform(next) ? (JsonObject)next! : null, defaultNamespace).Read());
                }
                else if (document.Root is JsonObject)
                {
                    foreach (var given in objects[i])
                    {
                        Add(given);
                    }
                }
                else if (document.Root is not null)
                {
                    Refuse(document.Line, $"this is {(document.Root is JsonArray ? "a list" : "text")} and no object", $"give {InputKinds.Accepted}");
                }
            }

            if (steps.Count == 0 && problems.Count == 0)
            {
                problems.AddRange(passedOver.Count > 0
                    ? passedOver.Select(p => p.Advice.Length > 0 ? p : p with { Advice = $"give {InputKinds.Accepted}" })
                    : [new InputProblem(null, "there is nothing in it but comments", $"give {InputKinds.Accepted}")]);
                passedOver.Clear();
            }

            return new StepInputs(steps, problems, passedOver);
        }

        void Add(InputObject given)
        {
            if (given.Kind.Length == 0)
            {
                Refuse(given.Document.LineOf(given.Json), "it has no kind, so its type is unknown", $"give {InputKinds.Accepted}");
            }
            else
            {
                Add(InputKinds.Read(given));
            }
        }

        void Add(StepInputs found)
        {
            // Two workflows may call the same template.
            problems.AddRange(found.Problems.Except(problems));
            passedOver.AddRange(found.PassedOver);
            var room = MaxSteps - steps.Count;
            steps.AddRange(found.Steps.Take(room));
            if (found.Steps.Count > room)
            {
                Refuse(found.Steps[room].Line, $"there are more than {MaxSteps} pods; those from here on are left out", "give a part of it");
            }
        }

        void Refuse(int line, string message, string advice) => problems.Add(new InputProblem(line, message, advice));
    }
}
