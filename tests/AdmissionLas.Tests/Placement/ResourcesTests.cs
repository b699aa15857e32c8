namespace AdmissionLas.Tests.Placement;

public sealed class ResourcesTests
{
    [Fact]
    public void A_sum_is_taken_resource_by_resource_and_what_neither_states_stays_unstated()
    {
        var sum = Amounts.Of(cpu: "1", memory: null, (Nodes.Gpu, 1)).Plus(Amounts.Of(cpu: "500m", memory: null, (Nodes.Gpu, 2), ("ephemeral-storage", 5)));

        Assert.Equal((1500, null, 3, 5), (sum.CpuMilli, sum.MemoryBytes, sum.AmountOf(Nodes.Gpu), sum.AmountOf("ephemeral-storage")));
    }

    [Fact]
    public void A_sum_stops_at_the_largest_amount() =>
        Assert.Equal(long.MaxValue, Amounts.Of(cpu: "1000E").Plus(Amounts.Of(cpu: "1000E")).CpuMilli);

    [Fact]
    public void What_is_left_is_never_below_zero()
    {
        var left = Amounts.Of("4", "1Gi", (Nodes.Gpu, 1)).Less(Amounts.Of("5", "512Mi", (Nodes.Gpu, 2)));

        Assert.Equal((0, 512L << 20, 0), (left.CpuMilli, left.MemoryBytes, left.AmountOf(Nodes.Gpu)));
    }

    [Fact]
    public void The_larger_of_two_is_taken_resource_by_resource()
    {
        var larger = Amounts.Of("4", "1Gi").Max(Amounts.Of("1", "2Gi", (Nodes.Gpu, 1)));

        Assert.Equal((4000, 2L << 30, 1), (larger.CpuMilli, larger.MemoryBytes, larger.AmountOf(Nodes.Gpu)));
    }

    [Fact]
    public void A_fallback_counts_only_for_what_is_not_stated()
    {
        var filled = Amounts.Of(cpu: "0", memory: null, (Nodes.Gpu, 0)).Or(Amounts.Of("2", "1Gi", (Nodes.Gpu, 4), ("ephemeral-storage", 5)));

        Assert.Equal((0, 1L << 30, 0, 5), (filled.CpuMilli, filled.MemoryBytes, filled.AmountOf(Nodes.Gpu), filled.AmountOf("ephemeral-storage")));
    }

    [Fact]
    public void Lists_of_many_names_are_combined_as_those_of_few()
    {
        var (even, all) = (Many(0, 2, 400), Many(0, 1, 400));

        Assert.Equal(Enumerable.Repeat(2L, 400), Sorted(even.Plus(all).Plus(Many(1, 2, 400))));
        Assert.Equal(Sorted(all), Sorted(even.Max(all)));
        Assert.Equal(Sorted(all), Sorted(even.Or(all)));

        static long[] Sorted(Resources resources) => [.. resources.Other!.OrderBy(o => o.Name, StringComparer.Ordinal).Select(o => o.Amount)];
    }

    /// <summary>Four times the names take four times the memory, not sixteen times.</summary>
    [Theory]
    [InlineData("in one container")]
    [InlineData("in containers of their own")]
    [InlineData("in init containers")]
    [InlineData("in sidecars")]
    public void What_is_done_for_names_grows_as_their_number_does(string where)
    {
        Allocated(100);

        Assert.InRange(Allocated(8_000), 1, 6 * Allocated(2_000));

        long Allocated(int names)
        {
            var lists = where == "in one container" ? [Many(0, 1, names)] : Enumerable.Range(0, names).Select(i => Many(i, 1, i + 1));
            ContainerFacts[] containers = [.. lists.Select(list => Pods.Container() with { Requests = list, Limits = list, AlwaysRestarts = where == "in sidecars" })];
            var pod = where.StartsWith("in init", StringComparison.Ordinal) || where == "in sidecars"
                ? new PodFacts { InitContainers = [.. containers] }
                : new PodFacts { Containers = [.. containers] };
            var before = GC.GetAllocatedBytesForCurrentThread();
            var request = EffectiveRequest.Of(pod);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(Enumerable.Repeat(1L, names), request.Other!.Select(o => o.Amount));
            return allocated;
        }
    }

    static Resources Many(int from, int step, int to) =>
        new(null, null, [.. Enumerable.Range(0, (to - from + step - 1) / step).Select(i => new ResourceAmount($"example.com/{from + (i * step)}", 1))]);
}
