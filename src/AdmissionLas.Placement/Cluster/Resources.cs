namespace AdmissionLas.Placement;

/// <summary>An amount of one resource other than CPU and memory, in its base unit (bytes, devices).</summary>
/// <param name="Name">The resource's Kubernetes name, such as <c>nvidia.com/gpu</c> or <c>ephemeral-storage</c>.</param>
/// <param name="Amount">How much of it.</param>
public readonly record struct ResourceAmount(string Name, long Amount)
{
    /// <summary>
    /// Whether it is an extended resource, so that a DeviceClass may stand for it. Where a node has none in allocatable, its devices may then be claimed
    /// (https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/#extended-resource); such classes are not known here.
    /// </summary>
    public bool MayBeClaimed => Name.StartsWith("deviceclass.resource.kubernetes.io/", StringComparison.Ordinal) ||
        (Name.Contains('/', StringComparison.Ordinal) && !Name.Contains("kubernetes.io/", StringComparison.Ordinal) && !Name.StartsWith("requests.", StringComparison.Ordinal));
}

/// <summary>
/// A Kubernetes ResourceList: CPU in thousandths of a core, memory in bytes, everything else by name.
/// <see langword="null"/> means "not stated", which for a request is not the same as zero.
/// </summary>
public readonly record struct Resources
{
    // The least number is no amount, so it can stand for "not stated"; turned into zero, it is what the default has. A review makes a dozen of these
    // and the usage cache keeps one for each pod of the cluster, and nullable numbers take twice as much.
    readonly long cpu;
    readonly long memory;

    /// <summary>Sets up the list.</summary>
    /// <param name="cpuMilli">CPU, thousandths of a core.</param>
    /// <param name="memoryBytes">Memory, bytes.</param>
    /// <param name="other">The other resources; <see langword="null"/> when there are none.</param>
    public Resources(long? cpuMilli, long? memoryBytes, IReadOnlyList<ResourceAmount>? other = null) =>
        (cpu, memory, Other) = (Pack(cpuMilli), Pack(memoryBytes), other);

    /// <summary>CPU, thousandths of a core.</summary>
    public long? CpuMilli => Unpack(cpu);

    /// <summary>Memory, bytes.</summary>
    public long? MemoryBytes => Unpack(memory);

    /// <summary>The other resources; <see langword="null"/> when there are none.</summary>
    public IReadOnlyList<ResourceAmount>? Other { get; init; }

    /// <summary>No resource stated.</summary>
    public static Resources None => default;

    /// <summary>CPU with "not stated" read as zero.</summary>
    public long CpuMilliOrZero => CpuMilli ?? 0;

    /// <summary>Memory with "not stated" read as zero.</summary>
    public long MemoryBytesOrZero => MemoryBytes ?? 0;

    /// <summary>The amount of a resource other than CPU and memory; zero when it is not stated.</summary>
    public long AmountOf(string name)
    {
        for (var i = 0; i < (Other?.Count ?? 0); i++)
        {
            if (Other![i].Name == name)
            {
                return Other[i].Amount;
            }
        }

        return 0;
    }

    /// <summary>Whether both state the same amounts; the other resources in the same order.</summary>
    public bool Equals(Resources other) =>
        cpu == other.cpu && memory == other.memory && (ReferenceEquals(Other, other.Other) || (Other ?? []).SequenceEqual(other.Other ?? []));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(cpu, memory);

    /// <summary>The sum, resource by resource; saturates instead of overflowing.</summary>
    public Resources Plus(Resources more) => Combine(more, SaturatingAdd);

    /// <summary>The larger of the two, resource by resource.</summary>
    public Resources Max(Resources other) => Combine(other, Math.Max);

    /// <summary>What is left when <paramref name="taken"/> is gone; never below zero.</summary>
    public Resources Less(Resources taken)
    {
        if (taken == default)
        {
            return this;
        }

        return new Resources(
            CpuMilli is { } cpu ? Math.Max(0, cpu - taken.CpuMilliOrZero) : null,
            MemoryBytes is { } memory ? Math.Max(0, memory - taken.MemoryBytesOrZero) : null,
            Other?.Select(o => o with { Amount = Math.Max(0, o.Amount - taken.AmountOf(o.Name)) }).ToArray());
    }

    /// <summary>This list where it states a resource, otherwise <paramref name="fallback"/>.</summary>
    /// <remarks>The API server's defaulting does the same: a request that is not stated becomes the limit.</remarks>
    public Resources Or(Resources fallback) => Combine(fallback, static (mine, _) => mine);

    /// <summary>The same without the resources, beside CPU and memory, of which another list has none; by that list's names.</summary>
    public Resources Known(Resources list)
    {
        List<ResourceAmount>? known = null;
        for (var i = 0; Other is not (null or []) && i < (list.Other?.Count ?? 0); i++)
        {
            var name = list.Other![i].Name;
            if (AmountOf(name) is > 0 and var amount)
            {
                (known ??= new(1)).Add(new ResourceAmount(name, amount));
            }
        }

        return this with { Other = known };
    }

    internal static long SaturatingAdd(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;

    Resources Combine(Resources more, Func<long, long, long> combine)
    {
        if (more.Other is null or [])
        {
            return new Resources(ResourceSum.Combine(CpuMilli, more.CpuMilli, combine), ResourceSum.Combine(MemoryBytes, more.MemoryBytes, combine), Other);
        }

        var sum = new ResourceSum();
        sum.Add(this, combine);
        sum.Add(more, combine);
        return sum.ToResources();
    }

    static long Pack(long? amount) => (amount ?? long.MinValue) ^ long.MinValue;

    static long? Unpack(long packed) => packed == 0 ? null : packed ^ long.MinValue;
}
