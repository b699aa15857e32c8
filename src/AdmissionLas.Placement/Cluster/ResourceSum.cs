namespace AdmissionLas.Placement;

/// <summary>
/// Combines resource lists one after the other, in time that grows with the number of amounts and no faster: an API server takes a pod with tens of
/// thousands of names, in one container or in thousands.
/// </summary>
struct ResourceSum
{
    /// <summary>Up to so many names are found by walking them, without a table: honest pods have one or two.</summary>
    const int Few = 16;

    long? cpuMilli;
    long? memoryBytes;
    List<ResourceAmount>? other;
    Dictionary<string, int>? places;

    /// <summary>Adds a list; what both state is combined.</summary>
    internal void Add(Resources more, Func<long, long, long> combine)
    {
        cpuMilli = Combine(cpuMilli, more.CpuMilli, combine);
        memoryBytes = Combine(memoryBytes, more.MemoryBytes, combine);
        for (var i = 0; i < (more.Other?.Count ?? 0); i++)
        {
            Add(more.Other![i], combine);
        }
    }

    /// <summary>Of the resources that a list states, what is here and the list's amount together.</summary>
    internal readonly Resources With(Resources list)
    {
        var sums = list.Other is null or [] ? null : new ResourceAmount[list.Other.Count];
        for (var i = 0; i < (sums?.Length ?? 0); i++)
        {
            var (name, amount) = list.Other![i];
            sums![i] = new ResourceAmount(name, Find(name) is >= 0 and var at ? Resources.SaturatingAdd(other![at].Amount, amount) : amount);
        }

        return new Resources(
            Combine(cpuMilli, list.CpuMilli, Resources.SaturatingAdd), Combine(memoryBytes, list.MemoryBytes, Resources.SaturatingAdd), sums);
    }

    /// <summary>All of it.</summary>
    internal readonly Resources ToResources() => new(cpuMilli, memoryBytes, other);

    /// <summary>Both amounts together, or the one that is stated.</summary>
    internal static long? Combine(long? a, long? b, Func<long, long, long> combine) => a is null ? b : b is null ? a : combine(a.Value, b.Value);

    void Add(ResourceAmount more, Func<long, long, long> combine)
    {
        if (Find(more.Name) is >= 0 and var at)
        {
            other![at] = more with { Amount = combine(other[at].Amount, more.Amount) };
            return;
        }

        (other ??= []).Add(more);
        if (other.Count > Few)
        {
            places ??= new(StringComparer.Ordinal);
            for (var i = places.Count; i < other.Count; i++)
            {
                places.Add(other[i].Name, i);
            }
        }
    }

    readonly int Find(string name)
    {
        if (places is not null)
        {
            return places.TryGetValue(name, out var at) ? at : -1;
        }

        for (var i = 0; i < (other?.Count ?? 0); i++)
        {
            if (other![i].Name == name)
            {
                return i;
            }
        }

        return -1;
    }
}
