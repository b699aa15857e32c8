using CsCheck;

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

    // A node with made-up locations must not make reviews dear, nor choose what a person is told.
    [Fact]
    public void Among_more_than_1024_names_none_is_looked_for()
    {
        string[] many = [.. Enumerable.Range(0, 1021).Select(i => $"made-up-{i}"), .. Locations];

        Assert.Equal("HOME-EDGE", ClosestName.Of("HOME-EGDE", many));
        Assert.Null(ClosestName.Of("HOME-EGDE", [.. many, "one-more"]));
    }

    [Fact]
    public void It_finds_what_the_plain_distance_finds() => Gen.Select(Word, Word.Array[0, 6]).Sample((text, known) =>
    {
        var near = known.Select(name => (Name: name, Edits: PlainEdits(text.ToUpperInvariant(), name.ToUpperInvariant())))
            .Where(n => text.Length <= 63 && n.Edits <= 3 && n.Edits < text.Length)
            .OrderBy(n => n.Edits).ThenBy(n => n.Name, StringComparer.Ordinal);

        Assert.Equal(near.Select(n => n.Name).FirstOrDefault(), ClosestName.Of(text, known));
    }, iter: 20_000);

    static Gen<string> Word => Gen.OneOf(Gen.String[Gen.Char["abAB-"], 0, 9], Gen.String[Gen.Char["ab"], 55, 66]);

    // The definition: https://en.wikipedia.org/wiki/Levenshtein_distance#Definition, with a table.
    static int PlainEdits(string a, string b)
    {
        var edits = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                edits[i, j] = i == 0 || j == 0 ? i + j
                    : Math.Min(Math.Min(edits[i - 1, j], edits[i, j - 1]) + 1, edits[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            }
        }

        return edits[a.Length, b.Length];
    }

    [Fact]
    public void Without_names_nothing_is_close() => Assert.Null(ClosestName.Of("HOME", []));
}
