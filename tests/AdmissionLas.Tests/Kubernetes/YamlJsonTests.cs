namespace AdmissionLas.Tests.Kubernetes;

/// <summary>Files as people and kubectl write them. What cannot be used is always reported in the same way.</summary>
public sealed class YamlJsonTests
{
    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n---\n---\n")]
    [InlineData("just a text")]
    [InlineData("[1, 2]")]
    public void Documents_that_are_no_objects_are_passed_over(string yaml) => Assert.Empty(Read(yaml));

    [Theory]
    [InlineData("""{"a":"true","b":true,"c":"1","d":1,"e":"","f":null,"g":"null","h":"1.5","i":"~","j":"two: words # here","k":"- x","l":"a\nb"}""")]
    [InlineData("""{"list":[[],{},["a",["b"]]],"true":"key","1":"key"}""")]
    public void What_is_written_is_read_back_as_it_was(string json)
    {
        using var text = new StringWriter();
        YamlJson.Write(System.Text.Json.Nodes.JsonNode.Parse(json)!.AsObject(), text);

        Assert.Equal(json, Assert.Single(YamlJson.ReadObjects(new StringReader(text.ToString()))).GetRawText());
    }

    [Fact]
    public void The_items_of_every_kind_of_list_stand_for_it()
    {
        var objects = Read("""
            kind: NodeList
            items: [{ kind: Node }, 7, { kind: Other }]
            ---
            kind: List
            items: []
            ---
            { "kind": "Node" }
            """);

        Assert.Equal(["Node", "Other", "Node"], objects);
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData("1.5", "1.5")]
    [InlineData("true", "true")]
    [InlineData("null", "null")]
    [InlineData("~", "null")]
    [InlineData("0.8ms", "\"0.8ms\"")]
    [InlineData("\"1\"", "\"1\"")]
    [InlineData("'true'", "\"true\"")]
    [InlineData("1e", "\"1e\"")]
    [InlineData("NaN", "\"NaN\"")]
    [InlineData("True", "true")]
    [InlineData("TRUE", "true")]
    [InlineData("False", "false")]
    [InlineData("FALSE", "false")]
    [InlineData("Null", "null")]
    [InlineData("NULL", "null")]
    [InlineData("tRUE", "\"tRUE\"")]
    [InlineData("yes", "\"yes\"")]
    [InlineData("!!str 1", "\"1\"")]
    [InlineData("'~'", "\"~\"")]
    [InlineData("-5", "-5")]
    [InlineData("1930m", "\"1930m\"")]
    [InlineData("|\n  true", "\"true\"")]
    public void Only_plain_scalars_without_a_tag_have_a_type(string yaml, string json)
    {
        using var reader = new StringReader($"value: {yaml}");

        Assert.Equal(json, YamlJson.ReadObjects(reader)[0].GetProperty("value").GetRawText());
    }

    [Theory]
    [InlineData("a: 1\nb: ]", 2)]
    [InlineData("a: 1\nb: [1", 3)]
    [InlineData("a: 1\nb: 2\n\"a\": 3", 3)]
    [InlineData("a: 1\n? [b]\n: 2\n? [c]\n: 3", 2)]
    [InlineData("a: 1\nb: &self\n  c: *self", 3)]
    [InlineData("a: 1\nb: *gone", 2)]
    public void What_cannot_be_used_is_reported_with_its_line(string yaml, int line) =>
        Assert.Contains($"line {line}, ", Assert.Throws<InvalidDataException>(() => Read(yaml)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(70)]
    [InlineData(700)]
    [InlineData(200_000)]
    public void Nesting_deeper_than_any_object_of_kubernetes_is_reported_with_its_line(int depth) => Assert.Contains(
        "line 1, ",
        Assert.Throws<InvalidDataException>(() => Read($"a: {new string('[', depth)}{new string(']', depth)}")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void Aliases_that_multiply_without_end_are_refused_before_they_have_multiplied()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + string.Concat(
            Enumerable.Range(1, 9).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]\n"));

        var fault = Assert.Throws<InvalidDataException>(() => Read(bomb));

        Assert.StartsWith("line 6, ", fault.Message, StringComparison.Ordinal);
        Assert.Contains("write out what is meant", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_alias_is_what_it_names()
    {
        using var reader = new StringReader("a: &a { b: [1] }\nc: *a\nd: [*a]");

        Assert.Equal("""{"a":{"b":[1]},"c":{"b":[1]},"d":[{"b":[1]}]}""", Assert.Single(YamlJson.ReadObjects(reader)).GetRawText());
    }

    [Fact]
    public void A_source_knows_the_line_of_each_value()
    {
        using var reader = new StringReader("# first\na: 1\n---\nb:\n  c: [x,\n   y]\n");

        var documents = YamlSource.Read(reader);

        Assert.Equal([2, 4], documents.Select(d => d.Line));
        Assert.Equal(6, documents[1].LineOf(documents[1].Root!["b"]!["c"]![1]));
        Assert.Equal(5, documents[1].LineOf(documents[1].Root!["b"]));
    }

    static IEnumerable<string?> Read(string yaml)
    {
        using var reader = new StringReader(yaml);
        return [.. YamlJson.ReadObjects(reader).Select(o => o.TryGetProperty("kind", out var kind) ? kind.GetString() : null)];
    }
}
