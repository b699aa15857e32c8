namespace AdmissionLas.Tests.Placement;

public sealed class QuantityTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("2", 2000)]
    [InlineData("100m", 100)]
    [InlineData("1.5", 1500)]
    [InlineData("0.1", 100)]
    [InlineData(".5", 500)]
    [InlineData("5.", 5000)]
    [InlineData("+1", 1000)]
    [InlineData("1e3", 1_000_000)]
    [InlineData("1E3", 1_000_000)]
    [InlineData("1e+1", 10_000)]
    [InlineData("5e-1", 500)]
    [InlineData("1k", 1_000_000)]
    [InlineData("1500000u", 1500)]
    [InlineData("1Ki", 1_024_000)]
    public void Cpu_is_read_in_thousandths_of_a_core(string text, long expected)
    {
        Assert.True(Quantity.TryParseMilli(text, out var milli));
        Assert.Equal(expected, milli);
    }

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("4Gi", 4L << 30)]
    [InlineData("0.5Gi", 1L << 29)]
    [InlineData("1.5Mi", 3L << 19)]
    [InlineData("16G", 16_000_000_000)]
    [InlineData("128M", 128_000_000)]
    [InlineData("1Ti", 1L << 40)]
    [InlineData("1Pi", 1L << 50)]
    [InlineData("1Ei", 1L << 60)]
    [InlineData("1T", 1_000_000_000_000)]
    [InlineData("1P", 1_000_000_000_000_000)]
    [InlineData("1E", 1_000_000_000_000_000_000)]
    [InlineData("1e3", 1000)]
    [InlineData("129e6", 129_000_000)]
    [InlineData("128974848", 128_974_848)]
    [InlineData("128974848000m", 128_974_848)]
    public void Memory_is_read_in_bytes(string text, long expected)
    {
        Assert.True(Quantity.TryParseUnits(text, out var bytes));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("1n", 1, 1)]
    [InlineData("1u", 1, 1)]
    [InlineData("1m", 1, 1)]
    [InlineData("1.0001", 1001, 2)]
    [InlineData("1001m", 1001, 2)]
    [InlineData("0.3Ki", 307_200, 308)]
    [InlineData("1e-28", 1, 1)]
    public void What_does_not_come_out_even_is_rounded_up(string text, long milli, long units)
    {
        Assert.True(Quantity.TryParseMilli(text, out var readMilli));
        Assert.True(Quantity.TryParseUnits(text, out var readUnits));
        Assert.Equal((milli, units), (readMilli, readUnits));
    }

    [Theory]
    [InlineData("1000E")]
    [InlineData("16Ei")]
    [InlineData("9223372036854775808")]
    [InlineData("79228162514264337593543950335")]
    [InlineData("79228162514264337593543950335Ei")]
    [InlineData("1e28")]
    public void What_is_too_large_to_count_is_the_largest_amount(string text)
    {
        Assert.True(Quantity.TryParseUnits(text, out var units));
        Assert.Equal(long.MaxValue, units);
        Assert.True(Quantity.TryParseMilli(text, out var milli));
        Assert.Equal(long.MaxValue, milli);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("m")]
    [InlineData("Gi")]
    [InlineData("-1")]
    [InlineData("-0.5Gi")]
    [InlineData("lots")]
    [InlineData("4gi")]
    [InlineData("4GI")]
    [InlineData("4GiB")]
    [InlineData("4 Gi")]
    [InlineData(" 4")]
    [InlineData("4 ")]
    [InlineData("1.2.3")]
    [InlineData("1+1")]
    [InlineData("++1")]
    [InlineData("1,5")]
    [InlineData("1e")]
    [InlineData("1e1.5")]
    [InlineData("1e3m")]
    [InlineData("1mm")]
    [InlineData("0x10")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("٣")]
    public void Anything_else_is_no_quantity(string text)
    {
        Assert.False(Quantity.TryParseMilli(text, out _));
        Assert.False(Quantity.TryParseUnits(text, out _));
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(2000, "2")]
    [InlineData(1500, "1500m")]
    [InlineData(1, "1m")]
    public void Cpu_is_written_as_people_write_it(long milli, string expected) => Assert.Equal(expected, Quantity.FormatCpu(milli));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(4L << 30, "4Gi")]
    [InlineData(3L << 29, "1536Mi")]
    [InlineData(1L << 10, "1Ki")]
    [InlineData(4_000_000_000, "3906250Ki")]
    [InlineData(4_000_000_001, "4000000001")]
    public void Bytes_are_written_with_the_largest_suffix_that_loses_nothing(long bytes, string expected)
    {
        Assert.Equal(expected, Quantity.FormatBytes(bytes));
        Assert.True(Quantity.TryParseUnits(expected, out var read));
        Assert.Equal(bytes, read);
    }
}
