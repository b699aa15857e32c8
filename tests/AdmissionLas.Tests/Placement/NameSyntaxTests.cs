namespace AdmissionLas.Tests.Placement;

/// <summary>What https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ says of DNS subdomains and labels (RFC 1123).</summary>
public sealed class NameSyntaxTests
{
    [Theory]
    [InlineData("a", true, true)]
    [InlineData("7", true, true)]
    [InlineData("predict-7hx2k", true, true)]
    [InlineData("v1.2.predict", true, false)]
    [InlineData("", false, false)]
    [InlineData("Bad_Name", false, false)]
    [InlineData("Upper", false, false)]
    [InlineData("under_score", false, false)]
    [InlineData("-a", false, false)]
    [InlineData("a-", false, false)]
    [InlineData("a..b", false, false)]
    [InlineData(".a", false, false)]
    [InlineData("a.", false, false)]
    [InlineData("a.-b", false, false)]
    [InlineData("ä", false, false)]
    [InlineData("a/b", false, false)]
    public void A_name_is_a_subdomain_and_a_namespace_is_a_label(string text, bool isSubdomain, bool isLabel)
    {
        Assert.Equal(isSubdomain, NameSyntax.IsSubdomain(text));
        Assert.Equal(isLabel, NameSyntax.IsLabel(text));
    }

    [Fact]
    public void A_label_has_at_most_63_characters_and_a_name_253()
    {
        Assert.True(NameSyntax.IsLabel(new string('a', 63)));
        Assert.False(NameSyntax.IsLabel(new string('a', 64)));
        Assert.True(NameSyntax.IsSubdomain(new string('a', 253)));
        Assert.False(NameSyntax.IsSubdomain(new string('a', 254)));
    }
}
