namespace AdmissionLas.Tests.Placement;

/// <summary>Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/.</summary>
public sealed class NameSyntaxTests
{
    static readonly PodFacts Pod = new() { Namespace = "team-a", Containers = [Pods.Container()] };

    [Theory]
    [InlineData("a", true)]
    [InlineData("step-1.example", true)]
    [InlineData("1", true)]
    [InlineData("", false)]
    [InlineData("Step", false)]
    [InlineData("step_1", false)]
    [InlineData("step-", false)]
    [InlineData("-step", false)]
    [InlineData("a..b", false)]
    [InlineData("a.", false)]
    [InlineData("a.-b", false)]
    [InlineData("\u00e9", false)]
    public void A_pod_has_the_name_of_a_subdomain(string name, bool canBe) => Assert.Equal(canBe, NameSyntax.CanBeCreated(name, isPrefix: false, Pod));

    [Theory]
    [InlineData("step-", true)]
    [InlineData("step", true)]
    [InlineData("a.b-", true)]
    [InlineData("-", false)]
    [InlineData("", false)]
    [InlineData("a.", false)]
    [InlineData("Step-", false)]
    public void Or_the_beginning_of_one(string name, bool canBe) => Assert.Equal(canBe, NameSyntax.CanBeCreated(name, isPrefix: true, Pod));

    [Theory]
    [InlineData(253, true)]
    [InlineData(254, false)]
    public void It_has_a_longest_length(int length, bool canBe)
    {
        Assert.Equal(canBe, NameSyntax.CanBeCreated(new string('a', length), isPrefix: false, Pod));
        Assert.Equal(canBe, NameSyntax.CanBeCreated(new string('a', length - 1) + "-", isPrefix: true, Pod));
    }

    [Theory]
    [InlineData("team", true)]
    [InlineData("", false)]
    [InlineData("a.b", false)]
    [InlineData("Team", false)]
    [InlineData("team-", false)]
    [InlineData("a23456789-a23456789-a23456789-a23456789-a23456789-a23456789-abc", true)]
    [InlineData("a23456789-a23456789-a23456789-a23456789-a23456789-a23456789-abcd", false)]
    public void A_namespace_is_a_label(string name, bool canBe) => Assert.Equal(canBe, NameSyntax.CanBeCreated("a", isPrefix: false, Pod with { Namespace = name }));

    [Fact]
    public void There_is_a_container_and_each_has_a_name()
    {
        Assert.False(NameSyntax.CanBeCreated("a", isPrefix: false, Pod with { Containers = [] }));
        Assert.False(NameSyntax.CanBeCreated("a", isPrefix: false, Pod with { Containers = [Pods.Container(), Pods.Container("")] }));
        Assert.False(NameSyntax.CanBeCreated("a", isPrefix: false, Pod with { InitContainers = [Pods.Container("")] }));
    }
}
