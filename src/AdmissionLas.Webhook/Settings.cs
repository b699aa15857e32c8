using AdmissionLas.Webhook;

namespace AdmissionLas.Webhook;

/// <summary>The options checked, compiled and ready for the hot path.</summary>
/// <param name="Rules">How a step is recognised.</param>
/// <param name="Policy">How it is placed.</param>
/// <param name="Reader">The reader for the keys that these two look at.</param>
/// <param name="AllLabelsReader">A reader for every label, which the anti-affinity of other pods can be about.</param>
sealed record CompiledSettings(StepRules Rules, PlacementPolicy Policy, ReviewReader Reader, ReviewReader AllLabelsReader)
{
    /// <summary>Everything at its default.</summary>
    internal static CompiledSettings Default { get; } = Of(new StepRules(), new PlacementPolicy());

    /// <summary>Compiles rules and policy.</summary>
    internal static CompiledSettings Of(StepRules rules, PlacementPolicy policy)
    {
        string[] annotations = [.. rules.AnnotationKeys, .. PodHints.Keys];
        return new(rules, policy, new ReviewReader(new PodReader(rules.LabelKeys, annotations)), new ReviewReader(new PodReader(null, annotations)));
    }
}

/// <summary>The settings in force. A review reads them once; a reload replaces them whole.</summary>
sealed class Settings(CompiledSettings initial)
{
    CompiledSettings current = initial;

    internal CompiledSettings Current
    {
        get => Volatile.Read(ref current);
        set => Volatile.Write(ref current, value);
    }
}
