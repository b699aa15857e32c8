namespace AdmissionLas.Explain;

/// <summary>A pod of the input.</summary>
/// <param name="Name">Its name in the input: a pod's, a pipeline task's, a Deployment's.</param>
/// <param name="Origin">Where it stands, such as <c>Deployment serve</c> or <c>KFP v2 pipeline taxi</c>.</param>
/// <param name="Line">The line on which it begins, from 1; 0 when it does not come from a text.</param>
/// <param name="Pod">The pod as the API server would send it for review.</param>
/// <param name="Notes">What is assumed, or known only when it runs; one sentence each.</param>
sealed record InputStep(string Name, string Origin, int Line, JsonObject Pod, IReadOnlyList<string> Notes)
{
    /// <summary>The line of a path such as <c>spec.containers</c>; the step's line when the path is not in the text.</summary>
    internal Func<string, int>? LineOfPath { get; init; }

    /// <summary>A pod that a part of a text describes, with what the API server adds to it.</summary>
    internal static InputStep Of(
        SourceDocument document, JsonNode source, string name, string origin, JsonObject pod, List<string>? notes = null)
    {
        ApiServerDefaults.Apply(pod, notes ??= []);
        return new InputStep(name, origin, document.LineOf(source), pod, notes) { LineOfPath = path => LineOf(document, source, path) };
    }

    // The line of the longest part of the path that exists.
    static int LineOf(SourceDocument document, JsonNode source, string path)
    {
        var at = source;
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
}

/// <summary>What is wrong with the input, and what to do.</summary>
/// <param name="Line">The line, from 1; <see langword="null"/> for the whole input.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Advice">What to do.</param>
sealed record InputProblem(int? Line, string Message, string Advice)
{
    /// <summary>The problem as one line.</summary>
    public override string ToString() => $"{(Line is { } line ? $"line {line}: " : "")}{Message}{(Advice.Length == 0 ? "" : $"; {Advice}")}";
}

/// <summary>The result of reading a text.</summary>
/// <param name="Steps">The pods, in the order of the text.</param>
/// <param name="Problems">What could not be used. One bad document does not exclude the others.</param>
/// <param name="PassedOver">Objects that make no pods, such as the Service beside a Deployment.</param>
sealed record StepInputs(IReadOnlyList<InputStep> Steps, IReadOnlyList<InputProblem> Problems, IReadOnlyList<InputProblem> PassedOver);
