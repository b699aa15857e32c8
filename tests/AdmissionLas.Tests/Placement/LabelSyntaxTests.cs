namespace AdmissionLas.Tests.Placement;

public sealed class LabelSyntaxTests
{
    [Theory]
    [InlineData("HOME-EDGE")]
    [InlineData("a")]
    [InlineData("7")]
    [InlineData("a.b_c-d")]
    [InlineData("a--b")]
    [InlineData("123456789-123456789-123456789-123456789-123456789-123456789-123")]
    public void Up_to_63_letters_digits_dashes_dots_and_underscores_make_a_name(string text) => Assert.True(LabelSyntax.IsName(text));

    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("_a")]
    [InlineData("a.")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a~b")]
    [InlineData("Zürich")]
    [InlineData("a\n")]
    [InlineData("123456789-123456789-123456789-123456789-123456789-123456789-1234")]
    public void Anything_else_is_no_name(string text) => Assert.False(LabelSyntax.IsName(text));
}
