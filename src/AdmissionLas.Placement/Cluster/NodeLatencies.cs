namespace AdmissionLas.Placement;

/// <summary>A latency as a node's labels state it.</summary>
/// <param name="Location">From where.</param>
/// <param name="LatencyMs">Milliseconds.</param>
public readonly record struct MeasuredLatency(string Location, double LatencyMs);

/// <summary>A label that may have been meant as a latency and cannot be read as one.</summary>
/// <param name="Location">The label's name without its prefix.</param>
/// <param name="Value">What it says.</param>
/// <param name="IsExplicit">It carries our prefix, so it was certainly meant; a bare label may be anything.</param>
public readonly record struct UnreadableLabel(string Location, string Value, bool IsExplicit);

/// <summary>What a node's labels say of latency.</summary>
/// <param name="Measured">The latencies, one a location.</param>
/// <param name="Unreadable">The labels without one.</param>
public sealed record NodeLatencies(IReadOnlyList<MeasuredLatency> Measured, IReadOnlyList<UnreadableLabel> Unreadable)
{
    /// <summary>No latency label at all.</summary>
    public static NodeLatencies None { get; } = new([], []);

    /// <summary>
    /// Reads both forms of <see cref="LatencyLabel"/>. Where a location has both, the prefixed one counts, even when it cannot be read:
    /// whoever wrote it meant it, and an older value under the bare key would be a guess.
    /// </summary>
    public static NodeLatencies Read(IReadOnlyDictionary<string, string> labels)
    {
        List<MeasuredLatency>? measured = null;
        List<UnreadableLabel>? unreadable = null;
        foreach (var (key, value) in labels)
        {
            var isExplicit = key.StartsWith(LatencyLabel.Prefix, StringComparison.Ordinal);
            var location = isExplicit ? key[LatencyLabel.Prefix.Length..] : key;
            if (!LabelSyntax.IsName(location) || (!isExplicit && labels.ContainsKey(LatencyLabel.Prefix + location)))
            {
                continue;
            }

            if (LatencyLabel.TryParseMs(value, out var latencyMs))
            {
                (measured ??= []).Add(new MeasuredLatency(location, latencyMs));
            }
            else
            {
                (unreadable ??= []).Add(new UnreadableLabel(location, value, isExplicit));
            }
        }

        return measured is null && unreadable is null ? None : new NodeLatencies(measured ?? [], unreadable ?? []);
    }
}
