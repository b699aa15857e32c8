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
}
