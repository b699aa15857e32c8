using System.Text;
using System.Text.Json.Nodes;
using AdmissionLas.Webhook;
using CsCheck;

namespace AdmissionLas.Tests.Webhook;

/// <summary>What is put together as text must be the JSON that a library reads the same out of.</summary>
public sealed class RawJsonWriterTests
{
    static readonly Gen<string> Texts = Gen.OneOf(
        Gen.String[Gen.Char["\"\\/<>&'{}\n\t\0\u007f\u2028é…a1 "], 0, 40],
        Gen.String[Gen.Char[' ', '~'], 0, 400]);

    [Fact]
    public void A_text_is_read_as_it_was_written() => Texts.Sample(text =>
    {
        var json = new RawJsonWriter(1);
        json.AddText(text);

        Assert.Equal(text, JsonNode.Parse(json.WrittenSpan)!.GetValue<string>());
    });

    [Fact]
    public void Two_texts_make_one_string() => Gen.Select(Texts, Texts).Sample((first, second) =>
    {
        var json = new RawJsonWriter(1);
        json.AddText(first, '/', second);

        Assert.Equal($"{first}/{second}", JsonNode.Parse(json.WrittenSpan)!.GetValue<string>());
    });

    [Fact]
    public void Half_a_surrogate_pair_is_no_text_and_becomes_the_replacement_character()
    {
        var json = new RawJsonWriter();
        json.AddText("a\ud83d");

        Assert.Equal("a\ufffd", JsonNode.Parse(json.WrittenSpan)!.GetValue<string>());
    }

    [Fact]
    public void Only_what_must_be_escaped_is()
    {
        var json = new RawJsonWriter();
        json.AddText("<a> & 'b' + é: \"c\"");

        Assert.Equal("\"<a> & 'b' + é: \\\"c\\\"\"", Encoding.UTF8.GetString(json.WrittenSpan));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void A_number_is_written_whole(int number)
    {
        var json = new RawJsonWriter(1);
        json.Add(number);

        Assert.Equal(number, JsonNode.Parse(json.WrittenSpan)!.GetValue<int>());
    }

    [Fact]
    public void Bytes_are_written_as_base64() => Gen.Byte.Array[0, 300].Sample(data =>
    {
        var json = new RawJsonWriter(1);
        json.AddBase64(data);

        Assert.Equal(data, Convert.FromBase64String(JsonNode.Parse(json.WrittenSpan)!.GetValue<string>()));
    });

    [Fact]
    public void What_was_written_before_stays_as_it_grows()
    {
        var json = new RawJsonWriter(1);
        for (var i = 0; i < 1000; i++)
        {
            json.Add(i == 0 ? "["u8 : ","u8);
            json.Add(i);
        }

        json.Add("]"u8);
        Assert.Equal(Enumerable.Range(0, 1000), JsonNode.Parse(json.WrittenSpan)!.AsArray().Select(n => n!.GetValue<int>()));
        json.ResetWrittenCount();
        Assert.Equal(0, json.WrittenCount);
    }
}
