namespace AdmissionLas.Tests.Placement;

public sealed class ClosestNameTests
{
    static readonly string[] Locations = ["NITOS-CLOUD", "NITLAB-EDGE", "HOME-EDGE"];

    [Theory]
    [InlineData("HOME-EGDE", "HOME-EDGE")]
    [InlineData("home-edge", "HOME-EDGE")]
    [InlineData("HOMEEDGE", "HOME-EDGE")]
    [InlineData("NITOS-CLUD", "NITOS-CLOUD")]
    [InlineData("NITLAB-EDGE-1", "NITLAB-EDGE")]
    public void A_slip_of_the_pen_finds_the_name_that_was_meant(string text, string meant) => Assert.Equal(meant, ClosestName.Of(text, Locations));

    [Theory]
    [InlineData("MARS-BASE")]
    [InlineData("EDGE")]
    [InlineData("")]
    [InlineData("NITOS-CLOUD-NODE")]
    public void Four_edits_away_is_another_name(string text) => Assert.Null(ClosestName.Of(text, Locations));

    [Fact]
    public void Nothing_is_close_to_a_text_that_would_have_to_be_rewritten_whole()
    {
        Assert.Null(ClosestName.Of("x", ["y"]));
        Assert.Null(ClosestName.Of("abc", ["xyz"]));
        Assert.Equal("abz", ClosestName.Of("abc", ["abz"]));
    }

    [Fact]
    public void Among_equally_close_names_the_first_in_ordinal_order_is_taken()
    {
        Assert.Equal("EDGE-1", ClosestName.Of("EDGE-0", ["EDGE-2", "EDGE-1", "EDGE-3"]));
        Assert.Equal("EDGE-1", ClosestName.Of("EDGE-0", ["EDGE-1", "EDGE-2", "EDGE-3"]));
    }

    [Fact]
    public void A_text_of_ten_thousand_characters_finds_nothing() => Assert.Null(ClosestName.Of(new string('E', 10_000), Locations));

    [Fact]
    public void Without_names_nothing_is_close() => Assert.Null(ClosestName.Of("HOME", []));
}
