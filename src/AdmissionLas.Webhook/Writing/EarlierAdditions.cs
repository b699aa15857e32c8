namespace AdmissionLas.Webhook;

/// <summary>
/// What an earlier call added to a pod, as far as it is still there: the pod comes again when another webhook has changed it, or as a copy or
/// from a template that was made of a decided pod. A decision is made on the pod without it, and the answer is the difference.
/// </summary>
/// <remarks>An author can write a record too. So no more is taken for ours than what stands in the pod just as the record says.</remarks>
sealed record EarlierAdditions
{
    // We copy no more terms; an author can write any number.
    const int MaxOriginals = 64;

    /// <summary>What the earlier call recorded.</summary>
    internal required PlacementRecord Record { get; init; }

    /// <summary>The annotations that are ours, by key.</summary>
    internal required IReadOnlyDictionary<string, string> Annotations { get; init; }

    /// <summary>Where our requirement stands in the pod's required terms, ascending.</summary>
    internal IReadOnlyList<EarlierRequirement> Required { get; init; } = [];

    /// <summary>The places of the preferred terms that are ours, ascending.</summary>
    internal IReadOnlyList<int> PreferredTerms { get; init; } = [];

    /// <summary>No other preferred term is there.</summary>
    internal bool ArePreferredAllOurs { get; init; }

    /// <summary>The place of our topology spread constraint; <see langword="null"/> when there is none.</summary>
    internal int? SpreadAt { get; init; }

    /// <summary>No other spread constraint is there.</summary>
    internal bool IsSpreadAllOurs { get; init; }

    /// <summary>The requests that are ours.</summary>
    internal IReadOnlyList<AddedRequest> Requests { get; init; } = [];

    /// <summary>The review whose pod the earlier call counted against a node; <see langword="null"/> when it counted none.</summary>
    internal string? Review =>
        Annotations.GetValueOrDefault(PodHints.AssumedKey) is { } assumed && assumed.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash
            ? assumed[(slash + 1)..]
            : null;

    /// <summary>Whether these are the very requirement that a decision asks for, in each term that can have it.</summary>
    /// <param name="pin">What the decision asks for.</param>
    /// <param name="terms">The pod's required terms without ours.</param>
    internal bool IsRequired(NodePin? pin, IReadOnlyList<NodeSelectorTerm>? terms) => pin is null
        ? Required.Count == 0
        : Record.IsByName == pin.IsByName && Record.Required.SequenceEqual(pin.Names) && Required.All(r => r.IsWholeTerm == terms is null || r.IsCopy) &&
            Required.Count == (pin.IsByName ? terms is null ? pin.Nodes.Count : pin.Pairs(terms).Count() : terms?.Count(t => !t.IsEmpty) ?? 1);

    /// <summary>Whether these are the very terms that a decision prefers; their order means nothing.</summary>
    internal bool ArePreferred(IReadOnlyList<PreferredTerm> terms) =>
        PreferredTerms.Count == terms.Count && Record.Preferred.Count == terms.Count && terms.All(t => Record.Preferred.Any(t.IsSameAs));

    /// <summary>Whether these are the very requests that a decision adds.</summary>
    internal bool AreRequested(IReadOnlyList<AddedRequest> requests) => Requests.Count == requests.Count && Requests.All(requests.Contains);

    /// <summary>The pod as it is without what the record says is ours.</summary>
    internal static AdmittedPod TakeOut(AdmittedPod pod, PlacementRecord record)
    {
        var (facts, shape) = (pod.Facts, pod.Shape);
        var own = new EarlierAdditions { Record = record, Annotations = facts.Annotations.Where(a => IsOurs(a.Key)).ToDictionary() };
        (facts, shape, own) = TakeOutRequired(facts, shape, own);
        (facts, shape, own) = TakeOutPreferred(facts, shape, own);
        if (record.NeutralizesSpread && shape.NeutralSpreadAt is { } at)
        {
            own = own with { SpreadAt = at, IsSpreadAllOurs = shape.SpreadConstraints == 1 };
            facts = facts with { HasSpreadConstraints = shape.SpreadConstraints > 1 };
        }

        var recorded = record.Requests.ToLookup(r => r.Container, StringComparer.Ordinal);
        own = own with { Requests = [.. facts.Containers.SelectMany((container, i) => Ours(container, i, recorded[container.Name]))] };
        return pod with
        {
            Facts = facts.Without(own.Requests) with { Annotations = facts.Annotations.Where(a => !IsOurs(a.Key)).ToDictionary() },
            Shape = shape,
            Earlier = own,
        };
    }

    static bool IsOurs(string annotation) => annotation is PodHints.DecisionKey or PodHints.RecordKey or PodHints.AssumedKey;

    static (PodFacts, PodShape, EarlierAdditions) TakeOutRequired(PodFacts facts, PodShape shape, EarlierAdditions own)
    {
        if (facts.RequiredTerms is not { } terms || own.Record.Required.Count == 0)
        {
            return (facts, shape, own);
        }

        var ours = new List<EarlierRequirement>();
        var (rest, expressions, fields) = (new List<NodeSelectorTerm>(), new List<bool>(), new List<bool>());
        var originals = new List<(NodeSelectorTerm Term, string? Node)>();
        for (var i = 0; i < terms.Count; i++)
        {
            var (without, at, node) = WithoutOurs(terms[i], own.Record);
            // The author may have written one twice; a copy of ours is for another node.
            var isCopy = without is { IsEmpty: false } && originals.Any(o => o.Node != node && o.Term.IsSameAs(without));
            if (without is not null)
            {
                ours.Add(new EarlierRequirement(i, at, without.IsEmpty || isCopy, isCopy));
            }

            if (without is { IsEmpty: false } && !isCopy && originals.Count < MaxOriginals)
            {
                originals.Add((without, node));
            }

            if (without is null || !without.IsEmpty && !isCopy)
            {
                rest.Add(without ?? terms[i]);
                expressions.Add(shape.RequiredTermsHaveExpressions[i]);
                fields.Add(shape.RequiredTermsHaveFields[i]);
            }
        }

        // Where nothing but ours is required, the author required nothing.
        return (
            facts with { RequiredTerms = rest.Count == 0 && ours.Count > 0 ? null : rest },
            shape with { RequiredTermsHaveExpressions = expressions, RequiredTermsHaveFields = fields },
            own with { Required = ours });
    }

    /// <summary>The author's term as it was, where ours stood in it, and the node that it named; nothing for one that we did not touch.</summary>
    // Behind the author's, unless another webhook has added something since. By name each term stands once for each node.
    static (NodeSelectorTerm? Term, int At, string? Node) WithoutOurs(NodeSelectorTerm term, PlacementRecord record)
    {
        var requirements = record.IsByName ? term.MatchFields : term.MatchExpressions;
        for (var at = requirements.Count - 1; at >= 0; at--)
        {
            var (key, @operator, values) = requirements[at];
            if (@operator == SelectorOperator.In && (record.IsByName
                ? key == NodeSelectorTerm.NameField && values is [var name] && record.Required.Contains(name)
                : key == NodeSelectorTerm.HostnameKey && values.SequenceEqual(record.Required)))
            {
                NodeSelectorRequirement[] rest = [.. requirements.Where((_, i) => i != at)];
                return (record.IsByName ? term with { MatchFields = rest } : term with { MatchExpressions = rest }, at, record.IsByName ? values[0] : null);
            }
        }

        return default;
    }

    // Ours stand behind the author's.
    static (PodFacts, PodShape, EarlierAdditions) TakeOutPreferred(PodFacts facts, PodShape shape, EarlierAdditions own)
    {
        var terms = facts.PreferredTerms;
        var ours = new SortedSet<int>();
        foreach (var recorded in own.Record.Preferred.Reverse())
        {
            for (var i = terms.Count - 1; i >= 0; i--)
            {
                if (!ours.Contains(i) && terms[i].IsSameAs(recorded))
                {
                    ours.Add(i);
                    break;
                }
            }
        }

        var areAllOurs = ours.Count > 0 && ours.Count == terms.Count;
        return (
            facts with { PreferredTerms = [.. terms.Where((_, i) => !ours.Contains(i))] },
            shape with { HasPreferredTerms = shape.HasPreferredTerms && !areAllOurs },
            own with { PreferredTerms = [.. ours], ArePreferredAllOurs = areAllOurs });
    }

    static IEnumerable<AddedRequest> Ours(ContainerFacts container, int index, IEnumerable<RecordedRequest> recorded) =>
        recorded.Select(r => new AddedRequest(index, container.Name, r.Resource, r.Amount)).Where(r => r.Of(container.Requests) == r.Amount);
}

/// <summary>A place of our requirement.</summary>
/// <param name="Term">The required term.</param>
/// <param name="At">Its place among the term's expressions, or fields.</param>
/// <param name="IsWholeTerm">The whole term is ours: nothing else stands in it, or it is a copy.</param>
/// <param name="IsCopy">It is a copy of one of the author's, made for a further node.</param>
readonly record struct EarlierRequirement(int Term, int At, bool IsWholeTerm, bool IsCopy);
