using System.Text.Json.Nodes;
using AdmissionLas.Kubernetes;

namespace AdmissionLas.Explain;

/// <summary>A pod that something which was given would make.</summary>
/// <param name="Name">What the one who gave it calls it: a pod's name, a pipeline's task, a Deployment's name.</param>
/// <param name="Origin">What it was read from, such as <c>Deployment serve</c> or <c>KFP v2 pipeline taxi</c>.</param>
/// <param name="Line">The line on which it begins, from 1; 0 when it was not read from a text.</param>
/// <param name="Pod">The pod as the API server would send it for review.</param>
/// <param name="Notes">What was taken for granted, or will only be known when it runs; one sentence each.</param>
sealed record InputStep(string Name, string Origin, int Line, JsonObject Pod, IReadOnlyList<string> Notes)
{
    /// <summary>Where the text says something of the pod, by a path such as <c>spec.containers</c>; the whole step's line when it cannot be told.</summary>
    internal Func<string, int>? LineOfPath { get; init; }
}

/// <summary>What is wrong with what was given, and what to do.</summary>
/// <param name="Line">The line, from 1; <see langword="null"/> when it is the whole.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Advice">What to do.</param>
sealed record InputProblem(int? Line, string Message, string Advice)
{
    /// <summary>All of it in a line.</summary>
    public override string ToString() => $"{(Line is { } line ? $"line {line}: " : "")}{Message}{(Advice.Length == 0 ? "" : $"; {Advice}")}";
}

/// <summary>All that a text gives.</summary>
/// <param name="Steps">The pods, in the order of the text.</param>
/// <param name="Problems">What could not be used. Both can be there: one bad document does not spoil the others.</param>
/// <param name="PassedOver">Objects that make no pods, such as the Service beside a Deployment.</param>
sealed record StepInputs(IReadOnlyList<InputStep> Steps, IReadOnlyList<InputProblem> Problems, IReadOnlyList<InputProblem> PassedOver);
