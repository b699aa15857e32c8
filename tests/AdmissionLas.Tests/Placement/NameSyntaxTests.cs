namespace AdmissionLas.Tests.Placement;

/// <summary>What https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ says of DNS subdomains and labels (RFC 1123).</summary>
public sealed class NameSyntaxTests
{
    static readonly PodFacts Pod = new() { Namespace = "team-a", Containers = [Pods.Container()] };

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

    [Theory]
    [InlineData("step-", true)]
    [InlineData("step", true)]
    [InlineData("a.b-", true)]
    [InlineData("-", false)]
    [InlineData("", false)]
    [InlineData("a.", false)]
    [InlineData("Step-", false)]
    public void A_pod_can_have_the_beginning_of_a_name(string name, bool canBe) => Assert.Equal(canBe, NameSyntax.CanBeCreated(name, isPrefix: true, Pod));

    [Theory]
    [InlineData("Bad_Name", "team-a", false)]
    [InlineData("a", "Team", false)]
    [InlineData("a", "team-a", true)]
    public void A_pod_and_its_namespace_have_valid_names(string name, string @namespace, bool canBe) =>
        Assert.Equal(canBe, NameSyntax.CanBeCreated(name, isPrefix: false, Pod with { Namespace = @namespace }));

    [Fact]
    public void There_is_a_container_and_each_has_a_name()
    {
        Assert.False(NameSyntax.CanBeCreated("a", isPrefix: false, Pod with { Containers = [] }));
        Assert.False(NameSyntax.CanBeCreated("a", isPrefix: false, Pod with { Containers = [Pods.Container(), Pods.Container("")] }));
        Assert.False(NameSyntax.CanBeCreated("a", isPrefix: false, Pod with { InitContainers = [Pods.Container("")] }));
    }
}
