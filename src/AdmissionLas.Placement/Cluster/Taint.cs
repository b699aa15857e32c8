namespace AdmissionLas.Placement;

/// <summary>What a taint does to pods that do not tolerate it.</summary>
public enum TaintEffect
{
    /// <summary>The scheduler does not place the pod there.</summary>
    NoSchedule,

    /// <summary>As <see cref="NoSchedule"/>, and running pods are evicted.</summary>
    NoExecute,

    /// <summary>The scheduler would rather place the pod elsewhere.</summary>
    PreferNoSchedule,
}

/// <summary>The effects as the API writes them.</summary>
public static class TaintEffects
{
    /// <summary>Reads an effect.</summary>
    /// <returns><see langword="false"/> for a word that is none.</returns>
    public static bool TryParse(string? word, out TaintEffect effect)
    {
        (var known, effect) = word switch
        {
            "NoSchedule" => (true, TaintEffect.NoSchedule),
            "NoExecute" => (true, TaintEffect.NoExecute),
            "PreferNoSchedule" => (true, TaintEffect.PreferNoSchedule),
            _ => (false, default),
        };
        return known;
    }
}

/// <summary>A node's taint. Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/.</summary>
/// <param name="Key">The taint's key.</param>
/// <param name="Value">Its value; empty when it has none.</param>
/// <param name="Effect">What it does.</param>
public sealed record Taint(string Key, string Value, TaintEffect Effect)
{
    /// <summary>The taint that stands for a cordoned node (<c>spec.unschedulable</c>).</summary>
    public static Taint Cordoned { get; } = new("node.kubernetes.io/unschedulable", "", TaintEffect.NoSchedule);

    /// <summary>Whether any of the tolerations covers this taint.</summary>
    public bool IsToleratedBy(IReadOnlyList<Toleration> tolerations) => tolerations.Any(this, static (toleration, taint) => toleration.Covers(taint));
}

/// <summary>A pod's toleration.</summary>
/// <param name="Key">The taint key it covers; empty covers every key, which needs <paramref name="MatchesAnyValue"/>.</param>
/// <param name="MatchesAnyValue">Operator <c>Exists</c> (true) or <c>Equal</c> (false).</param>
/// <param name="Value">The value that <c>Equal</c> asks for.</param>
/// <param name="Effect">The effect it covers; <see langword="null"/> covers every effect.</param>
public sealed record Toleration(string Key, bool MatchesAnyValue, string Value, TaintEffect? Effect)
{
    /// <summary>Whether this toleration covers the taint.</summary>
    public bool Covers(Taint taint) =>
        (Effect is null || Effect == taint.Effect) &&
        (Key.Length == 0 ? MatchesAnyValue : Key == taint.Key && (MatchesAnyValue || Value == taint.Value));
}
