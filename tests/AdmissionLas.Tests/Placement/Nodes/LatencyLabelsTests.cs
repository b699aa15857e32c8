namespace AdmissionLas.Tests.Placement;

public sealed class LatencyLabelsTests
{
    [Theory]
    [InlineData("0.8", 0.8)]
    [InlineData("0.8ms", 0.8)]
    [InlineData("800us", 0.8)]
    [InlineData("1.2s", 1200)]
    [InlineData("0", 0)]
    [InlineData("0ms", 0)]
    [InlineData("007", 7)]
    [InlineData("89.667ms", 89.667)]
    [InlineData("0.000001s", 0.001)]
    public void A_latency_is_read_in_milliseconds(string text, double expected)
    {
        Assert.True(LatencyLabels.TryParseMs(text, out var latencyMs));
        Assert.Equal(expected, latencyMs);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ms")]
    [InlineData("s")]
    [InlineData("-1")]
    [InlineData("-0.8ms")]
    [InlineData("+1")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("inf")]
    [InlineData("∞")]
    [InlineData("fast")]
    [InlineData("1e3")]
    [InlineData("1E3ms")]
    [InlineData("0x10")]
    [InlineData(".5")]
    [InlineData("5.")]
    [InlineData("5.ms")]
    [InlineData(".")]
    [InlineData("1.2.3")]
    [InlineData("1,5")]
    [InlineData("1_000")]
    [InlineData("1MS")]
    [InlineData("1Ms")]
    [InlineData("1US")]
    [InlineData("1S")]
    [InlineData("1m")]
    [InlineData("1ns")]
    [InlineData("1min")]
    [InlineData("1msms")]
    [InlineData("1 ms")]
    [InlineData(" 1")]
    [InlineData("1 ")]
    [InlineData("١")]
    [InlineData("１")]
    public void Anything_else_counts_as_not_measured(string text) => Assert.False(LatencyLabels.TryParseMs(text, out _));

    [Fact]
    public void A_number_too_large_for_any_latency_counts_as_not_measured() => Assert.False(LatencyLabels.TryParseMs(new string('9', 400), out _));

    // Equal latencies share a weight, so the unit must not make a difference in the last bit.
    [Fact]
    public void The_same_latency_is_the_same_number_in_every_unit()
    {
        for (var us = 1; us <= 200_000; us++)
        {
            Assert.True(LatencyLabels.TryParseMs($"{us}us", out var microseconds));
            Assert.True(LatencyLabels.TryParseMs(string.Create(CultureInfo.InvariantCulture, $"{us / 1000m}ms"), out var milliseconds));
            Assert.True(LatencyLabels.TryParseMs(string.Create(CultureInfo.InvariantCulture, $"{us / 1000_000m:0.######}s"), out var seconds));
            Assert.Equal(milliseconds, microseconds);
            Assert.Equal(milliseconds, seconds);
        }
    }
}
