namespace AdmissionLas.Placement;

/// <summary>Where a latency comes from, the most trusted first: the order is the precedence.</summary>
public enum LatencySource
{
    /// <summary>An admin wrote it as a label of the node.</summary>
    Label,

    /// <summary>An agent measured it.</summary>
    Measured,

    /// <summary>It was computed from the latencies of other nodes and locations.</summary>
    Predicted,
}

/// <summary>How far a node is from a location, and what is known of that number.</summary>
/// <param name="Location">The location.</param>
/// <param name="LatencyMs">The latency, milliseconds.</param>
/// <param name="Source">Where the value comes from.</param>
/// <param name="At">When it was found; <see langword="null"/> where that is not known, as of a label.</param>
/// <param name="UncertaintyMs">How far the true value may be off either way, milliseconds; 0 where nothing says.</param>
public readonly record struct Latency(
    string Location, double LatencyMs, LatencySource Source = LatencySource.Label, DateTimeOffset? At = null, double UncertaintyMs = 0)
{
    /// <summary>
    /// Which of two latencies of a node to the same location counts: the more trusted source, then the later value. An admin's word wins over
    /// what was measured, and both over a prediction.
    /// </summary>
    public static Latency Preferred(Latency a, Latency b) => a.Source != b.Source ? (a.Source < b.Source ? a : b) : b.At > a.At ? b : a;
}

/// <summary>A label that may have been meant as a latency and cannot be read as one.</summary>
/// <param name="Location">The label's name without its prefix.</param>
/// <param name="Value">The label's value.</param>
/// <param name="IsExplicit">It carries one of our prefixes, so it was certainly meant; a bare label may be anything.</param>
public readonly record struct UnreadableLabel(string Location, string Value, bool IsExplicit);

/// <summary>A source of latencies: labels today; measured and predicted values are others.</summary>
public interface ILatencySource
{
    /// <summary>The latencies of a node that this source knows, at most one a location.</summary>
    NodeLatencies Of(NodeFacts node);
}

/// <summary>A node's latencies to locations.</summary>
/// <param name="Known">The latencies, one a location.</param>
/// <param name="Unreadable">The labels without one.</param>
/// <param name="Ignored">How many more of either the node has than are kept.</param>
public sealed record NodeLatencies(IReadOnlyList<Latency> Known, IReadOnlyList<UnreadableLabel> Unreadable, int Ignored = 0)
{
    /// <summary>No latency at all.</summary>
    public static NodeLatencies None { get; } = new([], []);

    /// <summary>What all sources say together; of two latencies to one location the preferred one counts (<see cref="Latency.Preferred"/>).</summary>
    public NodeLatencies With(NodeLatencies more) =>
        more == None ? this
        : this == None ? more
        : new(
            [.. Known.Concat(more.Known).GroupBy(l => l.Location, (_, same) => same.Aggregate(Latency.Preferred)).OrderBy(l => l.Location, StringComparer.Ordinal)],
            [.. Unreadable, .. more.Unreadable],
            Ignored + more.Ignored);

    /// <inheritdoc/>
    public bool Equals(NodeLatencies? other) =>
        ReferenceEquals(this, other) || (other is not null && Ignored == other.Ignored && Known.SequenceEqual(other.Known) && Unreadable.SequenceEqual(other.Unreadable));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Known.Count, Unreadable.Count);
}
