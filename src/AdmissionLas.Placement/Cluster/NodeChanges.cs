namespace AdmissionLas.Placement;

/// <summary>How the nodes of one view differ from those of the view before it.</summary>
/// <param name="Gone">The nodes that are no more, or as they were before they changed; by name.</param>
/// <param name="Come">The nodes that are new, or as they are since they changed; by name.</param>
readonly record struct NodeChanges(List<NodeFacts> Gone, List<NodeFacts> Come)
{
    /// <summary>Compares two lists, each ordered by name without a name twice; the same object is the same node unchanged.</summary>
    internal static NodeChanges Between(IReadOnlyList<NodeFacts> before, IReadOnlyList<NodeFacts> after)
    {
        var changes = new NodeChanges([], []);
        var (b, a) = (0, 0);
        while (b < before.Count || a < after.Count)
        {
            var order = b == before.Count ? 1 : a == after.Count ? -1
                : ReferenceEquals(before[b], after[a]) ? 0 : string.CompareOrdinal(before[b].Name, after[a].Name);
            if (order < 0)
            {
                changes.Gone.Add(before[b++]);
            }
            else if (order > 0)
            {
                changes.Come.Add(after[a++]);
            }
            else
            {
                if (!ReferenceEquals(before[b], after[a]))
                {
                    changes.Gone.Add(before[b]);
                    changes.Come.Add(after[a]);
                }

                b++;
                a++;
            }
        }

        return changes;
    }

    /// <summary>Whether the nodes that went and those that came, in this order, are alike in something.</summary>
    internal bool Keep(Func<NodeFacts, string?> what) => Gone.Select(what).SequenceEqual(Come.Select(what));
}
