using System.Text.Json;
using CsCheck;

namespace AdmissionLas.Tests.Kubernetes;

/// <summary>Values out of a stream that comes in any pieces are what the parser makes of the whole.</summary>
public sealed class JsonValueStreamTests
{
    [Fact]
    public void In_any_pieces_the_values_are_those_of_the_whole() => Gen.Select(Value.Array[0, 8], Gen.Int[1, 40].Array[1, 20], OneOf(" ", "\n", "\r\n\t ")).Sample(
        (values, pieces, space) =>
        {
            var texts = values.Select(v => v.ToJsonString()).ToArray();

            var read = ReadAll(string.Join(space, texts), pieces);

            Assert.Equal(texts.Select(Canonical), read);
        },
        iter: 2_000);

    [Fact]
    public void What_is_too_large_is_left_out_and_what_follows_is_read() => Gen.Select(Value.Array[1, 8], Gen.Int[1, 40].Array[1, 20], Gen.Int[1, 60]).Sample(
        (values, pieces, maxBytes) =>
        {
            var texts = values.Select(v => v.ToJsonString()).ToArray();

            var read = ReadAll(string.Join('\n', texts) + "\n", pieces, maxBytes);

            Assert.Equal(texts.Select(t => Encoding.UTF8.GetByteCount(t) <= maxBytes ? Canonical(t) : "too large"), read);
        },
        iter: 2_000);

    [Theory]
    [InlineData("{")]
    [InlineData("[1,2")]
    [InlineData("\"text")]
    [InlineData("\"text\\")]
    [InlineData("[}")]
    [InlineData("tru")]
    [InlineData("}")]
    [InlineData(",")]
    [InlineData("1]")]
    [InlineData("{\"a\":}")]
    public void What_is_cut_off_or_no_JSON_is_a_fault(string text) => Assert.ThrowsAny<JsonException>(() => ReadAll(text, [1]));

    [Fact]
    public void What_is_cut_off_is_a_fault_even_where_it_is_too_large() => Assert.Throws<JsonException>(() => ReadAll("[1,2,3,4", [3], maxBytes: 4));

    // Go's decoder, and with it the API server, takes 10,000 levels.
    [Fact]
    public void An_object_may_be_as_deep_as_the_API_server_takes() =>
        Assert.Single(ReadAll(string.Concat(Enumerable.Repeat("{\"f:a\":", 9_999)) + "{}" + new string('}', 9_999), [1 << 14]));

    /// <summary>Ten times the bytes in pieces of one size take ten times the memory, and are looked at as often.</summary>
    [Fact]
    public void The_work_for_a_value_grows_as_its_size_does()
    {
        Allocated(1 << 16);

        Assert.InRange(Allocated(8 << 20), 1, 12 * Allocated(1 << 20));

        static long Allocated(int size)
        {
            var text = $"\"{new string('x', size)}\"";
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Single(ReadAll(text, [16 << 10], asText: false));
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    static Gen<JsonNode> Value => Gen.Recursive<JsonNode>((depth, value) => depth >= 4 ? Scalar : Gen.OneOf(
        Scalar,
        value.Array[0, 4].Select(items => (JsonNode)new JsonArray([.. items.Select(i => i.DeepClone())])),
        Gen.Select(Text, value).Array[0, 4].Select(members => (JsonNode)new JsonObject(members.DistinctBy(m => m.Item1).Select(m => KeyValuePair.Create(m.Item1, (JsonNode?)m.Item2.DeepClone()))))));

    static Gen<JsonNode> Scalar => Gen.OneOf(
        Text.Select(t => (JsonNode)JsonValue.Create(t)), Gen.Double.Where(double.IsFinite).Select(d => (JsonNode)JsonValue.Create(d)),
        Gen.Int.Select(i => (JsonNode)JsonValue.Create(i)), Gen.Bool.Select(b => (JsonNode)JsonValue.Create(b)));

    // What has a meaning outside of texts, escapes, and letters of several bytes.
    static Gen<string> Text => OneOf("{", "}", "[", "]", ",", ":", "\"", "\\", "\n", "é", "\ud83d\ude80", "<", "a", " ").Array[0, 12].Select(string.Concat);

    static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    static string Canonical(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetRawText();
    }

    static List<string> ReadAll(string text, int[] pieces, int maxBytes = JsonValueStream.MaxBytes, bool asText = true)
    {
        var (bytes, at, piece) = (Encoding.UTF8.GetBytes(text), 0, 0);
        var stream = new JsonValueStream(
            memory =>
            {
                var count = Math.Min(Math.Min(pieces[piece++ % pieces.Length], memory.Length), bytes.Length - at);
                bytes.AsMemory(at, count).CopyTo(memory);
                at += count;
                return ValueTask.FromResult(count);
            },
            maxBytes);
        var read = new List<string>();
        while (stream.HasMoreAsync().AsTask().GetAwaiter().GetResult())
        {
            var (value, head) = stream.ReadValueAsync().AsTask().GetAwaiter().GetResult();
            using (value)
            {
                read.Add(!asText ? "" : value?.RootElement.GetRawText() ?? "too large");
                Assert.Equal(value is null, bytes.AsSpan().IndexOf(head.Span) >= 0 && head.Length > maxBytes);
            }

            stream.Rest();
        }

        return read;
    }
}
