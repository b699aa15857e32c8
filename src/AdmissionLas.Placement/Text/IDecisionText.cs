namespace AdmissionLas.Placement;

/// <summary>
/// Puts decisions into words, for people alone: no code reads a sentence. A language is one implementation; its sentences are <see cref="PlainText"/>.
/// </summary>
public interface IDecisionText
{
    /// <summary>What was decided and why, in a line; empty when there was nothing to decide. It stands on the pod.</summary>
    string Explain(Decision decision);

    /// <summary>What the pod's author should know, in a sentence.</summary>
    /// <param name="decision">The decision.</param>
    /// <param name="notice">One of its <see cref="Decision.Warnings"/>.</param>
    string Warn(Decision decision, Notice notice);

    /// <summary>Whether a node can run a pod, or why not, in a few words.</summary>
    string Describe(FilterResult result);

    /// <summary>What the scheduler also weighs, in a phrase.</summary>
    string Describe(UnscoredFactor factor);
}
