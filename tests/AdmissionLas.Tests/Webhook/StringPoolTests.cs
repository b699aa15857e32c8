using System.Text;
using CsCheck;

namespace AdmissionLas.Tests.Webhook;

/// <summary>Keeping strings must never show: what comes out is what went in.</summary>
public sealed class StringPoolTests
{
    [Fact]
    public void A_text_comes_out_as_it_went_in() => Gen.String[Gen.Char["abé\0-1"], 0, 70].Array[1, 50].Sample(texts =>
    {
        foreach (var text in texts)
        {
            Assert.Equal(text, StringPool.Get(Encoding.UTF8.GetBytes(text)));
        }
    });

    [Fact]
    public void A_text_that_comes_again_costs_no_new_string()
    {
        var first = StringPool.Get("a-namespace-of-this-test"u8);

        Assert.Same(first, StringPool.Get("a-namespace-of-this-test"u8));
    }

    [Fact]
    public void A_text_longer_than_any_label_is_not_kept()
    {
        var text = Encoding.UTF8.GetBytes(new string('x', 64));

        Assert.NotSame(StringPool.Get(text), StringPool.Get(text));
    }

    [Fact]
    public void Threads_that_ask_for_texts_in_one_place_each_get_their_own() => Parallel.For(0, 100_000, i =>
    {
        var text = $"text-{i % 3000}-of-many";
        Assert.Equal(text, StringPool.Get(Encoding.UTF8.GetBytes(text)));
    });
}
