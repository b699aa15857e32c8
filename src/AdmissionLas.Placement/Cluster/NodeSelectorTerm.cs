namespace AdmissionLas.Placement;

/// <summary>The operators of a node selector requirement.</summary>
public enum SelectorOperator
{
    /// <summary>The key's value is one of the values.</summary>
    In,

    /// <summary>The key is absent or its value is none of the values.</summary>
    NotIn,

    /// <summary>The key is present.</summary>
    Exists,

    /// <summary>The key is absent.</summary>
    DoesNotExist,

    /// <summary>The key's value is an integer greater than the one value.</summary>
    Gt,

    /// <summary>The key's value is an integer less than the one value.</summary>
    Lt,
}

/// <summary>One requirement on a node's labels or fields.</summary>
/// <param name="Key">Label key, or the field <c>metadata.name</c>.</param>
/// <param name="Operator">How the values are compared.</param>
/// <param name="Values">The values; empty for <c>Exists</c> and <c>DoesNotExist</c>.</param>
public sealed record NodeSelectorRequirement(string Key, SelectorOperator Operator, IReadOnlyList<string> Values)
{
    /// <summary>Whether the value that a node has under the key (null: none) meets the requirement.</summary>
    public bool IsMetBy(string? actual) => Operator switch
    {
        SelectorOperator.In => actual is not null && Values.Contains(actual),
        SelectorOperator.NotIn => actual is null || !Values.Contains(actual),
        SelectorOperator.Exists => actual is not null,
        SelectorOperator.DoesNotExist => actual is null,
        SelectorOperator.Gt => Compare(actual) > 0,
        SelectorOperator.Lt => Compare(actual) < 0,
        _ => false,
    };

    /// <summary>Whether both state the same, values in the same order.</summary>
    public bool IsSameAs(NodeSelectorRequirement other) => Key == other.Key && Operator == other.Operator && Values.SequenceEqual(other.Values);

    // Zero means "not comparable" as well as "equal": neither meets Gt or Lt.
    int Compare(string? actual) =>
        Values.Count == 1 &&
        long.TryParse(actual, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var have) &&
        long.TryParse(Values[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var bound)
            ? have.CompareTo(bound)
            : 0;
}

/// <summary>
/// A node selector term: all its requirements must be met; a term without any matches no node.
/// Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#NodeSelectorTerm.
/// </summary>
/// <param name="MatchExpressions">Requirements on labels.</param>
/// <param name="MatchFields">Requirements on fields; Kubernetes knows <c>metadata.name</c> with exactly one value.</param>
public sealed record NodeSelectorTerm(
    IReadOnlyList<NodeSelectorRequirement> MatchExpressions,
    IReadOnlyList<NodeSelectorRequirement> MatchFields)
{
    /// <summary>The label that a node's kubelet fills with its host name.</summary>
    public const string HostnameKey = "kubernetes.io/hostname";

    /// <summary>The one field that Kubernetes lets a term match.</summary>
    public const string NameField = "metadata.name";

    /// <summary>Whether the term has no requirement, and so matches no node.</summary>
    public bool IsEmpty => MatchExpressions.Count == 0 && MatchFields.Count == 0;

    /// <summary>The nodes whose host name label is one of these.</summary>
    public static NodeSelectorTerm Hostnames(IReadOnlyList<string> hostnames) =>
        new([new NodeSelectorRequirement(HostnameKey, SelectorOperator.In, hostnames)], []);

    /// <summary>The node of this name.</summary>
    public static NodeSelectorTerm Name(string nodeName) =>
        new([], [new NodeSelectorRequirement(NameField, SelectorOperator.In, [nodeName])]);

    /// <summary>Whether both state the same, in the same order.</summary>
    public bool IsSameAs(NodeSelectorTerm other) =>
        AreSame(MatchExpressions, other.MatchExpressions) && AreSame(MatchFields, other.MatchFields);

    static bool AreSame(IReadOnlyList<NodeSelectorRequirement> some, IReadOnlyList<NodeSelectorRequirement> others) =>
        some.Count == others.Count && some.Zip(others).All(r => r.First.IsSameAs(r.Second));

    /// <summary>Whether the node meets every requirement.</summary>
    public bool Matches(NodeFacts node) =>
        !IsEmpty &&
        MatchExpressions.All(node, static (on, node) => on.IsMetBy(node.Label(on.Key))) &&
        MatchFields.All(node, static (on, node) => on.IsMetBy(on.Key == NameField ? node.Name : null));
}
