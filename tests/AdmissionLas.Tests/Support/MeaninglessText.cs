namespace AdmissionLas.Tests.Support;

/// <summary>A language in which every sentence is the same: what works with it reads no sentence.</summary>
sealed class MeaninglessText : IDecisionText
{
    internal static MeaninglessText Instance { get; } = new();

    public string Explain(Decision decision) => decision.IsDecided ? "…" : "";

    public string Warn(Decision decision, Notice notice) => "…";

    public string Describe(FilterResult result) => "…";

    public string Describe(UnscoredFactor factor) => "…";
}
